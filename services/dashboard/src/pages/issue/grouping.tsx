import { useState } from "react";
import { Link } from "react-router-dom";
import { useIssueGrouping } from "../../api/queries.ts";
import type { EventBody, Issue } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { Absent, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { ComponentTree, counting, methodOf, VARIANTS } from "../../ui/why.tsx";

/** Which frames and values made the fingerprint, and which did not count. */
export function Grouping({ issue, event }: { issue: Issue; event: EventBody | undefined }) {
  const why = useIssueGrouping(issue.short_id);
  const [all, setAll] = useState(false);
  if (why.isPending) return <Skeleton />;
  if (why.isError) return <Failure error={why.error} retry={() => void why.refetch()} />;
  if (why.data === null) return <Panel title="Why is this grouped so?"><Absent what="The explanation of a group" /></Panel>;
  const { method, rule, rule_line: line, hashes, components } = why.data;
  const count = components.reduce((sum, component) => sum + counting(component), 0);
  return (
    <Panel
      title="Why is this grouped so?"
      actions={
        <button type="button" className="button small quiet" aria-pressed={all} onClick={() => setAll(!all)}>
          {all ? "Only what counts" : "Also what does not count"}
        </button>
      }
    >
      <div className="pad prose">
        <p>
          Its events are grouped <strong>{methodOf(method)}</strong>. Events with the same {plural(count, "part")} below are this issue; whatever else differs between them.
        </p>
        {rule !== undefined && <p>The rule in line {line}: <code><Untrusted limit={300}>{rule}</Untrusted></code> <Link to={`/projects/${issue.project}?tab=grouping`}>Rules of {issue.project_name}</Link></p>}
      </div>
      <div className="pad"><ComponentTree components={components} all={all} /></div>
      <dl className="facts variants">
        {hashes.map(({ variant, hash }, index) => (
          <div key={variant} className="variant">
            <dt>{index === 0 ? "Hash" : "Also known as"}</dt>
            <dd>
              <code>{hash}</code> <span className="muted">of {VARIANTS[variant] ?? variant}{event?.hashes.includes(hash) === false ? "; the event was grouped by earlier rules" : ""}</span>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
