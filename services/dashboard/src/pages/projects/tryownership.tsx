import { useState } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import type { OwnershipTrial, Project } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Form, Input, Panel, Select } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { Mistakes } from "../oncall/parts.tsx";
import type { Draft } from "./ownership.tsx";

type Subject = "path" | "issue";
const SUBJECTS = [["path", "A file"], ["issue", "An issue of the project"]] as const;

interface Question { ownership: Draft; path?: string; issue?: string }

/** Shows who would get an issue by rules that are not saved yet. */
export function TryOwnership({ project, draft }: { project: Project; draft: Draft }) {
  const [subject, setSubject] = useState<Subject>("path");
  const [path, setPath] = useState("");
  const [issue, setIssue] = useState("");
  const trial = useChange((question: Question) => call<OwnershipTrial>("POST", `/projects/${project.id}/ownership/try`, { body: question }));
  const attempt = (): void => trial.mutate(subject === "path" ? { ownership: draft, path } : { ownership: draft, issue });
  const stale = trial.variables !== undefined && trial.variables.ownership !== draft;
  return (
    <Panel title="Try the rules">
      <Form className="formbody" onSubmit={attempt}>
        <p className="muted">See who would get an issue by the rules above, before they are saved. Nothing is kept.</p>
        <div className="formgrid">
          <Select label="What" value={subject} options={SUBJECTS} onChange={(event) => setSubject(event.target.value as Subject)} />
          {subject === "path"
            ? <Input label="File" className="mono" value={path} maxLength={1024} placeholder="src/checkout/cart.py" autoComplete="off" spellCheck={false} error={trial.wrong("path")} onChange={(event) => setPath(event.target.value)} />
            : <Input label="Issue" value={issue} maxLength={64} placeholder={`${project.prefix}-1`} autoComplete="off" spellCheck={false} error={trial.wrong("issue")} onChange={(event) => setIssue(event.target.value)} />}
        </div>
        <Mistakes problem={trial.problem} except={["path", "issue"]} />
        <Button type="submit" busy={trial.isPending}>Try</Button>
      </Form>
      {trial.data !== undefined && <Outcome trial={trial.data} stale={stale} />}
    </Panel>
  );
}

function Outcome({ trial: { decision, issue }, stale }: { trial: OwnershipTrial; stale: boolean }) {
  const { matched, choice, passed_over: passed } = decision;
  return (
    <div className="trial" aria-live="polite">
      <div className="pad prose">
        {stale && <p role="status">The rules have changed since: try again.</p>}
        {issue !== null && issue !== undefined && <p>The latest event of <Link to={`/issues/${issue.short_id}`}>{issue.short_id}</Link> <Untrusted limit={120}>{issue.title}</Untrusted></p>}
        <p>
          {choice === null || choice === undefined
            ? <strong>Nobody would get it.</strong>
            : <><strong><Untrusted limit={100}>{choice.name}</Untrusted> would get it</strong>: <Untrusted limit={700}>{choice.reason}</Untrusted>.</>}
        </p>
        <p className="muted">{matched === null || matched === undefined ? "No rule matches." : <>What counts is <Untrusted limit={700}>{matched.says}</Untrusted>.</>}</p>
        {passed.length > 0 && <ul>{passed.map((why) => <li key={why}><Untrusted limit={300}>{why}</Untrusted></li>)}</ul>}
      </div>
    </div>
  );
}
