import { useState } from "react";
import { Link } from "react-router-dom";
import { call, Problem } from "../../api/client.ts";
import { useIssueActivity, useIssueEvents, useNotifications } from "../../api/queries.ts";
import type { Activity, Issue, Json, JsonMap } from "../../api/types.ts";
import { useFilter } from "../../lib/hooks.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { Absent, Button, Empty, Failure, Field, Form, Input, LevelBadge, Panel, Skeleton, Table } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { NotificationTable } from "../notifications.tsx";

/** One that was parted from another has none at first. */
export const NoEvents = ({ issue }: { issue: Issue }) => (issue.count === 0
  ? <Empty icon="issues" title="No events yet">The next one will be here.</Empty>
  : <Empty icon="issues" title="No events left">They are older than what this project keeps.</Empty>);

export function AllEvents({ issue, search }: { issue: Issue; search: string }) {
  const [query, setQuery] = useFilter("events");
  const [text, setText] = useState(query ?? "");
  const events = useIssueEvents(issue.short_id, query ?? "");
  const find = (
    <Form className="findevents" onSubmit={() => setQuery(text.trim() === "" ? null : text.trim())}>
      <Input label="Find events" value={text} onChange={(event) => setText(event.target.value)} placeholder="release:shop@1.4.* user.email:a@b.c" maxLength={500} spellCheck={false} autoComplete="off" error={events.error instanceof Problem ? (events.error.of("query")?.message ?? (events.error.status === 422 ? events.error.message : undefined)) : undefined} />
    </Form>
  );
  if (events.isError && query !== null) return find;
  if (events.isPending) return <Skeleton />;
  if (events.isError) return <Failure error={events.error} retry={() => void events.refetch()} />;
  const items = events.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return query === null ? <NoEvents issue={issue} /> : <>{find}<Empty icon="search" title="No event matches" /></>;
  return (
    <>
      {find}
      <Table label="Events">
        <thead>
          <tr>
            <th scope="col">Event</th>
            <th scope="col">When</th>
            <th scope="col">Level</th>
            <th scope="col">Release</th>
            <th scope="col">Environment</th>
            <th scope="col">User</th>
          </tr>
        </thead>
        <tbody>
          {items.map((event) => (
            <tr key={event.event_id}>
              <td className="wide">
                <Link to={`/issues/${issue.short_id}/events/${event.event_id}${search}`}>
                  <Untrusted limit={140}>{event.title}</Untrusted>
                </Link>
                <div className="muted mono">{event.event_id.slice(0, 8)}</div>
              </td>
              <td><Time at={event.timestamp} /></td>
              <td><LevelBadge level={event.level} /></td>
              <td><Untrusted limit={60}>{event.release}</Untrusted></td>
              <td><Untrusted limit={60}>{event.environment}</Untrusted></td>
              <td><Untrusted limit={60}>{event.user?.email ?? event.user?.username ?? event.user?.id ?? event.user?.ip_address}</Untrusted></td>
            </tr>
          ))}
        </tbody>
      </Table>
      {events.hasNextPage && (
        <Button onClick={() => void events.fetchNextPage()} busy={events.isFetchingNextPage}>
          Older events
        </Button>
      )}
    </>
  );
}

export function Sent({ issue }: { issue: Issue }) {
  const sent = useNotifications({ issue: issue.short_id });
  if (sent.isPending) return <Skeleton />;
  if (sent.isError) return <Failure error={sent.error} retry={() => void sent.refetch()} />;
  const items = sent.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Empty icon="notifications" title="Nobody was told">No destination of the project wanted to hear of this issue.</Empty>;
  return <NotificationTable items={items} />;
}

const actorOf = (entry: Activity): string => entry.actor ?? "Bugle";

const fields = (data: Json | undefined): JsonMap => (typeof data === "object" && data !== null && !Array.isArray(data) ? data : {});
const said = (value: Json | undefined): string => (value === null || value === undefined ? "nobody" : typeof value === "object" ? JSON.stringify(value) : String(value));

