import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useNames, useSchedule } from "../../api/oncall.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Schedule } from "../../api/types.ts";
import { useTitle } from "../../lib/hooks.ts";
import { useChange } from "../../lib/mutate.ts";
import { neutralise } from "../../lib/text.ts";
import { timeZone } from "../../lib/time.ts";
import { inZone, wallOf } from "../../lib/zone.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Button, ButtonLink, Failure, Page, Panel, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { CalendarPanel } from "./calendar.tsx";
import { FeedDialog } from "./feed.tsx";
import { ImportDialog } from "./import.tsx";
import { restrictionText, rotationText } from "./layers.ts";
import { OverrideDialog, Overrides } from "./override.tsx";
import { Now } from "./schedules.tsx";
import { Spread } from "./spread.tsx";
import { Swaps } from "./swaps.tsx";

function Layers({ schedule }: { schedule: Schedule }) {
  const name = useNames();
  return (
    <Panel title="Layers">
      {schedule.layers.length === 0 && <p className="pad muted">None: only overrides put somebody on call.</p>}
      <ol className="rows layers">
        {schedule.layers.map((layer, index) => (
          <li key={index} className="column">
            <strong>Layer {index + 1}</strong>
            <div><Untrusted limit={600}>{layer.participants.map((who) => (who === null ? "(nobody)" : name(who))).join(", ")}</Untrusted></div>
            <div className="muted">{rotationText(layer.rotation)}</div>
            {(layer.restrictions ?? []).map((one) => <div key={restrictionText(one)} className="muted">only {restrictionText(one)}</div>)}
            {layer.starts !== undefined && layer.starts !== null && <div className="muted">from {inZone(layer.starts, schedule.zone)} on</div>}
            {layer.ends !== undefined && layer.ends !== null && <div className="muted">until {inZone(layer.ends, schedule.zone)}</div>}
          </li>
        ))}
      </ol>
      {schedule.layers.length > 1 && <p className="pad muted">Where a later layer has somebody, it goes before the earlier ones.</p>}
    </Panel>
  );
}

function Manage({ schedule }: { schedule: Schedule }) {
  const navigate = useNavigate();
  const remove = useChange(() => call("DELETE", `/schedules/${schedule.id}`), { touches: ["schedules"], done: "The schedule is removed" });
  return (
    <>
      <ButtonLink to={`/on-call/schedules/${schedule.id}/edit`} icon="edit">Edit</ButtonLink>
      <Confirm title={`Remove the schedule ${neutralise(schedule.name)}?`} action="Remove" onConfirm={() => remove.mutate(undefined, { onSuccess: () => navigate("/on-call") })} body="Its overrides go too. A schedule that an escalation policy asks cannot be removed.">
        {(ask) => <Button look="danger" icon="trash" onClick={ask}>Remove</Button>}
      </Confirm>
    </>
  );
}

function ZoneHint({ zone }: { zone: string }) {
  const mine = timeZone();
  if (mine === zone) return <>Times in {zone.replace(/_/g, " ")}, which is your zone too.</>;
  return <>The calendar, layers and overrides are in {zone.replace(/_/g, " ")}, where it is {wallOf(Date.now(), zone).slice(11)} now. Your zone is {mine.replace(/_/g, " ")}.</>;
}

export default function SchedulePage() {
  const { id = "" } = useParams();
  const schedule = useSchedule(id);
  const session = useSession();
  const [span, setSpan] = useState<[string, string] | null>(null);
  const [subscribing, setSubscribing] = useState(false);
  const [importing, setImporting] = useState(false);
  useTitle(schedule.data === undefined ? "Schedule" : `${neutralise(schedule.data.name)}, on call`);
  if (schedule.isPending) return <Skeleton rows={8} height={56} />;
  if (schedule.data === undefined) return <Failure whole error={schedule.error} retry={() => void schedule.refetch()} />;
  const shown = schedule.data;
  const { manage, triage } = accessTo(session, shown.team);
  const today = wallOf(Date.now(), shown.zone).slice(0, 10);
  return (
    <>
      <nav className="trail" aria-label="Where this is"><Link to="/on-call">On call</Link><span aria-hidden="true">/</span><span>Schedule</span></nav>
      <Page title={<Untrusted limit={64}>{shown.name}</Untrusted>} lead={<ZoneHint zone={shown.zone} />} actions={<><Button icon="external" onClick={() => setSubscribing(true)}>Subscribe</Button>{manage && <><Button icon="download" onClick={() => setImporting(true)}>Import</Button><Manage schedule={shown} /></>}</>}>
        <Panel title="Who is on call"><div className="pad"><Now schedule={shown} /></div></Panel>
        <CalendarPanel schedule={shown} pick={triage ? (first, last) => setSpan([first, last]) : null} />
        <div className="split even">
          <div><Swaps schedule={shown} /><Overrides schedule={shown} may={triage} add={() => setSpan([today, today])} /></div>
          <div><Layers schedule={shown} /><Spread schedule={shown} /></div>
        </div>
      </Page>
      {subscribing && <FeedDialog schedule={shown} onClose={() => setSubscribing(false)} />}
      {importing && <ImportDialog schedule={shown} onClose={() => setImporting(false)} />}
      {span !== null && <OverrideDialog schedule={shown} first={span[0]} last={span[1]} onClose={() => setSpan(null)} />}
    </>
  );
}
