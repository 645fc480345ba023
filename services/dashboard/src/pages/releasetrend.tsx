import { useQuery } from "@tanstack/react-query";
import { get } from "../api/client.ts";
import type { ReleaseTrend } from "../api/types.ts";
import { full, plural } from "../lib/format.ts";
import { useFilter } from "../lib/hooks.ts";
import { absolute } from "../lib/time.ts";
import { StackedChart } from "../ui/chart.tsx";
import { Failure, Panel } from "../ui/kit.tsx";
import { Cell, Row, Table } from "../ui/table.tsx";
import { Time } from "../ui/text.tsx";

const PERIODS = [["24h", "by the hour"], ["14d", "by the day"]] as const;
const sum = (counts: number[]): number => counts.reduce((a, b) => a + b, 0);

/** What the chart shows in a sentence, and number by number: for whoever cannot see it, and for whoever wants to know exactly. */
function InWords({ trend: { before, after, buckets, hours, came_at, came_by } }: { trend: ReleaseTrend }) {
  const unit = hours === 1 ? "hour" : "day";
  return (
    <>
      <p className="pad">
        {plural(sum(before), "event")} in the {plural(before.length, unit)} before, {full(sum(after))} in the {plural(after.length, unit)} since its first {came_by}, {came_at !== null && <Time at={came_at} />}.
      </p>
      <details className="pad">
        <summary>The numbers</summary>
        <Table label="Events before and since" columns={["From", "Release", "Events"]}>
          {[...before, ...after].map((events, place) => (
            <Row key={buckets[place]}><Cell>{absolute(buckets[place] ?? "")}</Cell><Cell>{place < before.length ? "before" : "since"}</Cell><Cell>{full(events)}</Cell></Row>
          ))}
        </Table>
      </details>
    </>
  );
}

/** Events of the project, of whatever release, around the time at which this one came. */
export function Trend({ release, project }: { release: string; project: string }) {
  const [chosen, choose] = useFilter("trend");
  const period = chosen ?? "24h";
  const trend = useQuery({ queryKey: ["release", release, "trend", period], queryFn: ({ signal }) => get<ReleaseTrend>(`/releases/${encodeURIComponent(release)}/trend`, { params: { period }, signal }) });
  const data = trend.data;
  if (data?.came_at === null) return null;
  const none = (counts: number[]): number[] => counts.map(() => 0);
  return (
    <Panel
      title="Before and since"
      actions={
        <div className="segments small" role="group" aria-label="Period">
          {PERIODS.map(([name, says]) => (
            <button key={name} type="button" aria-pressed={period === name} title={says} onClick={() => choose(name === "24h" ? null : name)}>
              {name}
            </button>
          ))}
        </div>
      }
    >
      {trend.isError && <Failure error={trend.error} retry={() => void trend.refetch()} />}
      {trend.isPending && <div className="chartspace" />}
      {data !== undefined && (
        <>
          <StackedChart
            buckets={data.buckets}
            series={[
              { name: "before", color: "--chart-rest", counts: [...data.before, ...none(data.after)] },
              { name: "since", color: "--chart-1", counts: [...none(data.before), ...data.after] },
            ]}
            label={`Events of ${project} before and since the release`}
          />
          <InWords trend={data} />
        </>
      )}
    </Panel>
  );
}
