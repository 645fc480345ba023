import { Link } from "react-router-dom";
import { useIssueStats, useIssueTags } from "../../api/queries.ts";
import type { Issue } from "../../api/types.ts";
import { compact, full, plural } from "../../lib/format.ts";
import { useFilter } from "../../lib/hooks.ts";
import { withFilter } from "../../lib/query.ts";
import { Panel } from "../../ui/kit.tsx";
import { Meter, Sparkline } from "../../ui/spark.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { marksOf } from "./walk.ts";

/** Releases that the trend names to those who do not see its marks. */
const NAMED = 10;

/** Not drawn as a chart of its own: two rows of bars say it, and cost nothing. */
export function Trend({ id }: { id: string }) {
  const [chosen, choose] = useFilter("period");
  const period = chosen === "30d" ? "30d" : "24h";
  const stats = useIssueStats(id, period);
  if (stats.data === null || stats.isError) return null;
  const counts = stats.data?.counts ?? [];
  const marks = marksOf({ buckets: stats.data?.buckets ?? [], releases: stats.data?.releases ?? [] });
  const names = marks.flatMap(({ title }) => title.split("\n")).slice(-NAMED);
  const newest = stats.data?.releases?.slice(-3) ?? [];
  return (
    <Panel
      title="Trend"
      actions={
        <div className="segments small" role="group" aria-label="Period">
          {(["24h", "30d"] as const).map((p) => (
            <button key={p} type="button" aria-pressed={p === period} onClick={() => choose(p === "24h" ? null : p)}>
              {p}
            </button>
          ))}
        </div>
      }
    >
      <div className="trend">
        <Sparkline counts={counts} marks={marks} label={`Events in the last ${period}: ${full(counts.reduce((a, b) => a + b, 0))}${names.length === 0 ? "" : `. Releases: ${names.join("; ")}`}`} />
        <p className="muted">
          {plural(counts.reduce((a, b) => a + b, 0), "event")}, at most {full(Math.max(0, ...counts))} per {period === "24h" ? "hour" : "day"}
        </p>
        {newest.length > 0 && <p className="marks"><span className="sr">Releases: </span>{newest.map(({ version, first_seen: at }) => <span key={version}><Untrusted limit={40}>{version}</Untrusted> <span className="muted"><Time at={at} /></span></span>)}</p>}
      </div>
    </Panel>
  );
}

export function Dates({ issue }: { issue: Issue }) {
  return (
    <Panel title="Seen">
      <dl className="facts side">
        <div>
          <dt>Last</dt>
          <dd><Time at={issue.last_seen} /></dd>
        </div>
        <div>
          <dt>First</dt>
          <dd>
            <Time at={issue.first_seen} />
          </dd>
        </div>
        {issue.first_release !== null && (
          <div>
            <dt>First in</dt>
            <dd><Untrusted limit={80}>{issue.first_release}</Untrusted></dd>
          </div>
        )}
        {issue.resolved_at !== null && (
          <div>
            <dt>Resolved</dt>
            <dd><Time at={issue.resolved_at} /></dd>
          </div>
        )}
        {issue.regressions > 0 && (
          <div>
            <dt>Came back</dt>
            <dd>{issue.regressions === 1 ? "once" : `${issue.regressions} times`}</dd>
          </div>
        )}
      </dl>
      {(issue.releases ?? []).length > 1 && (
        <details className="part">
          <summary>
            Releases <span className="muted">{issue.releases?.length}</span>
          </summary>
          <ul className="plainlist">{issue.releases?.map((release) => <li key={release}><Untrusted limit={100}>{release}</Untrusted></li>)}</ul>
        </details>
      )}
    </Panel>
  );
}

/** How the events of the issue spread over their tags: the latest of them, which are all where there are few. */
export function TagSpread({ id, issue }: { id: string; issue: Issue }) {
  const { items: tags = [], events = 0 } = useIssueTags(id).data ?? {};
  if (tags.length === 0) return null;
  return (
    <Panel title={events < issue.count ? `Tags of the latest ${plural(events, "event")}` : "Tags of all events"}>
      {tags.slice(0, 12).map(({ key, total, values }) => (
        <div key={key} className="spread">
          <h3><Untrusted limit={60}>{key}</Untrusted></h3>
          <ul>
            {values.slice(0, 4).map(({ value, count }) => (
              <li key={value}>
                <Link className="spreadname" to={`/issues?status=all&query=${encodeURIComponent(withFilter("", key, value))}`} title="Issues with this tag"><Untrusted limit={80}>{value}</Untrusted></Link>
                <span className="muted" title={`${full(count)} of ${full(total)}`}>{total === 0 ? "" : `${Math.round((count / total) * 100)}%`} · {compact(count)}</span>
                <Meter part={count} whole={total} />
              </li>
            ))}
          </ul>
        </div>
      ))}
    </Panel>
  );
}
