import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/client.ts";
import { useProjects } from "../../api/queries.ts";
import type { List, Outcome } from "../../api/types.ts";
import { full } from "../../lib/format.ts";
import { useFilter } from "../../lib/hooks.ts";
import { CALM } from "../../lib/live.ts";
import { StackedChart, type Series } from "../../ui/chart.tsx";
import { Empty, Failure, Panel } from "../../ui/kit.tsx";
import { Cell, right, Row, Table } from "../../ui/table.tsx";
import { hours } from "../overview/hourly.ts";

const COLORS: Record<string, string> = {
  recorded: "--good", filtered: "--chart-2", rate_limited: "--level-warning", invalid: "--level-error", client_discarded: "--chart-5", unsupported: "--chart-rest", duplicate: "--chart-4", too_large: "--level-fatal",
};

/** So many projects are asked for at most when all are summed: the server knows them one by one. */
const MOST = 50;

/** What became of what a project was sent since then, page by page. */
async function since(project: string, from: string | undefined, signal: AbortSignal): Promise<Outcome[]> {
  const items: Outcome[] = [];
  let cursor: string | null = null;
  do {
    const list: List<Outcome> = await get<List<Outcome>>("/outcomes", { params: { project, from, cursor }, signal });
    items.push(...list.items);
    cursor = list.next;
  } while (cursor !== null);
  return items;
}

/** The outcomes of whole hours, the current one the last: the chart and the table count the same ones. */
const useHours = (projects: string[], count: number, enabled: boolean) =>
  useQuery({
    queryKey: ["outcomes", "hours", projects, count],
    queryFn: async ({ signal }) => {
      const buckets = hours(Date.now(), count);
      const found = await Promise.all(projects.map((project) => since(project, buckets[0], signal)));
      // The server's clock may be in another hour than this one.
      const shown = new Set(buckets.map((bucket) => Date.parse(bucket)));
      return { buckets, items: found.flat().filter(({ hour }) => shown.has(Date.parse(hour))) };
    },
    enabled,
    ...CALM,
  });

function series(outcomes: Outcome[], buckets: string[]): Series[] {
  const place = new Map(buckets.map((bucket, index) => [Date.parse(bucket), index]));
  const sums = new Map<string, number[]>();
  for (const { outcome, hour, quantity } of outcomes) {
    const counts = sums.get(outcome) ?? buckets.map(() => 0);
    const at = place.get(Date.parse(hour));
    if (at !== undefined) counts[at] = (counts[at] ?? 0) + quantity;
    sums.set(outcome, counts);
  }
  const order = [...Object.keys(COLORS)];
  return [...sums.entries()].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)).map(([name, counts]) => ({ name: name.replace(/_/g, " "), color: COLORS[name] ?? "--chart-6", counts }));
}

function reasons(outcomes: Outcome[]): [string, string, string, number][] {
  const sums = new Map<string, [string, string, string, number]>();
  for (const { outcome, reason, category, quantity } of outcomes) {
    const key = `${outcome} ${reason} ${category}`;
    const known = sums.get(key);
    if (known === undefined) sums.set(key, [outcome, reason, category, quantity]);
    else known[3] += quantity;
  }
  return [...sums.values()].sort((a, b) => b[3] - a[3]);
}

/** What became of everything that was sent. */
export function Outcomes({ admin }: { admin: boolean }) {
  const all = useProjects();
  const projects = all.data ?? [];
  const [chosen, choose] = useFilter("project");
  const [period, setPeriod] = useFilter("hours");
  const count = period === "168" ? 168 : 24;
  const project = projects.find((p) => String(p.id) === chosen)?.name ?? chosen;
  const outcomes = useHours(project === null ? projects.slice(0, MOST).map((p) => String(p.id)) : [project], count, project !== null || all.isSuccess);
  const { buckets, items } = outcomes.data ?? { buckets: [], items: [] };
  const failed = project === null && all.isError ? all : outcomes;
  return (
    <Panel
      title="What became of what apps sent"
      actions={
        <div className="actions">
          <div className="segments small" role="group" aria-label="Period">
            {[["", "24 h"], ["168", "7 d"]].map(([value = "", label]) => (
              <button key={value} type="button" aria-pressed={(period ?? "") === value} onClick={() => setPeriod(value === "" ? null : value)}>
                {label}
              </button>
            ))}
          </div>
          <select aria-label="Project" value={project ?? ""} onChange={(event) => choose(event.target.value)}>
            <option value="">All projects</option>
            {projects.map((p) => <option key={p.id} value={p.name}>{p.name}</option>)}
            {admin && <option value="none">unknown projects</option>}
          </select>
        </div>
      }
    >
      {failed.isError && <Failure error={failed.error} retry={() => void failed.refetch()} />}
      {outcomes.isPending && !failed.isError && <div className="chartspace" />}
      {project === null && projects.length > MOST && <p className="pad muted">The first {MOST} of {projects.length} projects. Choose one to see another.</p>}
      {outcomes.isSuccess && items.length === 0 && <Empty icon="overview" title="Nothing was sent">{project === null ? "In this time, by any project." : "In this time, by this project."}</Empty>}
      {items.length > 0 && (
        <>
          <StackedChart buckets={buckets} series={series(items, buckets)} label={`Outcomes of ${project ?? "all projects"}`} height={200} />
          <Table label="Outcomes by reason" columns={["Outcome", "Reason", "Of", right("How many")]}>
            {reasons(items).map(([outcome, reason, category, quantity]) => (
              <Row key={`${outcome} ${reason} ${category}`}>
                <Cell>{outcome.replace(/_/g, " ")}</Cell>
                <Cell>{reason === "" ? <span className="muted">–</span> : reason}</Cell>
                <Cell>{category}</Cell>
                <Cell>{full(quantity)}</Cell>
              </Row>
            ))}
          </Table>
        </>
      )}
    </Panel>
  );
}
