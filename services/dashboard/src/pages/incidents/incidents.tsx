import { Link } from "react-router-dom";
import { useIncidents, usePolicies, useRoutingRules } from "../../api/oncall.ts";
import { useProjects } from "../../api/queries.ts";
import type { Incident, IncidentState } from "../../api/types.ts";
import { useFilter, useTitle } from "../../lib/hooks.ts";
import { Button, Empty, Failure, Page, PriorityBadge, Skeleton } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { Holder, IncidentBadge, Next, TimeLeft } from "./parts.tsx";

function Row({ incident }: { incident: Incident }) {
  const project = useProjects().data?.find((p) => p.id === incident.project)?.name;
  const policy = usePolicies().data?.find((p) => p.id === incident.policy)?.name;
  return (
    <li className="incidentrow">
      <IncidentBadge incident={incident} />
      <div className="grow">
        <Link className="rowtitle" to={`/incidents/${incident.id}`}><Untrusted limit={200}>{incident.title}</Untrusted></Link>
        <div className="rowmeta">
          {incident.short_id !== null && <Link className="shortid" to={`/issues/${incident.short_id}`}>{incident.short_id}</Link>}
          <PriorityBadge priority={incident.priority} />
          <TimeLeft incident={incident} />
          {incident.opened_by !== null && <span className="muted"><Untrusted limit={64}>{incident.opened_by}</Untrusted></span>}
          {incident.project !== null && <span className="muted">{project ?? `project ${incident.project}`}</span>}
          <span className="muted">{policy ?? "policy removed"}</span>
        </div>
      </div>
      <div className="incidentwho">
        <strong><Holder incident={incident} /></strong>
        <div className="muted"><Next incident={incident} /></div>
      </div>
      <div className="incidentage muted">opened <Time at={incident.triggered_at} /></div>
    </li>
  );
}

const EMPTY: Record<string, [string, string]> = {
  triggered: ["Nothing waits for an answer", "An incident is opened when an issue matches a routing rule."],
  acknowledged: ["Nobody deals with an incident", ""],
  resolved: ["No incident has ended yet", ""],
};

function Incidents({ state, title }: { state: IncidentState | null; title: string }) {
  const [project] = useFilter("project");
  const list = useIncidents({ state, project });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [nothing, why] = EMPTY[state ?? ""] ?? ["There was no incident yet", "An incident is opened when an issue matches a routing rule."];
  return (
    <section className="panel" aria-label={title}>
      <header><h2>{title}</h2>{list.isSuccess && <span className="muted">{items.length}{list.hasNextPage ? "+" : ""}</span>}</header>
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && <p className="pad muted">{nothing}. {why}</p>}
      <ul className="rows">{items.map((incident) => <Row key={incident.id} incident={incident} />)}</ul>
      {list.hasNextPage && <p className="pad"><Button onClick={() => void list.fetchNextPage()} busy={list.isFetchingNextPage}>Older</Button></p>}
    </section>
  );
}

const FILTERS = [["", "Open"], ["triggered", "Triggered"], ["acknowledged", "Acknowledged"], ["resolved", "Resolved"], ["all", "All"]] as const;

/** Without rules nothing is ever opened, which is no good news. */
function Unrouted() {
  return (
    <Empty icon="incidents" title="Nothing opens an incident yet" action={<Link className="button" to="/on-call?tab=rules">Set it up</Link>}>
      A routing rule says which issues open one, and by which escalation policy people are paged for it.
    </Empty>
  );
}

export default function IncidentsPage() {
  useTitle("Incidents");
  const [state, setState] = useFilter("state");
  const rules = useRoutingRules();
  const known = FILTERS.find(([id]) => id === state)?.[0] ?? "";
  return (
    <Page title="Incidents" lead="What somebody must answer: whoever is on call is paged until they do.">
      <div className="listbar">
        <div className="segments" role="group" aria-label="State">
          {FILTERS.map(([id, label]) => (
            <button key={id} type="button" aria-pressed={known === id} onClick={() => setState(id === "" ? null : id)}>{label}</button>
          ))}
        </div>
      </div>
      {known === "" ? (
        <>
          <Incidents state="triggered" title="Nobody has answered" />
          <Incidents state="acknowledged" title="Somebody deals with it" />
        </>
      ) : (
        <Incidents state={known === "all" ? null : known} title={FILTERS.find(([id]) => id === known)?.[1] ?? ""} />
      )}
      {rules.data?.length === 0 && <Unrouted />}
    </Page>
  );
}
