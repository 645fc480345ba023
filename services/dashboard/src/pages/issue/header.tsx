import { useState } from "react";
import { Link } from "react-router-dom";
import type { Issue, Priority } from "../../api/types.ts";
import { compact, full } from "../../lib/format.ts";
import { splitTitle } from "../../lib/text.ts";
import { Button, LevelBadge, PriorityBadge, StatusBadge } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLabel } from "../../ui/menu.tsx";
import { Copy, Time, Untrusted } from "../../ui/text.tsx";
import type { Change } from "../issues/triage.ts";
import { Ignore, Resolve } from "./actions.tsx";
import { Bookmark, More } from "./more.tsx";

const PRIORITIES: Priority[] = ["critical", "high", "medium", "low"];

/** What the status waits for. */
function Standing({ issue }: { issue: Issue }) {
  const { ignore_until: until, resolved_in: resolved } = issue;
  if (issue.status === "ignored" && until !== undefined && until !== null) {
    if ("time" in until) return <span className="muted">until <Time at={until.time} /></span>;
    return <span className="muted">{"events" in until ? `until ${full(until.events)} more events` : "users" in until ? `until ${full(until.users)} more users` : "until it escalates"}</span>;
  }
  if (resolved === undefined || resolved === null || resolved === "now") return null;
  if (resolved === "next") return <span className="muted">in the next release</span>;
  return <span className="muted">{issue.status === "resolved" ? "in " : "waits for "}<Untrusted limit={60}>{"release" in resolved ? resolved.release : resolved.commit.slice(0, 12)}</Untrusted></span>;
}

interface Props { issue: Issue; search: string; may: boolean; busy: boolean; act: (change: Change) => void; assign: () => void }

export function IssueHeader({ issue, search, may, busy, act, assign }: Props) {
  const [type, message] = splitTitle(issue.title, issue.error_type);
  const [long, setLong] = useState(false);
  return (
    <header className="issuehead">
      <nav className="trail" aria-label="Where this is">
        <Link to={`/issues${search}`}>Issues</Link>
        <span aria-hidden="true">/</span>
        <Link to={`/issues?project=${encodeURIComponent(issue.project_name)}`}>{issue.project_name}</Link>
        <span aria-hidden="true">/</span>
        <span className="shortid">{issue.short_id}</span>
        <Copy text={`${window.location.origin}/issues/${issue.short_id}`} label="Copy link" />
      </nav>
      <div className="headrow">
        <div className="headmain">
          <h1><Untrusted limit={200}>{type}</Untrusted></h1>
          {message !== "" && (
            <p className={`headmessage ${long ? "" : "clamp"}`}>
              <Untrusted limit={long ? 8_000 : 600}>{message}</Untrusted>
            </p>
          )}
          {message.length > 320 && (
            <button type="button" className="link" onClick={() => setLong(!long)}>
              {long ? "Show less" : "Show all"}
            </button>
          )}
          <div className="rowmeta">
            <StatusBadge status={issue.status} />
            <Standing issue={issue} />
            <LevelBadge level={issue.level} />
            <PriorityBadge priority={issue.priority} />
            {issue.regressions > 0 && <span className="tag regressed">regressed</span>}
            {issue.culprit !== null && <span className="culprit"><Untrusted limit={200}>{issue.culprit}</Untrusted></span>}
          </div>
        </div>
        <dl className="headnumbers">
          <div>
            <dt>Events</dt>
            <dd title={full(issue.count)}>{compact(issue.count)}</dd>
          </div>
          <div>
            <dt>Users</dt>
            <dd title={full(issue.users)}>{compact(issue.users)}</dd>
          </div>
        </dl>
      </div>
      {may && (
        <div className="headactions">
          {issue.status === "unresolved" ? (
            <>
              <Resolve issue={issue} busy={busy} act={act} />
              <Ignore busy={busy} act={act} />
            </>
          ) : (
            <Button look="primary" icon="reopen" busy={busy} onClick={() => act({ status: "unresolved" })}>
              Reopen
            </Button>
          )}
          <Button icon="assign" onClick={assign}>
            {issue.assigned_to === null ? "Assign" : <Untrusted limit={40}>{issue.assigned_to}</Untrusted>}
          </Button>
          <Menu trigger={<Button>Priority</Button>}>
            <MenuLabel>Bugle will not change it any more</MenuLabel>
            {PRIORITIES.map((priority) => (
              <MenuItem key={priority} checked={priority === issue.priority} onSelect={() => act({ priority })}>
                {priority}
              </MenuItem>
            ))}
          </Menu>
          <Bookmark issue={issue} />
          <More issue={issue} />
        </div>
      )}
    </header>
  );
}
