import { useState } from "react";
import { call } from "../../api/client.ts";
import { usePolicies } from "../../api/oncall.ts";
import { useProjects } from "../../api/queries.ts";
import type { Priority, RoutingRule, SignalKind, TagMatcher } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Check, Dialog, Form, IconButton, Input, Select } from "../../ui/kit.tsx";
import { SIGNALS } from "../incidents/words.ts";
import { Mistakes, PRIORITIES, replaced, useManaged, without } from "./parts.tsx";

/** Tags that a rule may have. */
const MAX_TAGS = 10;

function Tags({ tags, set }: { tags: TagMatcher[]; set: (tags: TagMatcher[]) => void }) {
  return (
    <fieldset>
      <legend>Only events with these tags</legend>
      <p className="muted">All of them. * stands for anything in a value, and case does not matter.</p>
      {tags.map((one, index) => {
        const change = (part: Partial<TagMatcher>): void => set(replaced(tags, index, { ...one, ...part }));
        return (
          <div key={index} className="tagmatcher">
            <input aria-label={`Name of tag ${index + 1}`} value={one.key} maxLength={200} onChange={(event) => change({ key: event.target.value })} placeholder="area" />
            <input aria-label={`Value of tag ${index + 1}`} value={one.value} maxLength={200} onChange={(event) => change({ value: event.target.value })} placeholder="pay*" />
            <IconButton icon="trash" label={`Remove tag ${index + 1}`} onClick={() => set(without(tags, index))} />
          </div>
        );
      })}
      <Button small icon="plus" disabled={tags.length >= MAX_TAGS} onClick={() => set([...tags, { key: "", value: "" }])}>Add a tag</Button>
    </fieldset>
  );
}

/** A routing rule, new or to be changed. */
export function RuleDialog({ rule, place, onClose }: { rule: RoutingRule | null; place: number; onClose: () => void }) {
  const managed = useManaged();
  const policies = (usePolicies().data ?? []).filter((policy) => (rule === null ? managed.some((team) => team.id === policy.team) : policy.team === rule.team));
  const [policy, setPolicy] = useState(rule?.policy ?? policies[0]?.id);
  const team = policies.find((one) => one.id === policy)?.team;
  const projects = (useProjects().data ?? []).filter((project) => project.team?.id === team);
  const [project, setProject] = useState<number | null>(rule?.project ?? null);
  const [priority, setPriority] = useState<Priority>(rule?.min_priority ?? "high");
  const [environments, setEnvironments] = useState(rule?.environments.join(", ") ?? "");
  const [kinds, setKinds] = useState<SignalKind[]>(rule?.kinds ?? []);
  const [tags, setTags] = useState<TagMatcher[]>(rule?.tags ?? []);
  const save = useChange(
    () => {
      const names = environments.split(",").map((one) => one.trim()).filter((one) => one !== "");
      const body = { team, place, policy, project: projects.some((one) => one.id === project) ? project : null, min_priority: priority, environments: names, kinds, tags, enabled: rule?.enabled ?? true };
      return call(rule === null ? "POST" : "PUT", rule === null ? "/routing-rules" : `/routing-rules/${rule.id}`, { body });
    },
    { touches: ["routing-rules"], done: rule === null ? "The rule is added" : "Saved" },
  );
  const toggle = (kind: SignalKind, on: boolean): void => setKinds(on ? [...kinds, kind] : kinds.filter((one) => one !== kind));
  return (
    <Dialog title={rule === null ? "New routing rule" : "Edit the routing rule"} onClose={onClose} wide>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}>
        <Select label="Escalation policy" value={String(policy ?? "")} onChange={(event) => setPolicy(Number(event.target.value))} options={policies.map((one) => [String(one.id), one.name] as const)} error={save.wrong("policy")} help="By which people are paged" />
        <Select label="Project" value={String(project ?? "")} onChange={(event) => setProject(event.target.value === "" ? null : Number(event.target.value))} options={[["", "Every project of the team"], ...projects.map((one) => [String(one.id), one.name] as const)]} error={save.wrong("project")} />
        <Select label="From which priority on" value={priority} onChange={(event) => setPriority(event.target.value as Priority)} options={PRIORITIES} error={save.wrong("min_priority")} />
        <Input label="Only these environments" value={environments} onChange={(event) => setEnvironments(event.target.value)} placeholder="all" help="Separated by commas" error={save.wrong("environments")} />
        <Tags tags={tags} set={setTags} />
        <fieldset>
          <legend>Only these signals</legend>
          <p className="muted">None means all.</p>
          <div className="checks-two">
            {SIGNALS.map(([kind, label]) => <Check key={kind} label={label} checked={kinds.includes(kind)} onChange={(event) => toggle(kind, event.target.checked)} />)}
          </div>
        </fieldset>
        <Mistakes problem={save.problem} except={["policy", "project", "min_priority", "environments"]} />
        <div className="dialogactions"><Button type="submit" look="primary" busy={save.isPending} disabled={policy === undefined}>{rule === null ? "Add the rule" : "Save"}</Button></div>
      </Form>
    </Dialog>
  );
}
