import { useState } from "react";
import { Link } from "react-router-dom";
import { useIssueGrouping } from "../../api/queries.ts";
import type { Component, EventBody, Issue } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { Absent, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";

const METHODS: Record<string, string> = {
  rule: "by a grouping rule of the project",
  checksum: "by the checksum that the app sent",
  fingerprint: "by the fingerprint that the app sent",
  known: "as a known error, which has one cause whatever its trace",
  frames: "by the types and the frames of its exceptions",
  value: "by the types and the messages of its exceptions: no frame counts",
  thread: "by the frames of a thread",
  security: "by the directive and what it blocked",
  message: "by the message, without its numbers and names",
  nothing: "by the logger and the transaction: the event says nothing else",
};
const VARIANTS: Record<string, string> = { app: "the app's own frames", system: "all frames", message: "the message", fingerprint: "the fingerprint" };
const MOST = 300;

const counting = (component: Component): number => (component.children ?? []).reduce((sum, child) => sum + counting(child), component.value !== undefined && component.contributes ? 1 : 0);

function Tree({ components, all }: { components: Component[]; all: boolean }) {
  const shown = all ? components : components.filter((component) => component.contributes);
  if (shown.length === 0) return null;
  return (
    <ul className="why">
      {shown.slice(0, MOST).map((component, index) => (
        <li key={index} className={component.contributes ? "counts" : "silent"}>
          <span className="whyname"><Untrusted limit={60}>{component.name}</Untrusted></span>
          {component.value !== undefined && <code><Untrusted limit={300}>{component.value}</Untrusted></code>}
          {!component.contributes && <span className="sr"> (does not count)</span>}
          {component.reason !== undefined && <small><Untrusted limit={200}>{component.reason}</Untrusted></small>}
          <Tree components={component.children ?? []} all={all} />
        </li>
      ))}
    </ul>
  );
}

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
          Its events are grouped <strong>{METHODS[method] ?? `by ${method.replace(/_/g, " ")}`}</strong>. Events with the same {plural(count, "part")} below are this issue; whatever else differs between them.
        </p>
        {rule !== undefined && <p>The rule in line {line}: <code><Untrusted limit={300}>{rule}</Untrusted></code> <Link to={`/projects/${issue.project}?tab=grouping`}>Rules of {issue.project_name}</Link></p>}
      </div>
      <div className="pad"><Tree components={components} all={all} /></div>
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
