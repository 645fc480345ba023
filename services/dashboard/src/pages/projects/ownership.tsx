import { useState } from "react";
import { call } from "../../api/client.ts";
import { useOwnership } from "../../api/ownership.ts";
import type { Ownership, OwnershipMatch, OwnershipRule } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Check, Failure, Form, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Mistakes, moved, Order, replaced, without } from "../oncall/parts.tsx";
import { CodeownersPanel } from "./codeowners.tsx";
import { Owners } from "./owners.tsx";
import { Save, type Props } from "./settings.tsx";
import { TryOwnership } from "./tryownership.tsx";

/** What people write: all but the imported file. */
export type Draft = Omit<Ownership, "codeowners">;

const MATCHES = [["path", "File"], ["module", "Module or class"], ["url", "URL of the request"], ["tag", "Tag"]] as const satisfies readonly (readonly [OwnershipMatch, string])[];
const EXAMPLES: Record<OwnershipMatch, string> = { path: "src/checkout/**", module: "shop.checkout.*", url: "*/checkout/*", tag: "pay*" };
const NEW_RULE: OwnershipRule = { match: "path", pattern: "", owners: [] };
const MOST_RULES = 200;

interface RuleProps { rule: OwnershipRule; index: number; count: number; team: number | undefined; disabled: boolean; set: (rule: OwnershipRule) => void; move: (by: -1 | 1) => void; remove: () => void }

function Rule({ rule, index, count, team, disabled, set, move, remove }: RuleProps) {
  const number = index + 1;
  const match = (next: OwnershipMatch): void => set({ match: next, pattern: rule.pattern, owners: rule.owners ?? [], ...(next === "tag" ? { tag: rule.tag ?? "" } : {}) });
  return (
    <fieldset className="formpart">
      <legend>Rule {number}</legend>
      {!disabled && <Order what={`rule ${number}`} index={index} count={count} move={move} remove={remove} />}
      <div className="formgrid">
        <Select label="Looks at" value={rule.match} options={MATCHES} disabled={disabled} onChange={(event) => match(event.target.value as OwnershipMatch)} />
        {rule.match === "tag" && <Input label="Name of the tag" value={rule.tag ?? ""} maxLength={200} disabled={disabled} onChange={(event) => set({ ...rule, tag: event.target.value })} />}
        <Input label="Pattern" className="mono" value={rule.pattern} maxLength={512} placeholder={EXAMPLES[rule.match]} autoComplete="off" spellCheck={false} disabled={disabled} onChange={(event) => set({ ...rule, pattern: event.target.value })} />
      </div>
      <Owners label={`Owners by rule ${number}`} team={team} owners={rule.owners ?? []} disabled={disabled} onChange={(owners) => set({ ...rule, owners })} />
    </fieldset>
  );
}

function Editor({ project, manage, ownership }: Props & { ownership: Ownership }) {
  const { codeowners, ...kept } = ownership;
  const [draft, setDraft] = useState<Draft>(kept);
  const set = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const { rules, otherwise } = draft;
  const team = project.team?.id;
  const disabled = !manage;
  const save = useChange(() => call("PUT", `/projects/${project.id}/ownership`, { body: draft }), { touches: ["ownership"], done: "Saved" });
  return (
    <>
      <Form className="longform" onSubmit={() => save.mutate(undefined)}>
        <Panel title="Who owns what" actions={manage ? <Button small icon="plus" disabled={rules.length >= MOST_RULES} onClick={() => set({ rules: [...rules, NEW_RULE] })}>Add a rule</Button> : null}>
          <div className="formbody">
            <p className="muted">A new issue, or one that has come back and is nobody’s, goes to the owners by the <strong>last</strong> rule that matches: to the first of them who is there. <code>*</code> is anything; in a file it stops at <code>/</code>, and <code>**</code> is any number of folders.</p>
            {rules.map((rule, index) => (
              <Rule
                key={index} rule={rule} index={index} count={rules.length} team={team} disabled={disabled} set={(next) => set({ rules: replaced(rules, index, next) })}
                move={(by) => set({ rules: moved(rules, index, by) })} remove={() => set({ rules: without(rules, index) })}
              />
            ))}
            {rules.length === 0 && <p>No rules yet.</p>}
          </div>
        </Panel>
        <Panel title="When no rule gives it to anybody">
          <div className="formbody">
            <Check label="Give it to whoever is on call" help="By the first schedule of the policy that the project's routing rule leads to" checked={otherwise.on_call} disabled={disabled} onChange={(event) => set({ otherwise: { ...otherwise, on_call: event.target.checked } })} />
            <Check label="Else to who has least to do" help="Of the team: open issues by priority, open incidents, and time on call" checked={otherwise.least_loaded} disabled={disabled} onChange={(event) => set({ otherwise: { ...otherwise, least_loaded: event.target.checked } })} />
            <div className="formgrid">
              <Input label="Paths of frames begin with" className="mono" value={draft.stack_root} maxLength={256} placeholder="/app/" help="For CODEOWNERS: this is taken off…" disabled={disabled} onChange={(event) => set({ stack_root: event.target.value })} />
              <Input label="In the repository that is" className="mono" value={draft.source_root} maxLength={256} placeholder="services/shop/" help="… and this put there in its place" disabled={disabled} onChange={(event) => set({ source_root: event.target.value })} />
            </div>
            <Mistakes problem={save.problem} />
            <Save manage={manage} busy={save.isPending} />
          </div>
        </Panel>
      </Form>
      <TryOwnership project={project} draft={draft} />
      <CodeownersPanel project={project} manage={manage} imported={codeowners ?? null} />
    </>
  );
}

/** Who owns what of a project. */
export function OwnershipTab({ project, manage }: Props) {
  const ownership = useOwnership(project.id);
  if (ownership.isPending) return <Skeleton />;
  if (ownership.isError) return <Failure error={ownership.error} retry={() => void ownership.refetch()} />;
  return <Editor key={project.id} project={project} manage={manage} ownership={ownership.data} />;
}
