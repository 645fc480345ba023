import { Link } from "react-router-dom";
import { useIncidentOf } from "../../api/oncall.ts";
import type { Issue } from "../../api/types.ts";
import { Icon } from "../../ui/icons.tsx";
import { Holder, IncidentBadge, Next } from "../incidents/parts.tsx";

/** That somebody is paged for the issue right now. */
export function OpenIncident({ issue }: { issue: Issue }) {
  const incident = useIncidentOf(issue.id).data;
  if (incident === undefined || incident === null || incident.state === "resolved") return null;
  return (
    <p className={`incidentstrip ${incident.state}`}>
      <Icon name="incidents" />
      <Link to={`/incidents/${incident.id}`}>Incident #{incident.id}</Link>
      <IncidentBadge incident={incident} />
      <span>{incident.state === "triggered" && incident.assigned_user === null ? "nobody has answered yet" : <Holder incident={incident} />}</span>
      <span className="muted"><Next incident={incident} /></span>
    </p>
  );
}
