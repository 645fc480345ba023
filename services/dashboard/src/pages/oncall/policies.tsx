import { Fragment } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import { usePolicies } from "../../api/oncall.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Policy, PolicyStep, PolicyTarget } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { minutes } from "../../lib/time.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, ButtonLink, Empty, Failure, IconButton, Panel, Skeleton } from "../../ui/kit.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { restrictionText } from "./layers.ts";
import { useManaged, useTargetName } from "./parts.tsx";
import { ResponseTimes } from "./responsetimes.tsx";
import { keyOf } from "./stepform.tsx";

const ICONS = { person: "user", schedule: "oncall", team: "assign", destination: "send" } as const satisfies Record<PolicyTarget["type"], string>;

function Targets({ team, targets }: { team: number; targets: readonly PolicyTarget[] }) {
  const name = useTargetName(team);
  return (
    <ul className="targets">
      {targets.map((target) => (
        <li key={keyOf(target)} className={target.type}>
          <Icon name={ICONS[target.type]} size={14} />
          {target.type === "schedule" ? <Link to={`/on-call/schedules/${target.schedule}`}><span className="sr">whoever is on call by </span><Untrusted limit={64}>{name(target)}</Untrusted></Link> : <Untrusted limit={96}>{name(target)}</Untrusted>}
        </li>
      ))}
    </ul>
  );
}

/** When a step is left out, and whom of its people it pages. */
function Conditions({ step }: { step: PolicyStep }) {
  const { min_priority: least, hours } = step;
  return (
    <>
      {step.round_robin === true && <span className="tag">one after the other</span>}
      {least !== undefined && least !== null && least !== "low" && <span className="tag">{least === "critical" ? "critical only" : `${least} and above`}</span>}
      {hours !== undefined && hours !== null && <span className="tag">{hours.windows.map(restrictionText).join("; ")} ({hours.zone.replace(/_/g, " ")})</span>}
    </>
  );
}

/** A policy as a picture: what comes first is on top, and between the steps stands how long there is to answer. */
export function Picture({ team, content }: { team: number; content: Policy["content"] }) {
  const { steps, repeat, fallback = [], acknowledgement_timeout_minutes: timeout } = content;
  return (
    <ol className="ladder">
      {steps.map((step, index) => (
        <Fragment key={index}>
          <li className="rung">
            <span className="rungname">Step {index + 1}{index === 0 && <span className="muted"> at once</span>}</span>
            <Targets team={team} targets={step.targets} />
            <Conditions step={step} />
          </li>
          <li className="wait"><Icon name="down" size={14} /> {minutes(step.delay_minutes)} without an answer</li>
        </Fragment>
      ))}
      <li className="rung end">{repeat === 0 ? "It stays open, and nobody else is paged" : `It begins again at step 1, ${repeat === 1 ? "once" : `${repeat} times`}; then it stays open`}</li>
      {(fallback.length > 0 || (timeout !== undefined && timeout !== null)) && (
        <li className="beside">
          {fallback.length > 0 && <div><span className="muted">When no step has anybody: </span><Targets team={team} targets={fallback} /></div>}
          {timeout !== undefined && timeout !== null && <div className="muted">An acknowledgement times out after {minutes(timeout)}.</div>}
        </li>
      )}
    </ol>
  );
}

function Card({ policy, manage }: { policy: Policy; manage: boolean }) {
  const remove = useChange(() => call("DELETE", `/escalation-policies/${policy.id}`), { touches: ["policies"], done: "The policy is removed" });
  return (
    <Panel
      title={<Untrusted limit={64}>{policy.name}</Untrusted>}
      actions={manage ? (
        <div className="actions">
          <ButtonLink to={`/on-call/policies/${policy.id}/edit`} icon="edit" aria-label={`Edit the policy ${neutralise(policy.name)}`}>Edit</ButtonLink>
          <Confirm title={`Remove the policy ${neutralise(policy.name)}?`} action="Remove" onConfirm={() => remove.mutate(undefined)} body="Incidents that it opened go on by it. A policy that a routing rule leads to cannot be removed.">
            {(ask) => <IconButton icon="trash" label={`Remove the policy ${neutralise(policy.name)}`} onClick={ask} />}
          </Confirm>
        </div>
      ) : null}
    >
      <Picture team={policy.team} content={policy.content} />
      <p className="pad muted">Version {policy.version}, by <Untrusted limit={60}>{policy.updated_by}</Untrusted> <Time at={policy.updated_at} /></p>
    </Panel>
  );
}

export function Policies() {
  const policies = usePolicies();
  const session = useSession();
  const managed = useManaged();
  const add = managed.length > 0 ? <ButtonLink to="/on-call/policies/new" icon="plus">New policy</ButtonLink> : null;
  if (policies.isPending) return <Skeleton />;
  if (policies.isError) return <Failure error={policies.error} retry={() => void policies.refetch()} />;
  if (policies.data === null) return <Panel><Absent what="On-call" /></Panel>;
  return (
    <>
      {policies.data.length === 0 && <Panel><Empty icon="oncall" title="No escalation policies yet" action={add}>A policy says who is paged first, and who when nobody answers.</Empty></Panel>}
      {policies.data.length > 0 && <div className="tabbar">{add}</div>}
      <div className="policies">
        {policies.data.map((policy) => <Card key={policy.id} policy={policy} manage={accessTo(session, policy.team).manage} />)}
      </div>
      <ResponseTimes />
    </>
  );
}
