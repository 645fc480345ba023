import { useState } from "react";
import { call } from "../../api/client.ts";
import type { Schedule } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { Button, Check, Dialog } from "../../ui/kit.tsx";
import { Code } from "../../ui/text.tsx";

/** A secret link by which a calendar program reads a schedule. */
export function FeedDialog({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const [mine, setMine] = useState(true);
  const path = `/schedules/${schedule.id}/feed`;
  const make = useChange(() => call<{ url: string }>("POST", path, { body: { only_mine: mine } }));
  const revoke = useChange(() => call("DELETE", path), { done: "The link works no more" });
  return (
    <Dialog title={`${neutralise(schedule.name)} in your calendar`} onClose={onClose}>
      <p>Subscribe to a link in your calendar program; it shows who is on call for a year ahead, and changes when the schedule does. Whoever has the link sees it without an account.</p>
      <Check checked={mine} onChange={(event) => setMine(event.target.checked)} label="Only my own shifts" />
      {make.data !== undefined && <><Code text={make.data.url} label="Link" /><p className="muted">It is shown this once. A new link ends your link of before.</p></>}
      <div className="dialogactions">
        <Button icon="trash" busy={revoke.isPending} onClick={() => revoke.mutate(undefined, { onSuccess: onClose })}>Revoke my link</Button>
        <Button look="primary" busy={make.isPending} onClick={() => make.mutate(undefined)}>Make a link</Button>
      </div>
    </Dialog>
  );
}
