import { useState } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useFingerprints } from "../../api/queries.ts";
import type { Issue } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Check, Panel } from "../../ui/kit.tsx";

/** What was merged can be parted again: by fingerprint, for all events from then on. */
export function Fingerprints({ issue, may }: { issue: Issue; may: boolean }) {
  const fingerprints = useFingerprints(issue.short_id).data?.items ?? [];
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const part = useChange(() => call<Issue>("POST", `/issues/${issue.id}/unmerge`, { body: { fingerprints: [...chosen] } }), { touches: ["issues", "issue", "issue-part", "issue-events"] });
  if (fingerprints.length < 2) return null;
  const toggle = (name: string): void => setChosen(new Set(chosen.has(name) ? [...chosen].filter((other) => other !== name) : [...chosen, name]));
  return (
    <Panel title={`${fingerprints.length} fingerprints are this issue`}>
      <ul className="rows">
        {fingerprints.slice(0, 100).map(({ fingerprint, events }) => (
          <li key={fingerprint}>
            <div className="grow">{may ? <Check checked={chosen.has(fingerprint)} onChange={() => toggle(fingerprint)} label={<code>{fingerprint}</code>} /> : <code>{fingerprint}</code>}</div>
            <span className="muted">{plural(events, "event")}</span>
          </li>
        ))}
      </ul>
      {may && (
        <div className="pad actions">
          <Button disabled={chosen.size === 0 || chosen.size >= fingerprints.length} busy={part.isPending} onClick={() => part.mutate(undefined, { onSuccess: () => setChosen(new Set()) })}>Make the chosen an issue of their own</Button>
          {part.data !== undefined && <Link to={`/issues/${part.data.short_id}`}>{part.data.short_id}</Link>}
        </div>
      )}
    </Panel>
  );
}
