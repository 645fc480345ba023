/**
 * How pages stay fresh. The server tells what changes over a socket, and what shows it is read again. While there is no
 * socket, pages poll.
 */
import { useQueryClient, type Query, type QueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useSyncExternalStore } from "react";
import { apiToken, sessionEnd } from "../api/client.ts";

/** `off`: never there, so nothing is missed; `broken`: it was there, and is tried again. */
export type LiveState = "off" | "open" | "broken";

export const POLL_MS = 5_000;
/** What the socket should have told is read again at this pace. */
const RARELY_MS = 60_000;

let state: LiveState = "off";
const listeners = new Set<() => void>();

function become(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const listener of listeners) listener();
}

/** For what people watch: lists of issues, an open issue. Hidden tabs do not poll. */
export const LIVE = { refetchInterval: (): number => (state === "open" ? RARELY_MS : POLL_MS), refetchIntervalInBackground: false } as const;

/** For what the socket does not tell of, and somebody waits for: incidents. */
export const WATCHED = { refetchInterval: POLL_MS, refetchIntervalInBackground: false } as const;

/** For what changes slowly: statistics, health. */
export const CALM = { refetchInterval: 30_000, refetchIntervalInBackground: false } as const;

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** Something was changed here: everything that may show it is read again. */
export function useChanged(): (...roots: string[]) => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    async (...roots: string[]) => {
      await Promise.all(roots.map((root) => client.invalidateQueries({ queryKey: [root] })));
    },
    [client],
  );
}

/** A change as the server tells it; kinds that are not known here are of a newer server. */
export interface Change {
  kind: string;
  issue?: number | null;
  short_id?: string;
  /** Of issues that are gone. */
  short_ids?: string[];
}

interface Message {
  type: string;
  id: string;
  items?: Change[];
}

/** Anything that people watch may have changed. */
const ANYTHING: Change = { kind: "anything" };

/** Whether a query shows something that has changed. */
export function shows(key: readonly unknown[], changes: readonly Change[]): boolean {
  const [noun, which] = key;
  const names = (change: Change): boolean =>
    change === ANYTHING ||
    which === String(change.issue) ||
    which === change.short_id ||
    (typeof which === "string" && change.short_ids?.includes(which) === true);
  const isNotification = (change: Change): boolean => change.kind === "notification.changed";
  switch (noun) {
    case "issues":
      // What is gone may be anywhere in a list, and in what is counted of it.
      return changes.some((change) => change.kind === "issues.deleted" || (which === "head" && !isNotification(change)));
    case "issue":
      return changes.some((change) => !isNotification(change) && names(change));
    case "issue-part":
      return key[2] === "activity" && changes.some((change) => change.kind === "issue.changed" && names(change));
    case "notifications":
      return changes.some(isNotification);
    default:
      return false;
  }
}

/** Reads again what shows changes, every two seconds at most: a busy server must not make a busy page. */
class Reader {
  private static readonly PAUSE_MS = 2_000;
  private waiting: Change[] | "everything" = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readAt = 0;

  constructor(private readonly client: QueryClient) {}

  hear(changes: Change[] | "everything"): void {
    if (changes.length === 0) return;
    this.waiting = changes === "everything" || this.waiting === "everything" ? "everything" : [...this.waiting, ...changes];
    this.timer ??= setTimeout(() => this.read(), Math.max(0, this.readAt + Reader.PAUSE_MS - Date.now()));
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private read(): void {
    const changes = this.waiting;
    this.waiting = [];
    this.timer = undefined;
    this.readAt = Date.now();
    // Who looks away reads when they are back.
    const refetchType = document.hidden ? "none" : "active";
    const predicate = (query: Query): boolean => changes === "everything" || shows(query.queryKey, changes);
    void this.client.invalidateQueries({ predicate, refetchType });
  }
}

/** The session has ended: no use in coming back with the same. */
const ENDED = 4401;
const LONGEST_PAUSE_MS = 30_000;

/** Listens as long as it is not told to stop. */
export function listen(client: QueryClient): () => void {
  const reader = new Reader(client);
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: string | undefined;
  let failures = 0;
  let stopped = false;

  const open = (): void => {
    const after = last === undefined ? "" : `?after=${encodeURIComponent(last)}`;
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/live${after}`);
    socket.onmessage = (event: MessageEvent<string>) => {
      const message = JSON.parse(event.data) as Message;
      if (message.type === "reload") reader.hear("everything");
      // What happened between the page's first look and now was told to nobody.
      else if (message.type === "hello") reader.hear(last === undefined ? [ANYTHING] : []);
      else reader.hear(message.items ?? []);
      last = message.id;
      failures = 0;
      become("open");
    };
    socket.onclose = (event) => {
      if (stopped) return;
      if (event.code === ENDED) {
        become("off");
        sessionEnd.tell();
        return;
      }
      if (state === "open") {
        become("broken");
        // Their next look is then due as without a socket.
        reader.hear("everything");
      }
      failures += 1;
      // Spread, so that a server that comes back is not asked by everybody at once.
      const pause = Math.min(1_000 * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
      timer = setTimeout(open, pause);
    };
  };
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    reader.stop();
    socket?.close();
    become("off");
  };
}

/** Listens while the page is there. A token of this tab cannot open a socket from a page: then it polls. */
export function useLive(): void {
  const client = useQueryClient();
  useEffect(() => (apiToken.get() === null ? listen(client) : undefined), [client]);
}
