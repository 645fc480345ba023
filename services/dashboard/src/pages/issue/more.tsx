import { useState } from "react";
import { useNavigate } from "react-router-dom";
import { call, get } from "../../api/client.ts";
import type { Issue, List } from "../../api/types.ts";
import { useQuery } from "@tanstack/react-query";
import { compact } from "../../lib/format.ts";
import { useChange } from "../../lib/mutate.ts";
import { Button, Check, Dialog, Empty, Failure, Form, IconButton, Input, Skeleton } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLine } from "../../ui/menu.tsx";
import { Code, Untrusted } from "../../ui/text.tsx";
import { phrase } from "./walk.ts";

const TOUCHES = ["issues", "issue", "issue-part", "issue-events"];

/** Issues that one can pick from at once. */
const FOUND = 25;

/** Picks issues of the project that are the same thing. They become part of this one. */
function MergeDialog({ issue, onClose }: { issue: Issue; onClose: () => void }) {
  // Of the same type at first: what can be read in the field can be taken out of it.
  const [text, setText] = useState(phrase(issue.error_type ?? ""));
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const found = useQuery({
    queryKey: ["issues", "merge", issue.project, text],
    queryFn: ({ signal }) => get<List<Issue>>("/issues", { params: { project: issue.project, query: text, limit: FOUND }, signal }),
    retry: false,
  });
  const merge = useChange(() => call("POST", `/issues/${issue.id}/merge`, { body: { issues: [...chosen] } }), { touches: TOUCHES, done: `Merged into ${issue.short_id}` });
  const others = (found.data?.items ?? []).filter((other) => other.id !== issue.id);
  const toggle = (id: number): void => setChosen(new Set(chosen.has(id) ? [...chosen].filter((other) => other !== id) : [...chosen, id]));
  return (
    <Dialog title={`Merge into ${issue.short_id}`} onClose={onClose} wide>
      <Form onSubmit={() => chosen.size > 0 && merge.mutate(undefined, { onSuccess: onClose })}>
        <Input label="Find" value={text} onChange={(event) => setText(event.target.value)} onFocus={(event) => event.target.select()} maxLength={500} autoComplete="off" help="The chosen ones become part of this issue; their links lead here. It can be undone under Grouping." error={merge.wrong("issues")} />
        {found.isPending && <Skeleton rows={3} />}
        {found.isError && <Failure error={found.error} />}
        {found.isSuccess && others.length === 0 && <Empty icon="search" title="Nothing else matches">{text.trim() === "" ? "The project has no other issue." : `Look for a word of the title, or empty the field for the latest ${FOUND}.`}</Empty>}
        {others.length > 0 && (
          <ul className="picks">
            {others.map((other) => (
              <li key={other.id}>
                <Check checked={chosen.has(other.id)} onChange={() => toggle(other.id)} label={<Untrusted limit={140}>{other.title}</Untrusted>} help={`${other.short_id} · ${compact(other.count)} events · ${other.status}`} />
              </li>
            ))}
          </ul>
        )}
        <div className="dialogactions"><Button type="submit" look="primary" disabled={chosen.size === 0} busy={merge.isPending}>Merge {chosen.size > 0 ? chosen.size : ""}</Button></div>
      </Form>
    </Dialog>
  );
}

/** A link for people without an account. */
function ShareDialog({ issue, onClose }: { issue: Issue; onClose: () => void }) {
  const make = useChange(() => call<{ url: string }>("POST", `/issues/${issue.id}/share`));
  const revoke = useChange(() => call("DELETE", `/issues/${issue.id}/share`), { done: "The link works no more" });
  return (
    <Dialog title={`Share ${issue.short_id}`} onClose={onClose}>
      <p>Whoever has the link sees the title, the counts and the stack trace of the latest event; no user, request or variables. No account is needed.</p>
      {make.data !== undefined && <><Code text={make.data.url} label="Link" /><p className="muted">It is shown this once. A new link ends the one before.</p></>}
      <div className="dialogactions">
        <Button icon="trash" busy={revoke.isPending} onClick={() => revoke.mutate(undefined, { onSuccess: onClose })}>Revoke</Button>
        <Button look="primary" busy={make.isPending} onClick={() => make.mutate(undefined)}>Make a link</Button>
      </div>
    </Dialog>
  );
}

function DeleteDialog({ issue, onClose }: { issue: Issue; onClose: () => void }) {
  const [discard, setDiscard] = useState(false);
  const navigate = useNavigate();
  const remove = useChange(() => call("DELETE", `/issues/${issue.id}`, discard ? { params: { discard: true } } : {}), { touches: ["issues", "discards"], done: `${issue.short_id} is deleted` });
  return (
    <Dialog title={`Delete ${issue.short_id}?`} onClose={onClose}>
      <Form onSubmit={() => remove.mutate(undefined, { onSuccess: () => navigate("/issues") })}>
        <p>It goes with all its events, for ever.</p>
        <Check checked={discard} onChange={(event) => setDiscard(event.target.checked)} label="Discard such events from now on" help="They are counted as discarded and never stored." />
        <div className="dialogactions">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" look="danger" busy={remove.isPending}>Delete</Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** What one seldom does with an issue. */
export function More({ issue }: { issue: Issue }) {
  const [open, setOpen] = useState<"merge" | "share" | "delete" | null>(null);
  const close = (): void => setOpen(null);
  return (
    <>
      <Menu align="end" trigger={<IconButton icon="dots" label="More" className="boxed" />}>
        <MenuItem onSelect={() => setOpen("merge")}>Merge …</MenuItem>
        <MenuItem icon="external" onSelect={() => setOpen("share")}>Share …</MenuItem>
        <MenuLine />
        <MenuItem icon="trash" danger onSelect={() => setOpen("delete")}>Delete …</MenuItem>
      </Menu>
      {open === "merge" && <MergeDialog issue={issue} onClose={close} />}
      {open === "share" && <ShareDialog issue={issue} onClose={close} />}
      {open === "delete" && <DeleteDialog issue={issue} onClose={close} />}
    </>
  );
}

/** Bookmarks are one's own; a token has none. */
export function Bookmark({ issue }: { issue: Issue }) {
  const change = useChange(() => call(issue.bookmarked === true ? "DELETE" : "PUT", `/issues/${issue.id}/bookmark`), { touches: ["issues", "issue"] });
  if (issue.bookmarked === undefined) return null;
  return <IconButton icon="star" label={issue.bookmarked ? "Remove the bookmark" : "Bookmark"} aria-pressed={issue.bookmarked} className="boxed bookmark" disabled={change.isPending} onClick={() => change.mutate(undefined)} />;
}
