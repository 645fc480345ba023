import { useNames, useSpread } from "../../api/oncall.ts";
import type { Schedule } from "../../api/types.ts";
import { Failure, Panel, Skeleton } from "../../ui/kit.tsx";
import { Cell, right, Row, Table } from "../../ui/table.tsx";
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
          <Table label="Hours on call" columns={["Who", right("Hours"), right("At night"), right("At weekends"), right("Of the average")]}>
            {data.people.map((one) => (
              <Row key={one.who}>
                <Cell><Untrusted limit={60}>{name(one.who)}</Untrusted></Cell>
                <Cell>{hours(one.hours)}</Cell>
                <Cell>{hours(one.night_hours)}</Cell>
                <Cell>{hours(one.weekend_hours)}</Cell>
                <Cell>{hours(100 + one.over_average)} %</Cell>
              </Row>
            ))}
          </Table>
          <p className="pad muted">Somebody is on call {hours(data.coverage)} % of the time. Nights are from 22 to 7 o'clock in each person's own zone.</p>
        </>
      )}
    </Panel>
  );
}
