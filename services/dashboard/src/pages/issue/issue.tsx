import { useEffect, useState } from "react";
import { useLocation, useNavigate, useParams } from "react-router-dom";
import { useIssue, useProjects } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Issue } from "../../api/types.ts";
import { useKeys, useTitle } from "../../lib/hooks.ts";
import { neutralise } from "../../lib/text.ts";
import { Button, Failure, IconButton, Skeleton } from "../../ui/kit.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { AssignDialog } from "../issues/assign.tsx";
import { KeysHelp } from "../issues/help.tsx";
import { useTriage, type Change } from "../issues/triage.ts";
import { ActivityTab } from "./activity.tsx";
import { Attachments, Feedback } from "./attached.tsx";
import { Breadcrumbs } from "./crumbs.tsx";
import { Contexts, EventTags, Highlights } from "./facts.tsx";
import { Fingerprints } from "./fingerprints.tsx";
import { Grouping } from "./grouping.tsx";
import { IssueHeader } from "./header.tsx";
import { OpenIncident } from "./incident.tsx";
import { useEventNavigation } from "./navigation.ts";
import { Request } from "./request.tsx";
import { Dates, TagSpread, Trend } from "./side.tsx";
import { Exceptions } from "./stack.tsx";
import { SameTrace } from "./trace.tsx";
import { AllEvents, NoEvents, Sent } from "./tabs.tsx";

/** One that was merged is shown under the name of where it went: what the server tells of an issue is told by its own name. */
function useOwnAddress(id: string, event: string | undefined, issue: Issue | undefined): void {
  const navigate = useNavigate();
  const { search } = useLocation();
  const name = issue?.short_id;
  const isOther = issue !== undefined && id !== issue.short_id && id !== String(issue.id);
  useEffect(() => {
    if (isOther && name !== undefined) navigate(`/issues/${name}${event === undefined ? "" : `/events/${event}`}${search}`, { replace: true });
  }, [isOther, name, event, search, navigate]);
}

type Navigation = ReturnType<typeof useEventNavigation>;

function EventBar({ nav }: { nav: Navigation }) {
  const { event } = nav;
  return (
    <div className="eventbar">
      <div>
        {event === undefined ? (
          <span className="muted">Event</span>
        ) : (
          <>
            <strong>{nav.isLatest ? "Latest event" : "Event"}</strong> <code className="muted">{event.event_id.slice(0, 8)}</code> <Time at={event.timestamp} />
          </>
        )}
        <span role="status">
          {nav.came && <> <span className="muted">· a newer event came in</span> <Button small onClick={nav.latest}>Show it</Button></>}
        </span>
        {nav.query !== "" && (
          <div className="muted">
            Others are those that match <code><Untrusted limit={100}>{nav.query}</Untrusted></code>{nav.wrong !== undefined && <>: <Untrusted limit={300}>{nav.wrong}</Untrusted></>} <button type="button" className="link" onClick={nav.all}>All events</button>
          </div>
        )}
      </div>
      <div className="eventnav" role="group" aria-label="Events" aria-busy={nav.busy}>
        <IconButton icon="first" label="First event" disabled={nav.first === undefined} onClick={nav.first} />
        <IconButton icon="left" label="Previous event (older)" disabled={nav.older === undefined} onClick={nav.older} />
        <IconButton icon="right" label="Next event (newer)" disabled={nav.newer === undefined} onClick={nav.newer} />
        <IconButton icon="last" label="Latest event" disabled={nav.latest === undefined} onClick={nav.latest} />
      </div>
    </div>
  );
}

function Details({ nav, issue }: { nav: Navigation; issue: Issue }) {
  if (nav.pending) return <Skeleton rows={10} height={60} />;
  const { event } = nav;
  return (
    <>
      <EventBar nav={nav} />
      {event === undefined && (nav.none ? <NoEvents issue={issue} /> : <Failure error={nav.error} retry={nav.retry} />)}
      {event !== undefined && (
        <div key={event.event_id}>
          <Highlights event={event} />
          <Exceptions event={event} />
          <Attachments event={event} />
          <Feedback event={event} />
          <SameTrace event={event} />
          <Breadcrumbs crumbs={event.breadcrumbs} />
          <Request request={event.request} />
          <EventTags event={event} />
          <Contexts event={event} />
        </div>
      )}
    </>
  );
}

export default function IssuePage() {
  const { id = "", event: wanted } = useParams();
  const { search } = useLocation();
  const issue = useIssue(id);
  useOwnAddress(id, wanted, issue.data);
  const projects = useProjects();
  const session = useSession();
  const triage = useTriage();
  const nav = useEventNavigation(id, wanted, issue.data);
  const [assigning, setAssigning] = useState(false);
  const [help, setHelp] = useState(false);
  useTitle(issue.data === undefined ? id : `${issue.data.short_id} ${neutralise(issue.data.title).slice(0, 80)}`);
  const team = projects.data?.find((p) => p.id === issue.data?.project)?.team?.id;
  const { triage: may } = accessTo(session, team);
  const act = (change: Change): void => {
    if (may && issue.data !== undefined) triage.mutate({ issues: [issue.data], change });
  };
  useKeys({
    e: () => act({ status: "resolved" }),
    r: () => act({ status: "unresolved" }),
    i: () => act({ status: "ignored" }),
    a: () => may && setAssigning(true),
    j: () => nav.older?.(),
    k: () => nav.newer?.(),
    "?": () => setHelp(true),
  });
  if (issue.isPending) return <Skeleton rows={10} height={56} />;
  if (issue.data === undefined) return <Failure whole error={issue.error} retry={() => void issue.refetch()} />;
  const shown = issue.data;
  return (
    <>
      <IssueHeader issue={shown} search={search} may={may} busy={triage.isPending} act={act} assign={() => setAssigning(true)} />
      <OpenIncident issue={shown} />
      <div className="issuebody">
        <div className="issuemain">
          <Tabs
            label="Issue"
            tabs={[
              { id: "details", label: "Details", content: () => <Details nav={nav} issue={shown} /> },
              { id: "events", label: "Events", content: () => <AllEvents issue={shown} search={search} /> },
              { id: "activity", label: "Activity", content: () => <ActivityTab issue={shown} may={may} /> },
              { id: "notifications", label: "Notifications", content: () => <Sent issue={shown} /> },
              { id: "grouping", label: "Grouping", content: () => <><Grouping issue={shown} event={nav.event} /><Fingerprints issue={shown} may={may} /></> },
            ]}
          />
        </div>
        <aside className="issueside" aria-label="About the issue">
          <Trend id={id} />
          <Dates issue={shown} />
          <TagSpread id={id} issue={shown} />
        </aside>
      </div>
      {assigning && (
        <AssignDialog
          current={shown.assigned_to}
          onClose={() => setAssigning(false)}
          onPick={(name) => {
            act({ assigned_to: name });
            setAssigning(false);
          }}
        />
      )}
      {help && <KeysHelp may={may} onClose={() => setHelp(false)} />}
    </>
  );
}
