import { useState } from "react";
import { call } from "../../api/client.ts";
import { useCalendar, useMembers, useNames, useSwaps } from "../../api/oncall.ts";
import { useSession } from "../../api/session.ts";
import type { Schedule, Swap } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { moment, timeZone } from "../../lib/time.ts";
import { instantOf, inZone, plusDays, wallOf, type Wall } from "../../lib/zone.ts";
import { Button, Dialog, Failure, Form, Input, Panel, Select, Skeleton, Tag } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { ownShifts } from "./shifts.ts";

const STATES: Record<Swap["state"], string> = { open: "open", taken: "taken", declined: "declined", withdrawn: "withdrawn", past_due: "past due" };
/** How many weeks ahead one's own shifts are offered. */
const WEEKS = 12;

function AskDialog({ schedule, me, onClose }: { schedule: Schedule; me: number; onClose: () => void }) {
  const { zone } = schedule;
  const [today] = useState(() => wallOf(Date.now(), zone).slice(0, 10));
  const instant = (day: string): string => new Date(instantOf(`${day}T00:00`, zone)).toISOString();
  const calendar = useCalendar(schedule.id, instant(today), instant(plusDays(today, WEEKS * 7)));
  const members = (useMembers(schedule.team).data ?? []).filter((member) => !member.disabled && member.id !== me);
  const [chosen, setChosen] = useState("");
  const [from, setFrom] = useState<Wall>("");
  const [to, setTo] = useState<Wall>("");
  const [colleague, setColleague] = useState("");
  const [note, setNote] = useState("");
  const shifts = ownShifts(calendar.data?.shifts ?? [], me);
  const [begins, ends] = [instantOf(from, zone), instantOf(to, zone)];
  const good = !Number.isNaN(begins) && !Number.isNaN(ends);
  const choose = (start: string): void => {
    const shift = shifts.find((one) => one.start === start);
    setChosen(start);
    setFrom(shift === undefined ? "" : wallOf(Date.parse(shift.start), zone));
    setTo(shift === undefined ? "" : wallOf(Date.parse(shift.end), zone));
  };
  const ask = useChange(
    () => call("POST", `/schedules/${schedule.id}/swaps`, { body: { start: new Date(begins).toISOString(), end: new Date(ends).toISOString(), note, ...(colleague === "" ? {} : { with: Number(colleague) }) } }),
    { touches: ["schedules"], done: "Your colleagues are asked" },
  );
  const elsewhere = timeZone() !== zone;
  return (
    <Dialog title="Who takes my shift?" onClose={onClose}>
      {calendar.isPending && <Skeleton rows={3} />}
      {calendar.isError && <Failure error={calendar.error} retry={() => void calendar.refetch()} />}
      {calendar.data !== undefined && shifts.length === 0 && <p>You are not on call in the next {WEEKS} weeks.</p>}
      {shifts.length > 0 && (
        <Form onSubmit={() => good && ask.mutate(undefined, { onSuccess: onClose })}>
          <Select label="My shift" value={chosen} onChange={(event) => choose(event.target.value)} options={[["", "Choose…"], ...shifts.map((shift) => [shift.start, `${inZone(shift.start, zone)} – ${inZone(shift.end, zone)}`] as const)]} />
          <Input label="From" type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} error={ask.wrong("start")} help={`${zone.replace(/_/g, " ")}. It can be a part of the shift.`} />
          <Input label="To" type="datetime-local" value={to} onChange={(event) => setTo(event.target.value)} error={ask.wrong("end")} help={elsewhere && good ? `For you: ${moment(new Date(begins).toISOString())} – ${moment(new Date(ends).toISOString())}` : undefined} />
          <Select label="Whom I ask" value={colleague} onChange={(event) => setColleague(event.target.value)} options={[["", "Everybody of the team"], ...members.map((member) => [String(member.id), member.name] as const)]} error={ask.wrong("with")} />
          <Input label="Why (optional)" value={note} maxLength={500} onChange={(event) => setNote(event.target.value)} error={ask.wrong("note")} />
          <div className="dialogactions"><Button type="submit" look="primary" busy={ask.isPending} disabled={!good}>Ask</Button></div>
        </Form>
      )}
    </Dialog>
  );
}

function Sentence({ swap }: { swap: Swap }) {
  const name = useNames();
  const person = (id: number) => <Untrusted limit={60}>{name(id)}</Untrusted>;
  if (swap.state === "taken") return <><strong>{swap.taken_by === null ? "somebody" : person(swap.taken_by)}</strong> takes the shift of {person(swap.asked_by)}</>;
  return <><strong>{person(swap.asked_by)}</strong> asks {swap.with === null ? "who takes their shift" : <>{person(swap.with)} to take their shift</>}</>;
}

function Answers({ schedule, swap, me }: { schedule: Schedule; swap: Swap; me: number | undefined }) {
  const members = useMembers(schedule.team).data ?? [];
  const path = `/schedules/${schedule.id}/swaps/${swap.id}`;
  const take = useChange(() => call("POST", `${path}/take`, { body: {} }), { touches: ["schedules"], done: "You take the shift" });
  const decline = useChange(() => call("POST", `${path}/decline`, { body: {} }), { touches: ["schedules"], done: "You have declined" });
  const withdraw = useChange(() => call("POST", `${path}/withdraw`, { body: {} }), { touches: ["schedules"], done: "The request is withdrawn" });
  if (swap.state !== "open" || me === undefined) return <Tag>{STATES[swap.state]}</Tag>;
  if (swap.asked_by === me) return <Button small busy={withdraw.isPending} onClick={() => withdraw.mutate(undefined)}>Withdraw</Button>;
  const isAsked = swap.with === null ? members.some((member) => member.id === me) : swap.with === me;
  if (!isAsked) return <Tag>open</Tag>;
  if (swap.declined_by.includes(me)) return <Tag>you have declined</Tag>;
  return (
    <span className="actions">
      <Button small look="primary" busy={take.isPending} onClick={() => take.mutate(undefined)}>Take it</Button>
      <Button small busy={decline.isPending} onClick={() => decline.mutate(undefined)}>Decline</Button>
    </span>
  );
}

/** Shifts that change hands by consent. */
export function Swaps({ schedule }: { schedule: Schedule }) {
  const swaps = useSwaps(schedule.id);
  const session = useSession();
  const me = session.kind === "user" ? session.user.id : undefined;
  const [asking, setAsking] = useState(false);
  return (
    <Panel title="Swaps" actions={me === undefined ? null : <Button small icon="plus" onClick={() => setAsking(true)}>Who takes my shift?</Button>}>
      {swaps.isPending && <Skeleton rows={1} />}
      {swaps.isError && <Failure error={swaps.error} retry={() => void swaps.refetch()} />}
      {swaps.data?.length === 0 && <p className="pad muted">None. Whoever cannot take a shift asks here who does; a colleague takes it with one click.</p>}
      <ul className="rows">
        {swaps.data?.map((swap) => (
          <li key={swap.id}>
            <div className="grow">
              <Sentence swap={swap} />
              <div className="muted">{inZone(swap.start, schedule.zone)} – {inZone(swap.end, schedule.zone)}</div>
              {swap.note !== "" && <div><Untrusted limit={500}>{swap.note}</Untrusted></div>}
            </div>
            <Answers schedule={schedule} swap={swap} me={me} />
          </li>
        ))}
      </ul>
      {asking && me !== undefined && <AskDialog schedule={schedule} me={me} onClose={() => setAsking(false)} />}
    </Panel>
  );
}
