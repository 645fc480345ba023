import { useState } from "react";
import { call } from "../../api/client.ts";
import { usePolicies, useRoutingRules } from "../../api/oncall.ts";
import { useProjects, useTeams } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { RoutingRule } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Empty, Failure, IconButton, Panel, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { signalName } from "../incidents/words.ts";
import { tagsText } from "./matchers.ts";
import { moved, Order, PRIORITIES, useManaged } from "./parts.tsx";
import { RuleDialog } from "./ruledialog.tsx";

/** What a rule is for the server, with one thing or another changed. */
const bodyOf = ({ place, project, environments, kinds, tags, min_priority, policy, enabled }: RoutingRule) => ({ place, project, environments, kinds, tags, min_priority, policy, enabled });

/** "New issue, of checkout in production, with area=pay*". */
function Conditions({ rule }: { rule: RoutingRule }) {
  const project = useProjects().data?.find((p) => p.id === rule.project)?.name;
  const kinds = rule.kinds.length === 0 ? "Anything" : rule.kinds.map((kind, index) => (index === 0 ? signalName(kind) : signalName(kind).toLowerCase())).join(", ");
  const where = rule.project === null ? "any project" : (project ?? `project ${rule.project}`);
  const environments = rule.environments.length === 0 ? "" : ` in ${rule.environments.join(", ")}`;
  const tags = rule.tags.length === 0 ? "" : `, with ${tagsText(rule.tags)}`;
  return <Untrusted limit={600}>{`${kinds}, of ${where}${environments}${tags}`}</Untrusted>;
}

function Row({ rule, index, count, manage, move, edit }: { rule: RoutingRule; index: number; count: number; manage: boolean; move: (by: -1 | 1) => void; edit: () => void }) {
  const policy = usePolicies().data?.find((p) => p.id === rule.policy)?.name ?? `policy ${rule.policy}`;
  const path = `/routing-rules/${rule.id}`;
  const set = useChange((enabled: boolean) => call("PUT", path, { body: { ...bodyOf(rule), enabled } }), { touches: ["routing-rules"] });
  const remove = useChange(() => call("DELETE", path), { touches: ["routing-rules"], done: "The rule is removed" });
  const priority = PRIORITIES.find(([id]) => id === rule.min_priority)?.[1] ?? "";
  return (
    <li className={rule.enabled ? "" : "off"}>
      <span className="place-number" aria-hidden="true">{index + 1}</span>
      <div className="grow">
        <strong><Conditions rule={rule} /></strong>
        <div className="muted">{priority === "Everything" ? "Every priority" : priority} → <Untrusted limit={64}>{policy}</Untrusted>{!rule.enabled && " · switched off"}</div>
      </div>
      {manage && (
        <>
          <Order what={`rule ${index + 1}`} index={index} count={count} move={move} />
          <Button small onClick={() => set.mutate(!rule.enabled)} busy={set.isPending} aria-label={`Switch ${rule.enabled ? "off" : "on"} rule ${index + 1}`}>{rule.enabled ? "Switch off" : "Switch on"}</Button>
          <IconButton icon="edit" label={`Edit rule ${index + 1}`} onClick={edit} />
          <Confirm title="Remove the routing rule?" action="Remove" onConfirm={() => remove.mutate(undefined)} body="What it would have matched goes to the next rule that matches, or opens no incident. Incidents that it opened go on.">
            {(ask) => <IconButton icon="trash" label={`Remove rule ${index + 1}`} onClick={ask} />}
          </Confirm>
        </>
      )}
    </li>
  );
}

/** The rules of a team, in the order in which they are looked at. */
function OfTeam({ name, rules, manage }: { name: string; rules: RoutingRule[]; manage: boolean }) {
  const [editing, setEditing] = useState<RoutingRule | null>(null);
  // Only those whose place changes are written.
  const reorder = useChange(
    async (order: RoutingRule[]) => {
      for (const [place, rule] of order.entries()) if (rule.place !== place + 1) await call("PUT", `/routing-rules/${rule.id}`, { body: { ...bodyOf(rule), place: place + 1 } });
    },
    { touches: ["routing-rules"] },
  );
  return (
    <Panel title={name}>
      <ol className="rows" aria-busy={reorder.isPending}>
        {rules.map((rule, index) => (
          <Row key={rule.id} rule={rule} index={index} count={rules.length} manage={manage} edit={() => setEditing(rule)} move={(by) => !reorder.isPending && reorder.mutate(moved(rules, index, by))} />
        ))}
      </ol>
      {editing !== null && <RuleDialog rule={editing} place={editing.place} onClose={() => setEditing(null)} />}
    </Panel>
  );
}

export function Rules() {
  const rules = useRoutingRules();
  const policies = usePolicies();
  const teams = useTeams().data ?? [];
  const session = useSession();
  const managed = useManaged();
  const [adding, setAdding] = useState(false);
  if (rules.isPending) return <Skeleton />;
  if (rules.isError) return <Failure error={rules.error} retry={() => void rules.refetch()} />;
  if (rules.data === null) return <Panel><Absent what="On-call" /></Panel>;
  const all = rules.data;
  const some = policies.data?.some((policy) => managed.some((team) => team.id === policy.team)) === true;
  const add = managed.length > 0 ? <Button icon="plus" disabled={!some} onClick={() => setAdding(true)}>New rule</Button> : null;
  const owners = [...new Set(all.map((rule) => rule.team))];
  return (
    <>
      {all.length === 0 ? (
        <Panel>
          <Empty icon="oncall" title="No routing rules yet" action={add}>
            {some || managed.length === 0 ? "Without one no incident is opened, and nobody is paged. The first rule that matches counts." : "Make an escalation policy first: a rule leads to one."}
          </Empty>
        </Panel>
      ) : (
        <div className="tabbar"><p className="muted">The first rule that matches counts.</p>{add}</div>
      )}
      {owners.map((owner) => (
        <OfTeam key={owner} name={teams.find((team) => team.id === owner)?.name ?? `Team ${owner}`} rules={all.filter((rule) => rule.team === owner)} manage={accessTo(session, owner).manage} />
      ))}
      {adding && <RuleDialog rule={null} place={Math.max(0, ...all.map((rule) => rule.place)) + 1} onClose={() => setAdding(false)} />}
    </>
  );
}
