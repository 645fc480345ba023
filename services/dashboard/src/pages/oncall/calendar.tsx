import { useState, type PointerEvent } from "react";
import { Link } from "react-router-dom";
import { useCalendar, useNames, useSchedules } from "../../api/oncall.ts";
import type { Calendar, Schedule } from "../../api/types.ts";
import { useFilter, useNow } from "../../lib/hooks.ts";
import { minutes } from "../../lib/time.ts";
import { dayName, dayStart, inZone, isDay, monday, plusDays, wallOf } from "../../lib/zone.ts";
import { Failure, IconButton, Panel, Skeleton, Button } from "../../ui/kit.tsx";
import { Cell, Row, Table } from "../../ui/table.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { position, weeks, type Bar, type Row as BarRow, type Week } from "./strip.ts";

const LANE_PX = 26;
const COLOURS = 6;

/** Each person of a schedule has a colour, by their place in it. */
function useColours(schedule: Schedule): (who: number) => string {
  const people = [...new Set(schedule.layers.flatMap((layer) => layer.participants).filter((who) => who !== null))];
  return (who) => `p${((people.indexOf(who) + COLOURS) % COLOURS) + 1}`;
}

interface Draw { zone: string; long: boolean; colour: (who: number) => string; name: (who: number) => string }

function BarOf({ bar, draw }: { bar: Bar; draw: Draw }) {
  const { zone, long } = draw;
  const who = bar.who === null ? "nobody" : draw.name(bar.who);
  const times = `${inZone(bar.start, zone)} – ${inZone(bar.end, zone)}`;
  const hours = `${wallOf(bar.start, zone).slice(11)}–${wallOf(bar.end, zone).slice(11)}`;
  return (
    <span className={`calbar ${bar.who === null ? "gap" : draw.colour(bar.who)}`} title={`${who}: ${times}`} style={{ left: `${bar.left}%`, width: `${bar.width}%`, top: bar.lane * LANE_PX }}>
      <Untrusted limit={40}>{who}</Untrusted> {long && bar.width > 22 && <small>{hours}</small>}
    </span>
  );
}

function RowOf({ row, draw }: { row: BarRow; draw: Draw }) {
  return (
    <div className={`calrow ${row.kind}`}>
      <span className="calrowname">{row.name}</span>
      <div className="callanes" style={{ height: row.lanes * LANE_PX }}>
        {row.bars.map((bar) => <BarOf key={`${bar.who ?? "gap"}-${bar.start}`} bar={bar} draw={draw} />)}
      </div>
    </div>
  );
}

type Pick = (first: string, last: string) => void;

interface Drag { marked: (day: string) => boolean; begin: (day: string) => void; over: (event: PointerEvent) => void; end: (event: PointerEvent) => void }

const dayUnder = ({ clientX, clientY }: PointerEvent): string | null => document.elementFromPoint(clientX, clientY)?.closest<HTMLElement>("[data-day]")?.dataset["day"] ?? null;

/** A span of days that the mouse is drawn over, also from week to week. */
function useDrag(pick: Pick | null): Drag {
  const [span, setSpan] = useState<[string, string] | null>(null);
  const [from, to] = span === null ? ["", ""] : span[0] <= span[1] ? span : [span[1], span[0]];
  return {
    marked: (day) => span !== null && from <= day && day <= to,
    begin: (day) => setSpan([day, day]),
    over: (event) => {
      // It was let go outside of the calendar.
      if (event.buttons === 0) setSpan(null);
      else if (span !== null) setSpan([span[0], dayUnder(event) ?? span[1]]);
    },
    end: (event) => {
      // On one day it is a click.
      if (span !== null && from !== to && dayUnder(event) !== null) pick?.(from, to);
      setSpan(null);
    },
  };
}

/** The days of a week as columns behind its bars; where somebody may make an override each is a button. */
function Days({ week, today, pick, drag }: { week: Week; today: string; pick: Pick | null; drag: Drag }) {
  return (
    <div className="caldays">
      {week.days.map((day) => {
        const label = dayName(day);
        const className = `calday ${day === today ? "today" : ""} ${drag.marked(day) ? "marked" : ""}`;
        if (pick === null) return <div key={day} className={className}>{label}</div>;
        return (
          <button
            key={day} type="button" className={className} data-day={day} aria-label={`Override on ${label}`} onClick={() => pick(day, day)}
            onPointerDown={(event) => event.pointerType === "mouse" && event.button === 0 && drag.begin(day)} onPointerMove={drag.over} onPointerUp={drag.end}
          >
            <span aria-hidden="true">{label}</span>
          </button>
        );
      })}
    </div>
  );
}

function WeekOf({ week, draw, now, pick, drag }: { week: Week; draw: Draw; now: number; pick: Pick | null; drag: Drag }) {
  const [begins = 0, ends = 0] = [week.starts[0], week.starts.at(-1)];
  return (
    <div className="calweek">
      <Days week={week} today={wallOf(now, draw.zone).slice(0, 10)} pick={pick} drag={drag} />
      {/* What the bars say stands in the list of shifts too. */}
      <div className="calrows" aria-hidden="true">
        {week.rows.map((row) => <RowOf key={row.kind + row.name} row={row} draw={draw} />)}
        {now >= begins && now < ends && <span className="calnow" style={{ left: `${position(week.starts, now)}%` }} />}
      </div>
    </div>
  );
}

