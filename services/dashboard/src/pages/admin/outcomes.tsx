import { useOutcomes, useProjects } from "../../api/queries.ts";
import type { Outcome } from "../../api/types.ts";
import { full } from "../../lib/format.ts";
import { useFilter } from "../../lib/hooks.ts";
import { StackedChart, type Series } from "../../ui/chart.tsx";
import { Empty, Failure, Panel, Table } from "../../ui/kit.tsx";
import { hours } from "../overview/hourly.ts";

const COLORS: Record<string, string> = {
  recorded: "--good", filtered: "--chart-2", rate_limited: "--level-warning", invalid: "--level-error", client_discarded: "--chart-5", unsupported: "--chart-rest", duplicate: "--chart-4", too_large: "--level-fatal",
};

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
export function Outcomes() {
  const projects = useProjects().data ?? [];
  const [chosen, choose] = useFilter("project");
  const [period, setPeriod] = useFilter("hours");
  const count = period === "168" ? 168 : 24;
  const project = chosen ?? projects[0]?.name ?? null;
  const outcomes = useOutcomes(project, count);
  const items = outcomes.data?.items ?? [];
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
            {projects.map((p) => <option key={p.id} value={p.name}>{p.name}</option>)}
            <option value="none">unknown projects</option>
          </select>
        </div>
      }
    >
      {outcomes.isError && <Failure error={outcomes.error} retry={() => void outcomes.refetch()} />}
      {outcomes.isPending && <div className="chartspace" />}
      {outcomes.isSuccess && items.length === 0 && <Empty icon="overview" title="Nothing was sent">In this time, by this project.</Empty>}
      {items.length > 0 && (
        <>
          <StackedChart buckets={hours(Date.now(), count)} series={series(items, hours(Date.now(), count))} label={`Outcomes of ${project ?? ""}`} height={200} />
          <Table label="Outcomes by reason">
            <thead>
              <tr>
                <th scope="col">Outcome</th>
                <th scope="col">Reason</th>
                <th scope="col">Of</th>
                <th scope="col" className="right">How many</th>
              </tr>
            </thead>
            <tbody>
              {reasons(items).map(([outcome, reason, category, quantity]) => (
                <tr key={`${outcome} ${reason} ${category}`}>
                  <td>{outcome.replace(/_/g, " ")}</td>
                  <td>{reason === "" ? <span className="muted">–</span> : reason}</td>
                  <td>{category}</td>
                  <td className="right">{full(quantity)}</td>
                </tr>
              ))}
            </tbody>
          </Table>
        </>
      )}
    </Panel>
  );
}
