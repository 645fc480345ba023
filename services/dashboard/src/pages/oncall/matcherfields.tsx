import { useProjects } from "../../api/queries.ts";
import type { LabelMatcher, Priority } from "../../api/types.ts";
import { Button, Check, IconButton, Input, Select } from "../../ui/kit.tsx";
import { SIGNALS } from "../incidents/words.ts";
import { OPERATORS, type MatcherDraft } from "./matchers.ts";
import { replaced, without } from "./parts.tsx";

const FROM = [["", "Every priority"], ["medium", "Medium and above"], ["high", "High and above"], ["critical", "Critical only"]] as const;
const UP_TO = [["", "Every priority"], ["low", "Low only"], ["medium", "Up to medium"], ["high", "Up to high"]] as const;

function Labels({ labels, set }: { labels: LabelMatcher[]; set: (labels: LabelMatcher[]) => void }) {
  return (
    <fieldset>
      <legend>Labels of alerts</legend>
      {labels.map((one, index) => {
        const change = (part: Partial<LabelMatcher>): void => set(replaced(labels, index, { ...one, ...part }));
        return (
          <div key={index} className="labelmatcher">
            <input aria-label={`Name of label ${index + 1}`} value={one.name} onChange={(event) => change({ name: event.target.value })} placeholder="instance" />
            <select aria-label={`How label ${index + 1} is compared`} value={one.op} onChange={(event) => change({ op: event.target.value as LabelMatcher["op"] })}>
              {OPERATORS.map(([op, label]) => <option key={op} value={op}>{label}</option>)}
            </select>
            <input aria-label={`Value of label ${index + 1}`} value={one.value} onChange={(event) => change({ value: event.target.value })} placeholder={one.op.endsWith("~") ? "db[0-9]+:.*" : "db1:9100"} />
            <IconButton icon="trash" label={`Remove label ${index + 1}`} onClick={() => set(without(labels, index))} />
          </div>
        );
      })}
      <Button small icon="plus" onClick={() => set([...labels, { name: "", op: "=", value: "" }])}>Add a label</Button>
    </fieldset>
  );
}

/** What something is about; all that is given has to match. `of` is the field that it is for the server, `wrong` what that says against one. */
export function MatcherFields({ of, team, draft, set, wrong }: { of: string; team: number | undefined; draft: MatcherDraft; set: (draft: MatcherDraft) => void; wrong: (field: string) => string | undefined }) {
  const projects = (useProjects().data ?? []).filter((one) => one.team?.id === team);
  const change = (part: Partial<MatcherDraft>): void => set({ ...draft, ...part });
  const { kinds } = draft;
  return (
    <>
      <Input label="Title" value={draft.title} maxLength={256} onChange={(event) => change({ title: event.target.value })} placeholder="any" help="* stands for anything" error={wrong(`${of}.title`)} />
      <div className="formgrid">
        <Select label="Project" value={String(draft.project ?? "")} onChange={(event) => change({ project: event.target.value === "" ? null : Number(event.target.value) })} options={[["", "Every project of the team"], ...projects.map((one) => [String(one.id), one.name] as const)]} error={wrong(`${of}.project`)} />
        <Select label="From which priority on" value={draft.least} onChange={(event) => change({ least: event.target.value as Priority | "" })} options={FROM} error={wrong(`${of}.min_priority`)} />
        <Select label="Up to which priority" value={draft.most} onChange={(event) => change({ most: event.target.value as Priority | "" })} options={UP_TO} error={wrong(`${of}.max_priority`)} />
      </div>
      <Input label="Only these environments" value={draft.environments} onChange={(event) => change({ environments: event.target.value })} placeholder="all" help="Separated by commas" error={wrong(`${of}.environments`)} />
      <Labels labels={draft.labels} set={(labels) => change({ labels })} />
      <details open={kinds.length > 0}>
        <summary>Only signals of these kinds</summary>
        <div className="checks-two">
          {SIGNALS.map(([kind, label]) => <Check key={kind} label={label} checked={kinds.includes(kind)} onChange={(event) => change({ kinds: event.target.checked ? [...kinds, kind] : kinds.filter((one) => one !== kind) })} />)}
        </div>
      </details>
    </>
  );
}
