import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { reachability } from "../api/client.ts";
import { useLive, useLiveState } from "../lib/live.ts";
import { Icon } from "../ui/icons.tsx";

const RETRY_MS = 3_000;

/** Says that Bugle is away, asks until it is back, and then reads everything again. Listens to what changes meanwhile. */
export function Offline() {
  useLive();
  const live = useLiveState();
  const [away, setAway] = useState(false);
  const client = useQueryClient();
  useEffect(() => {
    const hear = (reachable: boolean): void => setAway(!reachable);
    reachability.listeners.add(hear);
    return () => {
      reachability.listeners.delete(hear);
    };
  }, []);
  useEffect(() => {
    // The browser knows at once; an open socket notices minutes later.
    const gone = (): void => setAway(true);
    window.addEventListener("offline", gone);
    return () => window.removeEventListener("offline", gone);
  }, []);
  useEffect(() => {
    if (live !== "broken") return;
    fetch("/health/live", { cache: "no-store" }).catch(() => setAway(true));
  }, [live]);
  useEffect(() => {
    if (!away) return;
    const timer = setInterval(() => {
      fetch("/health/live", { cache: "no-store" })
        .then(async (answer) => {
          if (!answer.ok) return;
          setAway(false);
          await client.invalidateQueries();
        })
        .catch(() => undefined);
    }, RETRY_MS);
    return () => clearInterval(timer);
  }, [away, client]);
  return (
    <div role="status">
      {away && (
        <div className="offline">
          <Icon name="warning" /> Bugle cannot be reached. What you see may be old; this page tries again by itself.
        </div>
      )}
      {!away && live === "broken" && (
        <div className="offline">
          <Icon name="warning" /> Live updates broke off. Reconnecting; meanwhile this page looks for news every few seconds.
        </div>
      )}
    </div>
  );
}
