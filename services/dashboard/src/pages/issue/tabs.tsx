import { useState } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useIssueActivity, useIssueEvents, useIssueGrouping, useNotifications } from "../../api/queries.ts";
import type { Activity, EventBody, Issue, Json } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Facts } from "../../ui/json.tsx";
import { Absent, Button, Empty, Failure, Field, Form, LevelBadge, Panel, Skeleton, Table } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { NotificationTable } from "../notifications.tsx";

export function AllEvents({ issue, search }: { issue: Issue; search: string }) {
  const events = useIssueEvents(issue.short_id);
  if (events.isPending) return <Skeleton />;
  if (events.isError) return <Failure error={events.error} retry={() => void events.refetch()} />;
  const items = events.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Empty icon="issues" title="No events left">They are older than what this project keeps.</Empty>;
  return (
    <>
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

const actorOf = (entry: Activity): string => (typeof entry.actor === "string" ? entry.actor : (entry.actor?.name ?? "Bugle"));

function what(entry: Activity): string {
  const kind = (entry.kind ?? entry.action ?? "").replace(/[._]/g, " ");
  const data = entry.data ?? entry.after;
  return data === undefined || data === null ? kind : `${kind}: ${typeof data === "object" ? summary(data) : String(data)}`;
}

const summary = (data: Json): string =>
  typeof data === "object" && data !== null && !Array.isArray(data)
    ? Object.entries(data).map(([name, value]) => `${name.replace(/_/g, " ")} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`).join(", ")
    : JSON.stringify(data);

export function ActivityTab({ issue }: { issue: Issue }) {
  const activity = useIssueActivity(issue.short_id);
  const [text, setText] = useState("");
  const comment = useChange(() => call("POST", `/issues/${issue.id}/comments`, { body: { text } }), { touches: ["issue-part"] });
  if (activity.isPending) return <Skeleton />;
  if (activity.isError) return <Failure error={activity.error} retry={() => void activity.refetch()} />;
  if (activity.data === null) return <Absent what="The activity of an issue" />;
  return (
    <Panel>
      <Form className="commentform" onSubmit={() => text.trim() !== "" && comment.mutate(undefined, { onSuccess: () => setText("") })}>
        <Field label="Comment" error={comment.wrong("text")}>
          {(ids) => <textarea {...ids} rows={3} value={text} onChange={(event) => setText(event.target.value)} placeholder="What do you know about it?" />}
        </Field>
        <Button type="submit" look="primary" busy={comment.isPending} disabled={text.trim() === ""}>
          Comment
        </Button>
      </Form>
      <ol className="activity">
        {activity.data.items.map((entry) => (
          <li key={entry.id}>
            <span className="avatar small" aria-hidden="true">{actorOf(entry).slice(0, 2).toUpperCase()}</span>
            <div>
              <p>
                <strong><Untrusted limit={100}>{actorOf(entry)}</Untrusted></strong> <Untrusted limit={300}>{entry.text === null || entry.text === undefined ? what(entry) : "commented"}</Untrusted>
                <span className="muted"> <Time at={entry.at ?? entry.created_at} /></span>
              </p>
              {entry.text !== null && entry.text !== undefined && <p className="comment"><Untrusted limit={20_000}>{entry.text}</Untrusted></p>}
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

export function Grouping({ issue, event }: { issue: Issue; event: EventBody | undefined }) {
  const why = useIssueGrouping(issue.short_id);
  return (
    <Panel title="Why is this grouped so?">
      <div className="pad prose">
        <p>Events that share a hash are one issue. The hash is made of what stays the same when the same thing fails again: types and the app's own frames, else the message without its numbers and names.</p>
        {event !== undefined && <Facts entries={[["hashes", event.hashes], ["fingerprint of the app", event.fingerprint]]} />}
      </div>
      {why.data !== null && why.data !== undefined && <Facts entries={Object.entries(why.data) as [string, Json][]} />}
    </Panel>
  );
}
