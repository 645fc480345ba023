import { useNames, useSpread } from "../../api/oncall.ts";
import type { Schedule } from "../../api/types.ts";
import { Failure, Panel, Skeleton, Table } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";

const hours = (number: number): string => number.toLocaleString("en-US", { maximumFractionDigits: 0 });

/** How evenly being on call is spread over the coming weeks. */
export function Spread({ schedule }: { schedule: Schedule }) {
  const spread = useSpread(schedule.id);
  const name = useNames();
  const { data } = spread;
  return (
    <Panel title="The next 12 weeks">
      {spread.isPending && <Skeleton rows={2} />}
      {spread.isError && <Failure error={spread.error} retry={() => void spread.refetch()} />}
      {data?.people.length === 0 && <p className="pad muted">Nobody is on call.</p>}
      {data !== undefined && data.people.length > 0 && (
        <>
          <Table label="Hours on call">
            <thead>
              <tr><th scope="col">Who</th><th scope="col" className="right">Hours</th><th scope="col" className="right">At night</th><th scope="col" className="right">At weekends</th><th scope="col" className="right">Of the average</th></tr>
            </thead>
            <tbody>
              {data.people.map((one) => (
                <tr key={one.who}>
                  <td><Untrusted limit={60}>{name(one.who)}</Untrusted></td>
                  <td className="right">{hours(one.hours)}</td>
                  <td className="right">{hours(one.night_hours)}</td>
                  <td className="right">{hours(one.weekend_hours)}</td>
                  <td className="right">{hours(100 + one.over_average)} %</td>
                </tr>
              ))}
            </tbody>
          </Table>
          <p className="pad muted">Somebody is on call {hours(data.coverage)} % of the time. Nights are from 22 to 7 o'clock in each person's own zone.</p>
        </>
      )}
    </Panel>
  );
}
