import { useState } from "react";
import { Link } from "react-router-dom";
import { call } from "../../api/client.ts";
import { useIssueActivity } from "../../api/queries.ts";
import { useSession } from "../../api/session.ts";
import type { Activity, Issue, Json, JsonMap } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Absent, Button, Empty, Failure, Field, Form, Panel, Skeleton } from "../../ui/kit.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { Older } from "./tabs.tsx";
import { isBy } from "./walk.ts";

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
