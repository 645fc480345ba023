import { useEffect, useState } from "react";
import { useLocation, useNavigate, useParams } from "react-router-dom";
import { useEvent, useIssue, useIssueEvents, useProjects } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { EventBody, Issue } from "../../api/types.ts";
import { useKeys, useTitle } from "../../lib/hooks.ts";
import { neutralise } from "../../lib/text.ts";
import { Failure, IconButton, Skeleton } from "../../ui/kit.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time } from "../../ui/text.tsx";
import { AssignDialog } from "../issues/assign.tsx";
import { KeysHelp } from "../issues/help.tsx";
import { useTriage, type Change } from "../issues/triage.ts";
import { Attachments, Feedback } from "./attached.tsx";
import { Breadcrumbs } from "./crumbs.tsx";
import { Contexts, EventTags, Highlights } from "./facts.tsx";
import { Fingerprints } from "./fingerprints.tsx";
import { Grouping } from "./grouping.tsx";
import { IssueHeader } from "./header.tsx";
import { OpenIncident } from "./incident.tsx";
import { Request } from "./request.tsx";
import { Dates, TagSpread, Trend } from "./side.tsx";
import { Exceptions } from "./stack.tsx";
import { SameTrace } from "./trace.tsx";
import { ActivityTab, AllEvents, NoEvents, Sent } from "./tabs.tsx";

const MAX_PAGES_BACK = 40;

/** Which event is shown, and how to get to the others. They are listed newest first. */
function useEventNavigation(id: string, wanted: string | undefined, issue: Issue | undefined) {
  const events = useIssueEvents(id);
  const navigate = useNavigate();
  const { search } = useLocation();
  const items = events.data?.pages.flatMap((page) => page.items) ?? [];
  const known = wanted === undefined ? items[0] : items.find((event) => event.event_id === wanted);
  const alone = useEvent(issue?.project, wanted !== undefined && known === undefined ? wanted : undefined);
  const index = known === undefined ? -1 : items.indexOf(known);
  const [busy, setBusy] = useState(false);
  // What is read is not changed under the reader; where there is nothing to read, the first that comes is shown.
  const { refetch } = events;
  const without = events.isSuccess && items.length === 0;
  const count = issue?.count ?? 0;
  useEffect(() => {
    if (without && count > 0) void refetch();
  }, [without, count, refetch]);
  const go = (event: EventBody | undefined): void => {
    if (event !== undefined) navigate(`/issues/${id}/events/${event.event_id}${search}`, { replace: true });
  };
  const readOn = async (enough: (items: EventBody[]) => boolean): Promise<EventBody[]> => {
    setBusy(true);
    let all = items;
    try {
      for (let page = 0; page < MAX_PAGES_BACK && !enough(all); page += 1) {
        const result = await events.fetchNextPage();
        all = result.data?.pages.flatMap((p) => p.items) ?? all;
        if (!result.hasNextPage) break;
      }
    } finally {
      setBusy(false);
    }
    return all;
  };
  return {
    events, items, busy, index,
    event: known ?? alone.data,
    error: wanted === undefined ? events.error : (alone.error ?? null),
    pending: events.isPending || (wanted !== undefined && known === undefined && alone.isPending),
    latest: () => navigate(`/issues/${id}${search}`, { replace: true }),
    newer: index > 0 ? () => go(items[index - 1]) : undefined,
    older: index >= 0 && (index < items.length - 1 || events.hasNextPage) ? () => void readOn((all) => all.length > index + 1).then((all) => go(all[index + 1])) : undefined,
    first: index >= 0 && (index < items.length - 1 || events.hasNextPage) ? () => void readOn(() => false).then((all) => go(all.at(-1))) : undefined,
  };
}

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

function EventBar({ nav, issue }: { nav: Navigation; issue: Issue }) {
  const { event } = nav;
  return (
    <div className="eventbar">
      <div>
        {event === undefined ? (
          <span className="muted">Event</span>
        ) : (
          <>
            <strong>{nav.index === 0 ? "Latest event" : "Event"}</strong> <code className="muted">{event.event_id.slice(0, 8)}</code> <Time at={event.timestamp} />
          </>
        )}
        {nav.items.length > 0 && issue.count > 1 && nav.index >= 0 && <span className="muted"> · {nav.index + 1} of {issue.count}</span>}
      </div>
      <div className="eventnav" role="group" aria-label="Events" aria-busy={nav.busy}>
        <IconButton icon="first" label="First event" disabled={nav.first === undefined || nav.busy} onClick={nav.first} />
        <IconButton icon="left" label="Previous event (older)" disabled={nav.older === undefined || nav.busy} onClick={nav.older} />
        <IconButton icon="right" label="Next event (newer)" disabled={nav.newer === undefined || nav.busy} onClick={nav.newer} />
        <IconButton icon="last" label="Latest event" disabled={nav.index === 0} onClick={nav.latest} />
      </div>
    </div>
  );
}

function Details({ nav, issue }: { nav: Navigation; issue: Issue }) {
  if (nav.pending) return <Skeleton rows={10} height={60} />;
  const { event } = nav;
  return (
    <>
      <EventBar nav={nav} issue={issue} />
      {event === undefined && (nav.error === null || nav.error === undefined ? <NoEvents issue={issue} /> : <Failure error={nav.error} retry={() => void nav.events.refetch()} />)}
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
          <TagSpread id={id} />
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
      {help && <KeysHelp onClose={() => setHelp(false)} />}
    </>
  );
}
