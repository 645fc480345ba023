import { useState } from "react";
import { call } from "../../api/client.ts";
import { useMembers, useNames, useOverrides } from "../../api/oncall.ts";
import { useSession } from "../../api/session.ts";
import type { Override, Schedule } from "../../api/types.ts";
import { useChange } from "../../lib/mutate.ts";
import { moment, timeZone } from "../../lib/time.ts";
import { instantOf, inZone, plusDays, type Wall } from "../../lib/zone.ts";
import { Button, Dialog, Failure, Form, IconButton, Input, Panel, Select, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";

type Kind = Override["kind"];
const KINDS: readonly (readonly [Kind, string])[] = [
  ["cover", "Is on call alone, for everybody"],
  ["replace", "Is on call for one other person"],
  ["add", "Is on call too"],
  ["remove", "Is not on call"],
];
const HELP: Record<Kind, string> = {
  cover: "Whoever would be on call is not; a gap is filled too.",
  replace: "While that one would be. Nothing changes while that one is not.",
  add: "Besides whoever is.",
  remove: "Nobody comes in their place: that may leave a gap.",
};

/** An exception for a time, on the clocks of the schedule's zone. */
export function OverrideDialog({ schedule, first, last, onClose }: { schedule: Schedule; first: string; last: string; onClose: () => void }) {
  const { zone } = schedule;
  const session = useSession();
  const members = (useMembers(schedule.team).data ?? []).filter((member) => !member.disabled);
  const me = session.kind === "user" ? session.user.id : undefined;
  const [kind, setKind] = useState<Kind>("cover");
  const [chosen, setWho] = useState<number | undefined>();
  const [instead, setInstead] = useState("");
  const [from, setFrom] = useState<Wall>(`${first}T00:00`);
  const [to, setTo] = useState<Wall>(`${plusDays(last, 1)}T00:00`);
  const who = chosen ?? members.find((member) => member.id === me)?.id ?? members[0]?.id;
  const [begins, ends] = [instantOf(from, zone), instantOf(to, zone)];
  const good = !Number.isNaN(begins) && !Number.isNaN(ends);
  const save = useChange(
    () => call("POST", `/schedules/${schedule.id}/overrides`, { body: { kind, who, ...(kind === "replace" ? { replaced: Number(instead) } : {}), from: new Date(begins).toISOString(), to: new Date(ends).toISOString() } }),
    { touches: ["schedules"], done: "The override is there" },
  );
  const people = members.map((member) => [String(member.id), member.name] as const);
  const elsewhere = timeZone() !== zone;
  return (
    <Dialog title="New override" onClose={onClose}>
      <Form onSubmit={() => good && save.mutate(undefined, { onSuccess: onClose })}>
        <Select label="Who" value={String(who ?? "")} onChange={(event) => setWho(Number(event.target.value))} options={people} error={save.wrong("who")} />
        <Select label="What" value={kind} onChange={(event) => setKind(event.target.value as Kind)} options={KINDS} error={save.wrong("kind")} help={HELP[kind]} />
        {kind === "replace" && <Select label="For whom" value={instead} onChange={(event) => setInstead(event.target.value)} options={[["", "Choose…"], ...people.filter(([id]) => id !== String(who))]} error={save.wrong("replaced")} />}
        <Input label="From" type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} error={save.wrong("from")} help={zone.replace(/_/g, " ")} />
        <Input label="To" type="datetime-local" value={to} onChange={(event) => setTo(event.target.value)} error={save.wrong("to")} help={elsewhere && good ? `For you: ${moment(new Date(begins).toISOString())} – ${moment(new Date(ends).toISOString())}` : undefined} />
        <div className="dialogactions"><Button type="submit" look="primary" busy={save.isPending} disabled={!good || who === undefined || (kind === "replace" && instead === "")}>Make the override</Button></div>
      </Form>
    </Dialog>
  );
}

function Sentence({ override }: { override: Override }) {
  const name = useNames();
  const who = <strong><Untrusted limit={60}>{name(override.who)}</Untrusted></strong>;
  switch (override.kind) {
    case "add": return <>{who} is on call too</>;
    case "remove": return <>{who} is not on call</>;
    case "replace": return <>{who} is on call for <Untrusted limit={60}>{name(override.replaced)}</Untrusted></>;
    default: return <>{who} is on call alone</>;
  }
}

/** The overrides that have not ended. */
export function Overrides({ schedule, may, add }: { schedule: Schedule; may: boolean; add: () => void }) {
  const overrides = useOverrides(schedule.id);
  const remove = useChange((id: number) => call("DELETE", `/schedules/${schedule.id}/overrides/${id}`), { touches: ["schedules"], done: "The override is removed" });
  return (
    <Panel title="Overrides" actions={may ? <Button small icon="plus" onClick={add}>New override</Button> : null}>
      {overrides.isPending && <Skeleton rows={1} />}
      {overrides.isError && <Failure error={overrides.error} />}
      {overrides.data?.length === 0 && <p className="pad muted">None. An override is an exception for a time: a holiday, a swap, a second pair of eyes.</p>}
      <ul className="rows">
        {overrides.data?.map((override) => (
          <li key={override.id}>
            <div className="grow">
              <Sentence override={override} />
              <div className="muted">{inZone(override.from, schedule.zone)} – {inZone(override.to, schedule.zone)}, by <Untrusted limit={60}>{override.created_by}</Untrusted>{override.imported && " from a calendar"}</div>
            </div>
            {may && <IconButton icon="trash" label={`Remove the override from ${inZone(override.from, schedule.zone)}`} onClick={() => remove.mutate(override.id)} />}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
