import { useState } from "react";
import type { Issue } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Button, IconButton } from "../../ui/kit.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { Ignore } from "../issue/actions.tsx";
import { useBulk, type Change, type Everything } from "./triage.ts";

interface Props { chosen: Issue[]; /** There are more than the loaded ones: all that the search finds. */ all: Everything | null; act: (change: Change) => void; assign: () => void; clear: () => void }

/** What to do with what is selected, or with everything that the search finds. */
export function BulkBar({ chosen, all, act, assign, clear }: Props) {
  const [everything, setEverything] = useState(false);
  const bulk = useBulk();
  const on = everything && all !== null ? all : chosen;
  const change = (what: Change): void => (Array.isArray(on) ? act(what) : bulk.mutate({ on, change: what }, { onSuccess: clear }));
  const projects = new Set(chosen.map((issue) => issue.project)).size;
  return (
    <div className="bulk" role="toolbar" aria-label="What is selected">
      <strong>{Array.isArray(on) ? `${plural(chosen.length, "issue")} selected` : "All that the search finds"}</strong>
      {all !== null && !everything && <button type="button" className="link" onClick={() => setEverything(true)}>Select all that the search finds</button>}
      <Button small icon="check" busy={bulk.isPending} onClick={() => change({ status: "resolved" })}>Resolve</Button>
      <Ignore small busy={bulk.isPending} act={change} />
      <Button small icon="reopen" onClick={() => change({ status: "unresolved" })}>Reopen</Button>
      {Array.isArray(on) && <Button small icon="assign" onClick={assign}>Assign</Button>}
      <Confirm title="Delete them?" action="Delete" onConfirm={() => bulk.mutate({ on, change: { delete: true } }, { onSuccess: clear })} body="They go with all their events, for ever.">
        {(ask) => (
          <Menu align="end" trigger={<IconButton icon="dots" label="More for the selected" />}>
            {Array.isArray(on) && chosen.length > 1 && projects === 1 && <MenuItem onSelect={() => bulk.mutate({ on, change: { merge: true } }, { onSuccess: clear })}>Merge into the oldest</MenuItem>}
            <MenuItem icon="trash" danger onSelect={ask}>Delete …</MenuItem>
          </Menu>
        )}
      </Confirm>
      <IconButton icon="close" label="Select nothing" onClick={clear} />
    </div>
  );
}
