import { useState } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import type { Destined, GroupingTrial, Project } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Field, Form, Input, Panel, Select, Tag } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { ComponentTree, methodOf } from "../../ui/why.tsx";

type Source = "latest" | "id" | "pasted";
const SOURCES = [["latest", "The latest event"], ["id", "An event of the project"], ["pasted", "One that I paste"]] as const;
const EXAMPLE = '{"exception": {"values": [{"type": "PayError", "value": "no money"}]}}';

/** What the server is asked: the rules as they stand in the editor, and the event. */
function body(rules: string, source: Source, id: string, pasted: string) {
  if (source === "id") return { rules, event_id: id.trim() };
  return source === "pasted" ? { rules, payload: pasted } : { rules };
}

/** Shows how an event would be grouped by rules that are not saved yet. */
export function TryRules({ project, rules, show }: { project: Project; rules: string; show: (position: number) => void }) {
  const [source, setSource] = useState<Source>("latest");
  const [id, setId] = useState("");
  const [pasted, setPasted] = useState("");
  const trial = useChange((of: ReturnType<typeof body>) => call<GroupingTrial>("POST", `/projects/${project.id}/grouping/try`, { body: of }));
  const mistake = trial.problem?.of("rules");
  const stale = trial.variables !== undefined && trial.variables.rules !== rules;
  return (
    <Panel title="Try the rules">
      <Form className="formbody" onSubmit={() => trial.mutate(body(rules, source, id, pasted))}>
        <p className="muted">See how an event would be grouped by the rules above, before they are saved. Nothing is kept.</p>
        <div className="formgrid">
          <Select label="Event" value={source} options={SOURCES} error={source === "latest" ? trial.wrong("event_id") : undefined} onChange={(event) => setSource(event.target.value as Source)} />
          {source === "id" && <Input label="Its id" className="mono" value={id} maxLength={36} autoComplete="off" spellCheck={false} error={trial.wrong("event_id")} onChange={(event) => setId(event.target.value)} />}
        </div>
        {source === "pasted" && (
          <Field label="JSON of the event" help="As an SDK sends it. Secrets are removed as they are from events." error={trial.wrong("payload")}>
            {(ids) => <textarea {...ids} className="mono" rows={8} value={pasted} spellCheck={false} placeholder={EXAMPLE} onChange={(event) => setPasted(event.target.value)} />}
          </Field>
        )}
        {mistake !== undefined && (
          <div role="alert" className="wrongbox">
            <Untrusted limit={400}>{mistake.message}</Untrusted>{" "}
            {mistake.position !== undefined && !stale && <Button small look="quiet" onClick={() => show(mistake.position ?? 0)}>Show the place</Button>}
          </div>
        )}
        <Button type="submit" busy={trial.isPending}>Try</Button>
      </Form>
      {trial.data !== undefined && <Outcome trial={trial.data} stale={stale} />}
    </Panel>
  );
}

function Outcome({ trial, stale }: { trial: GroupingTrial; stale: boolean }) {
  const [all, setAll] = useState(false);
  const { changed, proposed, current, event, filtered, uncertain_frames: uncertain } = trial;
  return (
    <div className="trial" aria-live="polite">
      <div className="pad prose">
        <p>
          <Tag kind={changed ? "changed" : ""}>{changed ? "Grouped differently" : "Grouped as now"}</Tag>{" "}
          {event !== null && event !== undefined && <>An event of <Link to={`/issues/${event.issue.short_id}`}>{event.issue.short_id}</Link> <Untrusted limit={120}>{event.issue.title}</Untrusted></>}
        </p>
        {stale && <p role="status">The rules have changed since: try again.</p>}
        {filtered !== null && filtered !== undefined && <p>The project’s filters would drop this event ({filtered.replace(/_/g, " ")}).</p>}
        {uncertain > 0 && <p>A rule that is not among these had marked {plural(uncertain, "frame")}. What the app said of them is not kept; they are grouped as if it had said nothing.</p>}
      </div>
      <div className="trialsides">
        <Side title="By these rules" of={proposed} />
        <Side title="By the saved rules" of={current} />
      </div>
      <div className="pad">
        <button type="button" className="button small quiet" aria-pressed={all} onClick={() => setAll(!all)}>{all ? "Only what counts" : "Also what does not count"}</button>
        <ComponentTree components={proposed.grouping.components} all={all} />
      </div>
    </div>
  );
}

function Side({ title, of }: { title: string; of: GroupingTrial["proposed"] }) {
  const { method, rule, rule_line: line, hashes, title: named } = of.grouping;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <dl className="facts side">
        <div><dt>Grouped</dt><dd>{methodOf(method)}</dd></div>
        {rule !== undefined && <div><dt>Line {line}</dt><dd><code><Untrusted limit={300}>{rule}</Untrusted></code></dd></div>}
        <div><dt>Title</dt><dd><Untrusted limit={200}>{named}</Untrusted></dd></div>
        <div><dt>Hash</dt><dd><code>{hashes[0]?.hash}</code></dd></div>
        <div><dt>Leads to</dt><dd><Destination to={of.leads_to} /></dd></div>
      </dl>
    </section>
  );
}

function Destination({ to }: { to: Destined }) {
  if (to === "new") return <>a new issue</>;
  if (to === "discarded") return <>nothing: it is discarded</>;
  return <><Link to={`/issues/${to.issue.short_id}`}>{to.issue.short_id}</Link> <Untrusted limit={120}>{to.issue.title}</Untrusted></>;
}
