import { useQueries } from "@tanstack/react-query";
import { Link } from "react-router-dom";
import { get } from "../../api/client.ts";
import { useProjects, useStats, useTopIssues } from "../../api/queries.ts";
import type { Issue, List, Outcome, Project, Stats } from "../../api/types.ts";
import { compact, full, plural } from "../../lib/format.ts";
import { useFilter, useKeepProject, useTitle } from "../../lib/hooks.ts";
import { CALM } from "../../lib/live.ts";
import { splitTitle } from "../../lib/text.ts";
import { shade, StackedChart, type Series } from "../../ui/chart.tsx";
import { ButtonLink, Empty, Failure, LevelBadge, Page, Panel, PriorityBadge, Skeleton } from "../../ui/kit.tsx";
import { Sparkline } from "../../ui/spark.tsx";
import { Time, Untrusted } from "../../ui/text.tsx";
import { BugleHealth } from "./health.tsx";
import { Highlights } from "./highlights.tsx";
import { hourly } from "./hourly.ts";

const PERIODS = ["24h", "14d", "30d"] as const;
const LEVELS = ["fatal", "error", "warning", "info", "debug"] as const;
const MAX_SERIES = 6;

/** The busiest projects each on their own, the rest together. */
function byProject(stats: Stats): Series[] {
  const sum = (counts: number[]): number => counts.reduce((a, b) => a + b, 0);
  const busiest = [...stats.by_project].filter((p) => sum(p.counts) > 0).sort((a, b) => sum(b.counts) - sum(a.counts));
  const shown = busiest.slice(0, busiest.length > MAX_SERIES ? MAX_SERIES - 1 : MAX_SERIES).map((p, index) => ({ name: p.name, color: shade(index), counts: p.counts }));
  const rest = busiest.slice(shown.length);
  return rest.length === 0 ? shown : [...shown, { name: "others", color: "--chart-rest", counts: stats.buckets.map((_, at) => rest.reduce((total, p) => total + (p.counts[at] ?? 0), 0)) }];
}

const byLevel = (stats: Stats): Series[] => LEVELS.flatMap((level) => stats.by_level.filter((l) => l.level === level && l.counts.some((n) => n > 0)).map((l) => ({ name: level, color: `--level-${level}`, counts: l.counts })));

/** What was recorded in the last day, for servers without statistics: their outcomes know it by hour. */
function useHourly(projects: Project[], enabled: boolean): Stats | undefined {
  const answers = useQueries({
    queries: projects.slice(0, 20).map((project) => ({
      queryKey: ["outcomes", project.id, 24],
      queryFn: ({ signal }: { signal: AbortSignal }) => get<List<Outcome>>("/outcomes", { params: { project: project.id }, signal }),
      enabled,
      ...CALM,
    })),
  });
  if (!enabled || answers.some((a) => a.data === undefined)) return undefined;
  return hourly(projects, answers.flatMap((a) => a.data?.items ?? []), Date.now());
}

function Chart({ project }: { project: string | null }) {
  const [period, setPeriod] = useFilter("period");
  const [by, setBy] = useFilter("by");
  const stats = useStats(project, period ?? "24h");
  const projects = (useProjects().data ?? []).filter((p) => project === null || p.name === project || String(p.id) === project);
  const fallback = useHourly(projects, stats.data === null);
  const data = stats.data ?? fallback;
  const levels = by === "level" && (data?.by_level.length ?? 0) > 0;
  return (
    <Panel
      title="Errors"
      actions={
        <div className="actions">
          {stats.data !== null && (
            <>
              <div className="segments small" role="group" aria-label="Stacked by">
                {(["project", "level"] as const).map((b) => (
                  <button key={b} type="button" aria-pressed={(by ?? "project") === b} onClick={() => setBy(b === "project" ? null : b)}>
                    {b}
                  </button>
                ))}
              </div>
              <div className="segments small" role="group" aria-label="Period">
                {PERIODS.map((p) => (
                  <button key={p} type="button" aria-pressed={(period ?? "24h") === p} onClick={() => setPeriod(p === "24h" ? null : p)}>
                    {p}
                  </button>
                ))}
              </div>
            </>
          )}
        </div>
      }
    >
      {stats.isError && <Failure error={stats.error} retry={() => void stats.refetch()} />}
      {data !== undefined && <StackedChart buckets={data.buckets} series={levels ? byLevel(data) : byProject(data)} label={`Errors, last ${period ?? "24h"}`} height={220} />}
      {data === undefined && !stats.isError && <div className="chartspace" />}
    </Panel>
  );
}

