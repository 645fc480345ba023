import { useState } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useIssueActivity } from "../../api/queries.ts";
import { useSession } from "../../api/session.ts";
import type { Activity, Issue } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Empty, Failure, Field, Form, Panel, Skeleton } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { fields, said, what } from "./sentences.ts";
import { Older } from "./tabs.tsx";
import { isBy } from "./walk.ts";

const actorOf = (entry: Activity): string => entry.actor ?? "Bugle";

const TOUCHES = ["issue-part"];

/** What somebody said; whoever said it may say it otherwise, or take it back. */
function Comment({ issue, entry, own }: { issue: Issue; entry: Activity; own: boolean }) {
  const { text: current, edited_at: edited } = fields(entry.data);
  const [text, setText] = useState<string | null>(null);
  const path = `/issues/${issue.id}/comments/${entry.id}`;
  const change = useChange(() => call("PATCH", path, { body: { text } }), { touches: TOUCHES });
  const remove = useChange(() => call("DELETE", path), { touches: TOUCHES, done: "The comment is deleted" });
  if (text !== null) {
    return (
      <Form onSubmit={() => text.trim() !== "" && change.mutate(undefined, { onSuccess: () => setText(null) })}>
        <Field label="New text" error={change.wrong("text")}>
          {(ids) => <textarea {...ids} rows={3} value={text} onChange={(event) => setText(event.target.value)} />}
        </Field>
        <div className="actions">
          <Button type="submit" small look="primary" busy={change.isPending} disabled={text.trim() === ""}>Save</Button>
          <Button small onClick={() => setText(null)}>Cancel</Button>
        </div>
      </Form>
    );
  }
  return (
    <>
      <p className="comment"><Untrusted limit={20_000}>{said(current)}</Untrusted></p>
      {typeof edited === "string" && <span className="muted">edited <Time at={edited} /> </span>}
      {own && (
        <>
          <Button small look="quiet" onClick={() => setText(said(current))}>Edit</Button>
          <Confirm title="Delete this comment?" action="Delete" onConfirm={() => remove.mutate(undefined)} body="It is gone for everybody, for ever.">
            {(ask) => <Button small look="quiet" busy={remove.isPending} onClick={ask}>Delete</Button>}
          </Confirm>
        </>
      )}
    </>
  );
}

export function ActivityTab({ issue, may }: { issue: Issue; may: boolean }) {
  const activity = useIssueActivity(issue.short_id);
  const session = useSession();
  const me = session.kind === "user" ? session.user.name : undefined;
  const [text, setText] = useState("");
  const comment = useChange(() => call("POST", `/issues/${issue.id}/comments`, { body: { text } }), { touches: TOUCHES });
  if (activity.isPending) return <Skeleton />;
  if (activity.isLoadingError) return <Failure error={activity.error} retry={() => void activity.refetch()} />;
  if (activity.data.pages[0] === null) return <Absent what="The activity of an issue" />;
  const items = activity.data.pages.flatMap((page) => page?.items ?? []);
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
      {items.length === 0 && <Empty icon="account" title="Nothing happened yet">What people do with this issue is told here.</Empty>}
      <ol className="activity">
        {items.map((entry) => (
          <li key={entry.id}>
            <span className="avatar small" aria-hidden="true">{actorOf(entry).slice(0, 2).toUpperCase()}</span>
            <div>
              <p>
                <strong><Untrusted limit={100}>{actorOf(entry)}</Untrusted></strong> <Untrusted limit={500}>{what(entry)}</Untrusted>
                {entry.kind === "unmerged" && <> <Link to={`/issues/${said(fields(entry.data)["issue"])}`}>the other issue</Link></>}
                <span className="muted"> <Time at={entry.at} /></span>
              </p>
              {entry.kind === "comment" && <Comment issue={issue} entry={entry} own={may && isBy(entry.actor, me)} />}
            </div>
          </li>
        ))}
      </ol>
      {activity.hasNextPage && <div className="pad"><Older list={activity} /></div>}
    </Panel>
  );
}
