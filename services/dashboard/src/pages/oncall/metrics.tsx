import { Link } from "react-router-dom";
import { useMetrics } from "../../api/oncall.ts";
import { useTeams } from "../../api/queries.ts";
import type { OnCallMetrics, Priority } from "../../api/types.ts";
import { full, plural } from "../../lib/format.ts";
import { useFilter, useKeepProject } from "../../lib/hooks.ts";
import { neutralise } from "../../lib/text.ts";
import { duration } from "../../lib/time.ts";
import { shade, StackedChart } from "../../ui/chart.tsx";
import { Absent, Empty, Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Cell, right, Row, Table } from "../../ui/table.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { CHANNELS } from "./parts.tsx";

const PERIODS = [["7d", 7], ["30d", 30], ["90d", 90]] as const;
const COLORS: Record<Priority, string> = { critical: "--level-error", high: "--level-warning", medium: "--level-info", low: "--level-debug" };

const sum = (counts: number[]): number => counts.reduce((all, count) => all + count, 0);
const took = (ms: number | null): string => (ms === null ? "–" : duration(ms));
const seconds = (length: number | null): string => took(length === null ? null : length * 1000);

function Numbers({ metrics }: { metrics: OnCallMetrics }) {
  const { time_to_acknowledge: answered, time_to_resolve: ended } = metrics;
  const sent = sum(metrics.channels.map((one) => one.sent));
  const failed = sum(metrics.channels.map((one) => one.failed));
  const cards: [string, string, string][] = [
    ["Incidents", full(sum(metrics.incidents.flatMap((one) => one.counts))), `${full(answered.incidents)} acknowledged, ${full(ended.incidents)} resolved`],
    ["Time to acknowledge", seconds(answered.median_seconds), `median; mean ${seconds(answered.mean_seconds)}`],
    ["Time to resolve", seconds(ended.median_seconds), `median; mean ${seconds(ended.mean_seconds)}`],
    ["Pages", full(sent), `${full(failed)} failed`],
  ];
  return (
    <dl className="numbers">
      {cards.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          <dd className="note">{note}</dd>
        </div>
      ))}
    </dl>
  );
}

function Channels({ metrics }: { metrics: OnCallMetrics }) {
  const keep = useKeepProject();
  return (
    <Panel title="Pages by channel">
      <StackedChart buckets={metrics.buckets} series={metrics.channels.map((one, index) => ({ name: CHANNELS[one.channel], color: shade(index), counts: one.counts }))} label="Pages" height={160} />
      <Table label="Delivery by channel" columns={["Channel", right("Sent"), right("Failed"), right("p50"), right("p95"), right("p99")]}>
        {metrics.channels.map((one) => (
          <Row key={one.channel}>
            <Cell><Link to={keep(`/notifications?channel=${one.channel}`)}>{CHANNELS[one.channel]}</Link></Cell>
            <Cell>{full(one.sent)}</Cell>
            <Cell>{one.failed === 0 ? "0" : <Link to={keep(`/notifications?channel=${one.channel}&state=failed`)}>{full(one.failed)}</Link>}</Cell>
            <Cell>{took(one.p50_ms)}</Cell>
            <Cell>{took(one.p95_ms)}</Cell>
            <Cell>{took(one.p99_ms)}</Cell>
          </Row>
        ))}
      </Table>
      <p className="pad muted">From the event, or from the time at which a later page was due, to the provider's acceptance. So many in 100 took no longer.</p>
    </Panel>
  );
}

function People({ metrics }: { metrics: OnCallMetrics }) {
  return (
    <Panel title="Who was paged">
      <Table label="Pages by person" columns={["Who", right("Pages"), right("At night"), right("Interrupted nights")]}>
        {metrics.people.map((one) => (
          <Row key={one.user}>
            <Cell><Untrusted limit={60}>{one.name}</Untrusted></Cell>
            <Cell>{full(one.pages)}</Cell>
            <Cell>{full(one.night_pages)}</Cell>
            <Cell>{full(one.interrupted_nights)}</Cell>
          </Row>
        ))}
      </Table>
      <p className="pad muted">Nights are from 22 to 7 o'clock in each person's own zone.</p>
    </Panel>
  );
}

function Shown({ metrics, days }: { metrics: OnCallMetrics; days: number }) {
  if (metrics.incidents.length === 0 && metrics.channels.length === 0) {
    return <Panel><Empty icon="check" title="All quiet">No incident was opened, and nobody was paged, in the last {plural(days, "day")}.</Empty></Panel>;
  }
  return (
    <>
      <Numbers metrics={metrics} />
      <Panel title="Incidents by priority">
        <StackedChart buckets={metrics.buckets} series={metrics.incidents.map((one) => ({ name: one.priority, color: COLORS[one.priority], counts: one.counts }))} label={`Incidents, last ${plural(days, "day")}`} height={160} />
      </Panel>
      {metrics.channels.length > 0 && <Channels metrics={metrics} />}
      {metrics.people.length > 0 && <People metrics={metrics} />}
    </>
  );
}

/** How on-call went: incidents, answers, pages, and whom they woke. */
export function Metrics() {
  const [period, setPeriod] = useFilter("period");
  const [team, setTeam] = useFilter("team");
  const teams = useTeams().data ?? [];
  const days = PERIODS.find(([name]) => name === period)?.[1] ?? 30;
  const metrics = useMetrics(days, team);
  return (
    <>
      <div className="tabbar">
        {teams.length > 1 && (
          <label className="inlinelabel">
            Team
            <select value={team ?? ""} onChange={(event) => setTeam(event.target.value === "" ? null : event.target.value)}>
              <option value="">all</option>
              {teams.map((one) => <option key={one.id} value={one.id}>{neutralise(one.name)}</option>)}
            </select>
          </label>
        )}
        <div className="segments" role="group" aria-label="Period">
          {PERIODS.map(([name, length]) => (
            <button key={name} type="button" aria-pressed={days === length} onClick={() => setPeriod(length === 30 ? null : name)}>
              {name}
            </button>
          ))}
        </div>
      </div>
      {metrics.isPending && <Skeleton />}
      {metrics.isError && <Failure error={metrics.error} retry={() => void metrics.refetch()} />}
      {metrics.data === null && <Panel><Absent what="How on-call went" /></Panel>}
      {metrics.data !== undefined && metrics.data !== null && <Shown metrics={metrics.data} days={days} />}
    </>
  );
}