function Numbers({ project, issues }: { project: string | null; issues: List<Issue> | undefined }) {
  const [period] = useFilter("period");
  const stats = useStats(project, period ?? "24h").data;
  const day = Date.now() - 86_400_000;
  const items = issues?.items ?? [];
  const more = issues !== undefined && issues.next !== null ? "+" : "";
  const cards: [string, string, string, string][] = [
    ["New", stats ? full(stats.new_issues) : full(items.filter((i) => Date.parse(i.first_seen) > day).length) + more, `in ${period ?? "24h"}`, "new"],
    ["Came back", stats ? full(stats.regressed_issues) : full(items.filter((i) => i.regressions > 0).length) + more, "after they were resolved", stats?.regressed_issues === 0 ? "open" : "regressed"],
    ["Unresolved", stats ? full(stats.unresolved) : full(items.length) + more, "in all", "open"],
  ];
  return (
    <dl className="numbers">
      {cards.map(([name, value, note, kind]) => (
        <div key={name} className={kind}>
          <dt>{name}</dt>
          <dd>{stats === undefined && issues === undefined ? "–" : value}</dd>
          <dd className="note">{note}</dd>
        </div>
      ))}
    </dl>
  );
}

function Top({ issues }: { issues: Issue[] }) {
  const keep = useKeepProject();
  const top = [...issues].sort((a, b) => b.count - a.count).slice(0, 8);
  if (top.length === 0) return <Empty icon="check" title="All quiet">Nothing is unresolved.</Empty>;
  return (
    <ol className="top">
      {top.map((issue) => {
        const [type, message] = splitTitle(issue.title, issue.error_type);
        return (
          <li key={issue.id}>
            <span className={`edge ${issue.level}`} aria-hidden="true" />
            <div className="rowmain">
              <Link to={keep(`/issues/${issue.short_id}`)} className="rowtitle">
                <strong><Untrusted limit={120}>{type}</Untrusted></strong> <span><Untrusted limit={160}>{message}</Untrusted></span>
              </Link>
              <div className="rowmeta">
                <span className="shortid">{issue.short_id}</span>
                <LevelBadge level={issue.level} />
                <PriorityBadge priority={issue.priority} />
                <span className="muted"><Time at={issue.last_seen} /></span>
              </div>
            </div>
            <Sparkline counts={issue.sparkline} label="Events in the last 24 hours" />
            <span className="rownumber">
              <span title={plural(issue.count, "event")}>{compact(issue.count)}</span>
              <small>{issue.count === 1 ? "event" : "events"}</small>
            </span>
          </li>
        );
      })}
    </ol>
  );
}

export default function Overview() {
  useTitle("Overview");
  const [project] = useFilter("project");
  const [period] = useFilter("period");
  const keep = useKeepProject();
  const top = useTopIssues(project);
  const projects = useProjects();
  if (projects.data?.length === 0) {
    return (
      <Page title="Overview">
        <Empty icon="projects" title="Connect your first app" action={<ButtonLink to="/projects/new" look="primary" icon="plus">Create a project</ButtonLink>}>
          A project is one app or service. Creating one takes less than a minute.
        </Empty>
      </Page>
    );
  }
  return (
    <Page title="Overview" lead={project ?? "All projects"}>
      <Numbers project={project} issues={top.data} />
      <Chart project={project} />
      <Highlights project={project} period={period ?? "24h"} />
      <div className="split">
        <Panel title="Top unresolved" actions={<ButtonLink to={keep("/issues?sort=events")} look="quiet">All issues</ButtonLink>}>
          {top.isPending && <Skeleton rows={8} height={52} />}
          {top.isError && <Failure error={top.error} retry={() => void top.refetch()} />}
          {top.data !== undefined && <Top issues={top.data.items} />}
        </Panel>
        <BugleHealth />
      </div>
    </Page>
  );
}
