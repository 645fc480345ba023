import { useState } from "react";
import { call } from "../../api/client.ts";
import { usePolicies } from "../../api/oncall.ts";
import { useProjects } from "../../api/queries.ts";
import type { AlertSource, AlertSourceKind, Priority } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Dialog, Form, Input, Select } from "../../ui/kit.tsx";
import { Mistakes, useManaged } from "./parts.tsx";
import { kindName, SOURCE_KINDS } from "./receivers.ts";

const PRIORITIES = ["critical", "high", "medium", "low"] as const satisfies readonly Priority[];

/** An alert source, new or to be changed. A new one's key comes with `onMade`. */
export function SourceDialog({ source, onClose, onMade }: { source: AlertSource | null; onClose: () => void; onMade: (made: AlertSource) => void }) {
  const managed = useManaged();
  const policies = (usePolicies().data ?? []).filter((one) => (source === null ? managed.some((team) => team.id === one.team) : one.team === source.team));
  const [name, setName] = useState(source?.name ?? "");
  const [kind, setKind] = useState<AlertSourceKind>(source?.kind ?? "alertmanager");
  const [policy, setPolicy] = useState(source?.policy ?? policies[0]?.id);
  const team = policies.find((one) => one.id === policy)?.team;
  const projects = (useProjects().data ?? []).filter((one) => one.team?.id === team);
  const [project, setProject] = useState<number | null>(source?.project ?? null);
  const [priority, setPriority] = useState<Priority>(source?.default_priority ?? "high");
  // Of a new one another policy may mean another team, whose project the chosen one is not.
  const isTheTeams = source !== null || projects.some((one) => one.id === project);
  const content = { name, policy, project: isTheTeams ? project : null, default_priority: priority };
  const save = useChange(
    () => (source === null ? call<AlertSource>("POST", "/alert-sources", { body: { ...content, team, kind } }) : call<AlertSource>("PATCH", `/alert-sources/${source.id}`, { body: content })),
    { touches: ["alert-sources"], ...(source === null ? {} : { done: "Saved" }) },
  );
  const saved = (made: AlertSource): void => {
    onClose();
    if (source === null) onMade(made);
  };
  return (
    <Dialog title={source === null ? "New alert source" : "Edit the alert source"} onClose={onClose}>
      <Form onSubmit={() => save.mutate(undefined, { onSuccess: saved })}>
        <Input label="Name" value={name} maxLength={64} onChange={(event) => setName(event.target.value)} error={save.wrong("name")} placeholder="prometheus" required />
        {source === null ? (
          <Select label="What it is" value={kind} onChange={(event) => setKind(event.target.value as AlertSourceKind)} options={SOURCE_KINDS} error={save.wrong("kind")} />
        ) : (
          <p className="muted">{kindName(source.kind)}. What it is cannot be changed.</p>
        )}
        <Select label="Escalation policy" value={String(policy ?? "")} onChange={(event) => setPolicy(Number(event.target.value))} options={policies.map((one) => [String(one.id), one.name] as const)} error={save.wrong("policy")} help="By which people are paged for its alerts" />
        <Select label="What its alerts are about" value={String(project ?? "")} onChange={(event) => setProject(event.target.value === "" ? null : Number(event.target.value))} options={[["", "The team as such"], ...projects.map((one) => [String(one.id), one.name] as const)]} error={save.wrong("project")} />
        <Select label="Priority of alerts that do not say" value={priority} onChange={(event) => setPriority(event.target.value as Priority)} options={PRIORITIES.map((one) => [one, one] as const)} error={save.wrong("default_priority")} />
        <Mistakes problem={save.problem} except={["name", "kind", "policy", "project", "default_priority"]} />
        <div className="dialogactions"><Button type="submit" look="primary" busy={save.isPending} disabled={policy === undefined || name.trim() === ""}>{source === null ? "Make it" : "Save"}</Button></div>
      </Form>
    </Dialog>
  );
}