/** The same in words. */
function Shifts({ all, draw }: { all: Week[]; draw: Draw }) {
  const seen = new Map<string, Bar>();
  for (const bar of all.flatMap((week) => week.rows.find((row) => row.kind === "final")?.bars ?? [])) seen.set(`${bar.who ?? "gap"}-${bar.start}`, bar);
  return (
    <details className="part">
      <summary>Shifts as a list <span className="muted">{seen.size}</span></summary>
      <Table label="Shifts" columns={["Who", "From", "To", "Length"]}>
        {[...seen].map(([key, bar]) => (
          <Row key={key}>
            <Cell>{bar.who === null ? <strong className="bad">nobody</strong> : <Untrusted limit={60}>{draw.name(bar.who)}</Untrusted>}</Cell>
            <Cell><time dateTime={new Date(bar.start).toISOString()}>{inZone(bar.start, draw.zone)}</time></Cell>
            <Cell><time dateTime={new Date(bar.end).toISOString()}>{inZone(bar.end, draw.zone)}</time></Cell>
            <Cell className="length">{minutes(Math.round((bar.end - bar.start) / 60_000))}</Cell>
          </Row>
        ))}
      </Table>
    </details>
  );
}

/** Who is asked for by another schedule of the team too. That can be meant, so it is said quietly. */
function DoubleBookings({ bookings, zone }: { bookings: Calendar["double_bookings"]; zone: string }) {
  const schedules = useSchedules().data;
  const name = useNames();
  if (bookings.length === 0) return null;
  return (
    <details className="pad">
      <summary>{bookings.length === 1 ? "Somebody is on call by two schedules at once" : `${bookings.length} times somebody is on call by two schedules at once`}</summary>
      <ul>
        {bookings.map((one) => (
          <li key={`${one.who}-${one.start}-${one.schedule}`}>
            <Untrusted limit={60}>{name(one.who)}</Untrusted>: {inZone(one.start, zone)} – {inZone(one.end, zone)}, also by{" "}
            <Link to={`/on-call/schedules/${one.schedule}`}><Untrusted limit={64}>{schedules?.find((other) => other.id === one.schedule)?.name ?? `schedule ${one.schedule}`}</Untrusted></Link>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Who will be on call, week by week, on the clocks of the schedule's zone. */
export function CalendarPanel({ schedule, pick }: { schedule: Schedule; pick: Pick | null }) {
  const { zone } = schedule;
  const now = useNow();
  const [from, setFrom] = useFilter("from");
  const [view, setView] = useFilter("view");
  const count = view === "week" ? 1 : 5;
  const first = monday(isDay(from) ? from : wallOf(now, zone).slice(0, 10));
  const instant = (day: string): string => new Date(dayStart(day, zone)).toISOString();
  const calendar = useCalendar(schedule.id, instant(first), instant(plusDays(first, count * 7)));
  const name = useNames();
  const colour = useColours(schedule);
  const drag = useDrag(pick);
  const step = count === 1 ? 7 : 28;
  const draw: Draw = { zone, long: count === 1, colour, name };
  // While a range is read, its days stand there already; of what was read before, what reaches into it.
  const all = calendar.data === undefined ? [] : weeks(calendar.data, first, count, zone, schedule.layers.length);
  const gaps = calendar.data?.gaps.length ?? 0;
  return (
    <Panel
      title="Calendar"
      actions={
        <div className="actions">
          <div className="segments small" role="group" aria-label="How much">
            {([["week", "Week"], ["", "Month"]] as const).map(([id, label]) => <button key={id} type="button" aria-pressed={(view ?? "") === id} onClick={() => setView(id === "" ? null : id)}>{label}</button>)}
          </div>
          <IconButton icon="left" label="Earlier" onClick={() => setFrom(plusDays(first, -step))} />
          <Button small onClick={() => setFrom(null)}>Today</Button>
          <IconButton icon="right" label="Later" onClick={() => setFrom(plusDays(first, step))} />
        </div>
      }
    >
      {calendar.isPending && <Skeleton rows={5} height={70} />}
      {calendar.isError && <Failure error={calendar.error} retry={() => void calendar.refetch()} />}
      {gaps > 0 && <p className="calwarn">{gaps === 1 ? "There is a time at which nobody is on call: it is hatched." : `There are ${gaps} times at which nobody is on call: they are hatched.`}</p>}
      <DoubleBookings bookings={calendar.data?.double_bookings ?? []} zone={zone} />
      <div className={`calendar ${pick === null ? "" : "pickable"}`} aria-busy={calendar.isPlaceholderData}>{all.map((week) => <WeekOf key={week.days[0]} week={week} draw={draw} now={now} pick={pick} drag={drag} />)}</div>
      {all.length > 0 && <Shifts all={all} draw={draw} />}
    </Panel>
  );
}
