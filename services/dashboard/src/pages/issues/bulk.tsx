import type { Issue } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Button, IconButton } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLabel } from "../../ui/menu.tsx";
import { Ignore } from "../issue/actions.tsx";
import type { Change, Whole } from "./triage.ts";

const PRIORITIES = ["critical", "high", "medium", "low"] as const;

/** Selects all rows that are shown, or none. It is there before they are, so that nothing moves when they come. */
export const CheckAll = ({ none, some, all, onChange }: { none: boolean; some: boolean; all: boolean; onChange: () => void }) => (
  <label className="checkall">
    <input
      type="checkbox" aria-label="Select all shown" title="Select all shown" checked={all} disabled={none} onChange={onChange}
      ref={(box) => {
        // It has no attribute, and a click takes it away.
        if (box !== null) box.indeterminate = some && !all;
      }}
    />
  </label>
);

interface Props { chosen: Issue[]; everything: boolean; /** There are more than the loaded ones: takes all that the search finds. */ more: (() => void) | null; busy: boolean; act: (change: Change | Whole) => void; assign: () => void; clear: () => void }

/** What to do with what is selected, or with everything that the search finds. */
export function BulkBar({ chosen, everything, more, busy, act, assign, clear }: Props) {
  const projects = new Set(chosen.map((issue) => issue.project)).size;
  return (
    <div className="bulk" role="toolbar" aria-label="What is selected">
      <strong>{everything ? "All that the search finds" : `${plural(chosen.length, "issue")} selected`}</strong>
      {more !== null && !everything && <button type="button" className="link" onClick={more}>Select all that the search finds</button>}
      <Button small icon="check" busy={busy} onClick={() => act({ status: "resolved" })}>Resolve</Button>
      <Ignore small busy={busy} act={act} />
      <Button small icon="reopen" busy={busy} onClick={() => act({ status: "unresolved" })}>Reopen</Button>
      <Button small icon="assign" busy={busy} onClick={assign}>Assign</Button>
      <Menu trigger={<Button small busy={busy}>Priority</Button>}>
        <MenuLabel>Bugle will not change it any more</MenuLabel>
        {PRIORITIES.map((priority) => <MenuItem key={priority} onSelect={() => act({ priority })}>{priority}</MenuItem>)}
      </Menu>
      <Confirm title={everything ? "Delete all that the search finds?" : "Delete them?"} action="Delete" onConfirm={() => act({ delete: true })} body="They go with all their events, for ever.">
        {(ask) => (
          <Menu align="end" trigger={<IconButton icon="dots" label="More for the selected" />}>
            {!everything && chosen.length > 1 && projects === 1 && <MenuItem onSelect={() => act({ merge: true })}>Merge into the oldest</MenuItem>}
            <MenuItem icon="trash" danger onSelect={ask}>Delete …</MenuItem>
          </Menu>
        )}
      </Confirm>
      <IconButton icon="close" label="Select nothing" onClick={clear} />
    </div>
  );
}
