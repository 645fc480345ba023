import { Link, useParams } from "react-router-dom";
import { useIncident, useNames, usePolicies } from "../../api/oncall.ts";
import { useProjects } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Incident } from "../../api/types.ts";
import { useTitle } from "../../lib/hooks.ts";
import { neutralise } from "../../lib/text.ts";
import { Failure, Panel, PriorityBadge, Skeleton, Tag } from "../../ui/kit.tsx";
import { Copy, SafeLink, Time, Untrusted } from "../../ui/text.tsx";
import { Actions } from "./actions.tsx";
import { Holder, IncidentBadge, Next, TimeLeft } from "./parts.tsx";
import { Pages, Timeline } from "./timeline.tsx";
import { isMerged, isSilenced } from "./words.ts";

function Head({ incident, may }: { incident: Incident; may: boolean }) {
  return (
    <header className="issuehead">
      <nav className="trail" aria-label="Where this is">
        <Link to="/incidents">Incidents</Link>
        <span aria-hidden="true">/</span>
        <span className="shortid">#{incident.id}</span>
        <Copy text={`${window.location.origin}/incidents/${incident.id}`} label="Copy link" />
      </nav>
      <div className="headmain">
        <h1><Untrusted limit={300}>{incident.title}</Untrusted></h1>
        <div className="rowmeta">
          <IncidentBadge incident={incident} />
          <PriorityBadge priority={incident.priority} />
          {incident.flapping && !isSilenced(incident) && <Tag>flapping</Tag>}
          <TimeLeft incident={incident} />
          <span className="muted"><Next incident={incident} /></span>
        </div>
      </div>
      {may && incident.state !== "resolved" && <Actions incident={incident} />}
    </header>
  );
}

/** Who was asked to help, and whether they do. */
function Responders({ incident }: { incident: Incident }) {
  const name = useNames();
  return (
    <ul>
      {incident.responders.map((one) => (
        <li key={one.user}><Untrusted limit={60}>{name(one.user)}</Untrusted> <span className="muted">{one.joined_at === null ? <>asked <Time at={one.requested_at} /></> : <>helps since <Time at={one.joined_at} /></>}</span></li>
      ))}
    </ul>
  );
}

function Facts({ incident }: { incident: Incident }) {
  const project = useProjects().data?.find((p) => p.id === incident.project)?.name;
  const policy = usePolicies().data?.find((p) => p.id === incident.policy);
  return (
    <Panel title="About it">
      <dl className="facts side">
        {incident.origin === "issue" && <div><dt>Issue</dt><dd>{incident.short_id === null ? "was deleted" : <Link to={`/issues/${incident.short_id}`}>{incident.short_id}</Link>}</dd></div>}
        {incident.opened_by !== null && <div><dt>{incident.origin === "alert" ? "Alert from" : "Opened by"}</dt><dd><Untrusted limit={128}>{incident.opened_by}</Untrusted></dd></div>}
        {incident.alerts > 1 && <div><dt>Alerts</dt><dd>{incident.alerts}</dd></div>}
        {incident.project !== null && <div><dt>Project</dt><dd>{project === undefined ? `project ${incident.project}` : <Link to={`/issues?project=${encodeURIComponent(project)}`}>{project}</Link>}</dd></div>}
        <div><dt>Opened</dt><dd><Time at={incident.triggered_at} /></dd></div>
        {incident.respond_by !== null && <div><dt>To be answered by</dt><dd><Time at={incident.respond_by} /></dd></div>}
        <div><dt>Who has it</dt><dd><Holder incident={incident} /></dd></div>
        {incident.responders.length > 0 && <div><dt>Asked to help</dt><dd><Responders incident={incident} /></dd></div>}
        {incident.acknowledged_at !== null && <div><dt>Since</dt><dd><Time at={incident.acknowledged_at} /></dd></div>}
        {isMerged(incident) && <div><dt>Part of</dt><dd><Link to={`/incidents/${incident.merged_into}`}>#{incident.merged_into}</Link></dd></div>}
        {incident.resolved_at !== null && <div><dt>{isMerged(incident) ? "Merged" : "Resolved"}</dt><dd><Time at={incident.resolved_at} /> {incident.resolved_by === null ? `with its ${incident.origin === "issue" ? "issue" : "alert"}` : <>by <Untrusted limit={60}>{incident.resolved_by}</Untrusted></>}</dd></div>}
        <div>
          <dt>Policy</dt>
          <dd>
            {policy === undefined ? "was removed" : <Link to="/on-call?tab=policies"><Untrusted limit={64}>{policy.name}</Untrusted></Link>}
            {policy !== undefined && policy.version !== incident.policy_version && <div className="muted">as it was in version {incident.policy_version}</div>}
          </dd>
        </div>
        {incident.repeated > 0 && <div><dt>Repeated</dt><dd>{incident.repeated === 1 ? "once" : `${incident.repeated} times`}</dd></div>}
      </dl>
    </Panel>
  );
}

/** What an alert or a person says of it; an issue has a page of its own. */
function Said({ incident }: { incident: Incident }) {
  const labels = Object.entries(incident.labels);
  if (incident.message === null && labels.length === 0 && incident.links.length === 0) return null;
  return (
    <Panel title="What it says">
      {incident.message !== null && <blockquote className="comment"><Untrusted limit={10_000}>{incident.message}</Untrusted></blockquote>}
      {labels.length > 0 && (
        <dl className="facts side">
          {labels.map(([name, value]) => <div key={name}><dt><Untrusted limit={128}>{name}</Untrusted></dt><dd><Untrusted limit={1024}>{value}</Untrusted></dd></div>)}
        </dl>
      )}
      {incident.links.length > 0 && (
        <ul className="pad">
          {incident.links.map((link) => <li key={link.url}>{link.text !== undefined && link.text !== null && <><Untrusted limit={100}>{link.text}</Untrusted>: </>}<SafeLink href={link.url} /></li>)}
        </ul>
      )}
    </Panel>
  );
}

export default function IncidentPage() {
  const { id = "" } = useParams();
  const incident = useIncident(id);
  const session = useSession();
  useTitle(incident.data === undefined ? `Incident ${id}` : `Incident ${id}: ${neutralise(incident.data.title).slice(0, 80)}`);
  if (incident.isPending) return <Skeleton rows={8} height={56} />;
  if (incident.data === undefined) return <Failure whole error={incident.error} retry={() => void incident.refetch()} />;
  const may = accessTo(session, incident.data.team).triage;
  return (
    <>
      <Head incident={incident.data} may={may} />
      <div className="issuebody">
        <div className="issuemain">
          <Said incident={incident.data} />
          <Timeline incident={incident.data} may={may} />
          <Pages incident={incident.data} />
        </div>
        <aside className="issueside" aria-label="About the incident"><Facts incident={incident.data} /></aside>
      </div>
    </>
  );
}
