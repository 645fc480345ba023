import { Link } from "react-router-dom";
import { useNames, usePolicies } from "../../api/oncall.ts";
import type { Incident } from "../../api/types.ts";
import { useNow } from "../../lib/hooks.ts";
import { absolute } from "../../lib/time.ts";
import { Time, Untrusted } from "../../ui/text.tsx";
import { isMerged, isSilenced, isSnoozed, silencedAs, timeLeft } from "./words.ts";

export function IncidentBadge({ incident }: { incident: Incident }) {
  const state = isSnoozed(incident) ? "snoozed" : isSilenced(incident) ? silencedAs(incident) : isMerged(incident) ? "merged" : incident.state;
  return <span className={`tag incident ${state}`}>{state}</span>;
}

/** Who deals with it, or whom it was given to. */
export function Holder({ incident }: { incident: Incident }) {
  const name = useNames();
  if (incident.acknowledged_by !== null) return <Untrusted limit={60}>{incident.acknowledged_by}</Untrusted>;
  if (incident.assigned_user !== null) return <Untrusted limit={60}>{name(incident.assigned_user)}</Untrusted>;
  return <>nobody yet</>;
}

/** When what keeps it silent ends. */
function Quiet({ incident }: { incident: Incident }) {
  const how = silencedAs(incident);
  if (how === "inhibited") return <>Inhibited by <Link to={`/incidents/${incident.inhibited_by}`}>#{incident.inhibited_by}</Link>; the policy begins when that ends</>;
  return <>{how === "flapping" ? "Flapping" : "Silenced"}; the policy begins <Time at={incident.silenced_until} /></>;
}

/** How long an incident that nobody has answered has to be answered. */
export function TimeLeft({ incident }: { incident: Incident }) {
  const now = useNow();
  if (incident.state !== "triggered" || incident.respond_by === null) return null;
  const { overdue, text } = timeLeft(incident.respond_by, now);
  return <span className={`tag timeleft ${overdue ? "overdue" : ""}`} title={`To be answered by ${absolute(incident.respond_by)}`}>{text}</span>;
}

/** What comes next by itself. */
export function Next({ incident }: { incident: Incident }) {
  const policy = usePolicies().data?.find((one) => one.id === incident.policy)?.content;
  if (isMerged(incident)) return <>Part of #{incident.merged_into} since <Time at={incident.resolved_at} /></>;
  if (incident.state === "resolved") return <>Ended <Time at={incident.resolved_at} /></>;
  if (isSnoozed(incident)) return <>Snoozed; the policy begins again <Time at={incident.snoozed_until} /></>;
  if (incident.state === "acknowledged") return incident.next_at === null ? <>Nobody else is paged</> : <>The acknowledgement times out <Time at={incident.next_at} /></>;
  if (isSilenced(incident)) return <Quiet incident={incident} />;
  if (incident.next_at === null) return <>All steps are done, and nobody has answered</>;
  if (policy !== undefined && incident.next_step > policy.steps.length) return <>{incident.repeated < policy.repeat ? "Begins again at step 1" : "The time of the last step is over"} <Time at={incident.next_at} /></>;
  return <>Step {incident.next_step} comes <Time at={incident.next_at} /></>;
}
