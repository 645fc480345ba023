import { type ReactNode } from "react";
import { Link } from "react-router-dom";
import { useHighlights } from "../../api/queries.ts";
import type { Issue } from "../../api/types.ts";
import { compact, full } from "../../lib/format.ts";
import { useKeepProject } from "../../lib/hooks.ts";
import { splitTitle } from "../../lib/text.ts";
import { ButtonLink, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Sparkline } from "../../ui/spark.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";

function Row({ issue, note }: { issue: Issue; note: ReactNode }) {
  const keep = useKeepProject();
  const [type, message] = splitTitle(issue.title, issue.error_type);
  return (
    <li>
      <span className={`edge ${issue.level}`} aria-hidden="true" />
      <div className="rowmain">
        <Link to={keep(`/issues/${issue.short_id}`)} className="rowtitle">
          <strong><Untrusted limit={80}>{type}</Untrusted></strong> <span><Untrusted limit={120}>{message}</Untrusted></span>
        </Link>
        <div className="rowmeta">
          <span className="shortid">{issue.short_id}</span>
          <span className="muted">{note}</span>
        </div>
      </div>
      <Sparkline counts={issue.sparkline} label="Events in the last 24 hours" />
    </li>
  );
}

function Kind({ title, none, actions, children }: { title: string; none: string; actions?: ReactNode; children: ReactNode[] | undefined }) {
  return (
    <Panel title={title} actions={actions}>
      {children === undefined && <Skeleton rows={3} height={52} />}
      {children?.length === 0 && <p className="pad muted">{none}</p>}
      {children !== undefined && children.length > 0 && <ol className="top brief">{children}</ol>}
    </Panel>
  );
}

/** What is new, what came back, and what is getting worse. */
export function Highlights({ project, period }: { project: string | null; period: string }) {
  const keep = useKeepProject();
  const found = useHighlights(project, period);
  if (found.isError) return <Panel title="Worth a look"><Failure error={found.error} retry={() => void found.refetch()} /></Panel>;
  const { data } = found;
  const age = encodeURIComponent(`age:-${period}`);
  return (
    <div className="worthalook">
      <Kind title="New" none={`Nothing new in ${period}.`} actions={<ButtonLink to={keep(`/issues?query=${age}&sort=first_seen`)} look="quiet">All new</ButtonLink>}>
        {data?.new.map((issue) => <Row key={issue.id} issue={issue} note={<Time at={issue.first_seen} />} />)}
      </Kind>
      <Kind title="Came back" none={`Nothing that was resolved came back in ${period}.`}>
        {data?.regressed.map((issue) => <Row key={issue.id} issue={issue} note={<Time at={issue.last_seen} />} />)}
      </Kind>
      <Kind title="Getting worse" none={`Nothing has twice as many events as in the ${period} before.`}>
        {data?.worsening.map(({ issue, now, before }) => (
          <Row key={issue.id} issue={issue} note={<span title={`${full(now)} events in ${period}, ${full(before)} in the ${period} before`}>{compact(before)} → <strong>{compact(now)}</strong> events</span>} />
        ))}
      </Kind>
    </div>
  );
}
