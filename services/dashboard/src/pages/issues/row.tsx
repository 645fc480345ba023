import { memo } from "react";
import { Link } from "react-router-dom";
import type { Issue } from "../../api/types.ts";
import { compact, full, plural } from "../../lib/format.ts";
import { splitTitle } from "../../lib/text.ts";
import type { Mark } from "../../shell/place.ts";
import { LevelBadge, PriorityBadge, StatusBadge } from "../../ui/kit.tsx";
import { Sparkline } from "../../ui/spark.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";

interface Props { issue: Issue; index: number; search: string; selected: boolean; current: boolean; showStatus: boolean; onSelect: (issue: Issue, range: boolean) => void; onOpen: (mark: Mark) => void }

/** One issue of the list. */
export const IssueRow = memo(function IssueRow({ issue, index, search, selected, current, showStatus, onSelect, onOpen }: Props) {
  const [type, message] = splitTitle(issue.title, issue.error_type);
  return (
    <div className={`issuerow ${selected ? "selected" : ""} ${current ? "current" : ""}`}>
      <label className="rowcheck">
        <input type="checkbox" checked={selected} onChange={({ nativeEvent: click }) => onSelect(issue, click instanceof MouseEvent && click.shiftKey)} aria-label={`Select ${issue.short_id}`} />
      </label>
      <span className={`edge ${issue.level}`} aria-hidden="true" />
      <div className="rowmain">
        <Link to={`/issues/${encodeURIComponent(issue.short_id)}${search}`} className="rowtitle" onClick={() => onOpen({ id: issue.id, index })}>
          <strong>
            <Untrusted limit={160}>{type}</Untrusted>
          </strong>{" "}
          {message !== "" && (
            <span>
              <Untrusted limit={240}>{message}</Untrusted>
            </span>
          )}
        </Link>
        <div className="rowmeta">
          <span className="shortid">{issue.short_id}</span>
          {showStatus && <StatusBadge status={issue.status} />}
          <LevelBadge level={issue.level} />
          <PriorityBadge priority={issue.priority} />
          {issue.regressions > 0 && <span className="tag regressed">regressed</span>}
          {issue.culprit !== null && (
            <span className="culprit">
              <Untrusted limit={160}>{issue.culprit}</Untrusted>
            </span>
          )}
        </div>
      </div>
      <div className="rowspark">
        <Sparkline counts={issue.sparkline} label={`${plural(issue.sparkline?.reduce((a, b) => a + b, 0) ?? 0, "event")} in the last 24 hours`} />
      </div>
      <div className="rownumber" title={plural(issue.count, "event")}>
        <span>{compact(issue.count)}</span>
        <small>{issue.count === 1 ? "event" : "events"}</small>
      </div>
      <div className="rownumber" title={`${full(issue.users)} users`}>
        <span>{compact(issue.users)}</span>
        <small>{issue.users === 1 ? "user" : "users"}</small>
      </div>
      <div className="rowtime">
        <Time at={issue.last_seen} />
        <small>
          since <Time at={issue.first_seen} short />
        </small>
      </div>
      <div className="rowwho">
        {issue.assigned_to === null ? (
          <span className="muted">–</span>
        ) : (
          <span className="avatar small" title={`Assigned to ${issue.assigned_to}`}>
            <span className="sr">Assigned to </span>
            {issue.assigned_to.slice(0, 2).toUpperCase()}
          </span>
        )}
      </div>
    </div>
  );
});