const MOST_MERGED = 5;
/** What became part of the issue, by the names that it had. */
function merged(issues: Json | undefined): string {
  const all = Array.isArray(issues) ? issues.map(fields) : [];
  const names = all.slice(0, MOST_MERGED).map(({ short_id: id, title }) => `${said(id)} (${said(title).slice(0, 60)})`);
  return [...names, ...(all.length > MOST_MERGED ? [plural(all.length - MOST_MERGED, "other")] : [])].join(", ");
}

const SENTENCES: Record<string, (data: JsonMap) => string> = {
  status: ({ from, to }) => `changed the status from ${said(from)} to ${said(to)}`,
  priority: ({ from, to }) => `changed the priority from ${said(from)} to ${said(to)}`,
  assigned: ({ to, reason }) => (to === null ? "took it away from whom it was assigned to" : `assigned it to ${said(to)}${reason === undefined ? "" : `: ${said(reason)}`}`),
  regressed: ({ release }) => (release === null || release === undefined ? "saw it come back: regressed" : `saw it come back in ${said(release)}: regressed`),
  unignored: () => "saw what it was ignored until: no longer ignored",
  merged: ({ issues }) => `merged into it: ${merged(issues)}`,
  unmerged: ({ fingerprints }) => `parted ${plural(Number(fingerprints), "fingerprint")} from the rest:`,
  comment: () => "commented",
};

function what(entry: Activity): string {
  const kind = entry.kind;
  const data = fields(entry.data);
  const sentence = SENTENCES[kind];
  if (sentence !== undefined) return sentence(data);
  const details = Object.entries(data).map(([name, value]) => `${name.replace(/_/g, " ")} ${said(value)}`).join(", ");
  return `${kind.replace(/[._]/g, " ")}${details === "" ? "" : `: ${details}`}`;
}

export function ActivityTab({ issue, may }: { issue: Issue; may: boolean }) {
  const activity = useIssueActivity(issue.short_id);
  const [text, setText] = useState("");
  const comment = useChange(() => call("POST", `/issues/${issue.id}/comments`, { body: { text } }), { touches: ["issue-part"] });
  if (activity.isPending) return <Skeleton />;
  if (activity.isError) return <Failure error={activity.error} retry={() => void activity.refetch()} />;
  if (activity.data === null) return <Absent what="The activity of an issue" />;
  return (
    <Panel>
      {may && <Form className="commentform" onSubmit={() => text.trim() !== "" && comment.mutate(undefined, { onSuccess: () => setText("") })}>
        <Field label="Comment" error={comment.wrong("text")}>
          {(ids) => <textarea {...ids} rows={3} value={text} onChange={(event) => setText(event.target.value)} placeholder="What do you know about it?" />}
        </Field>
        <Button type="submit" look="primary" busy={comment.isPending} disabled={text.trim() === ""}>
          Comment
        </Button>
      </Form>}
      {activity.data.items.length === 0 && <Empty icon="account" title="Nothing happened yet">What people do with this issue is told here.</Empty>}
      <ol className="activity">
        {activity.data.items.map((entry) => (
          <li key={entry.id}>
            <span className="avatar small" aria-hidden="true">{actorOf(entry).slice(0, 2).toUpperCase()}</span>
            <div>
              <p>
                <strong><Untrusted limit={100}>{actorOf(entry)}</Untrusted></strong> <Untrusted limit={500}>{what(entry)}</Untrusted>
                {entry.kind === "unmerged" && <> <Link to={`/issues/${said(fields(entry.data)["issue"])}`}>the other issue</Link></>}
                <span className="muted"> <Time at={entry.at} /></span>
              </p>
              {entry.kind === "comment" && <p className="comment"><Untrusted limit={20_000}>{said(fields(entry.data)["text"])}</Untrusted></p>}
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
