/** One step of a policy in a form. */
import { useMembers, useRooms, useSchedules } from "../../api/oncall.ts";
import { useProjects, useTeams } from "../../api/queries.ts";
import type { PolicyStep, PolicyTarget, Priority } from "../../api/types.ts";
import { timeZone } from "../../lib/time.ts";
import { Button, Check, IconButton, Input, Select } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { OFFICE, RestrictionFields } from "./layerform.tsx";
import { Order, PRIORITIES, replaced, roomName, useTargetName, without } from "./parts.tsx";

export function keyOf(target: PolicyTarget): string {
  switch (target.type) {
    case "person": return `person:${target.user}`;
    case "schedule": return `schedule:${target.schedule}`;
    case "team": return `team:${target.team}`;
    case "destination": return `destination:${target.destination}`;
  }
}

function targetOf(key: string): PolicyTarget {
  const [type, text] = key.split(":");
  const id = Number(text);
  switch (type) {
    case "person": return { type, user: id };
    case "team": return { type, team: id };
    case "destination": return { type, destination: id };
    default: return { type: "schedule", schedule: id };
  }
}

/** What one of the lists of a policy can have: schedules, people and all of its team, and for steps the destinations of its projects. */
function useOptions(team: number | undefined, posts: boolean): (readonly [string, string])[] {
  const schedules = useSchedules().data?.filter((s) => s.team === team) ?? [];
  const members = useMembers(team).data?.filter((m) => !m.disabled) ?? [];
  const name = useTeams().data?.find((one) => one.id === team)?.name;
  const projects = useProjects().data;
  const rooms = useRooms(posts ? team : undefined).data ?? [];
  return [
    ...schedules.map((s) => [`schedule:${s.id}`, `On call by ${s.name}`] as const),
    ...members.map((m) => [`person:${m.id}`, m.name] as const),
    ...(name === undefined || team === undefined ? [] : [[`team:${team}`, `Everybody of ${name}`] as const]),
    ...rooms.map((room) => [`destination:${room.id}`, `Post to ${roomName(room, projects)}`] as const),
  ];
}

/** Whom one of the lists of a policy pages. */
export function Targets({ label, team, targets, posts = false, onChange }: { label: string; team: number | undefined; targets: readonly PolicyTarget[]; posts?: boolean; onChange: (targets: PolicyTarget[]) => void }) {
  const name = useTargetName(team);
  const chosen = new Set(targets.map(keyOf));
  const options = useOptions(team, posts).filter(([key]) => !chosen.has(key));
  return (
    <div className="chosen">
      <ul className="targets">
        {targets.map((target, index) => (
          <li key={keyOf(target)}>
            <Untrusted limit={96}>{target.type === "schedule" ? `On call by ${name(target)}` : name(target)}</Untrusted>
            <IconButton icon="close" label={`${label}: take out ${name(target)}`} onClick={() => onChange(without(targets, index))} />
          </li>
        ))}
      </ul>
      {options.length > 0 && <Select label={label} value="" onChange={(event) => onChange([...targets, targetOf(event.target.value)])} options={[["", posts ? "Add a schedule, people or a destination…" : "Add a schedule or people…"], ...options]} />}
    </div>
  );
}

/** At which hours of the week a step is for. */
function Hours({ step, index, set }: { step: PolicyStep; index: number; set: (step: PolicyStep) => void }) {
  const { hours } = step;
  if (hours === undefined || hours === null) return <Button small icon="plus" onClick={() => set({ ...step, hours: { zone: timeZone(), windows: [OFFICE] } })}>Only at certain hours</Button>;
  const { zone, windows } = hours;
  const change = (next: typeof windows): void => set({ ...step, hours: next.length === 0 ? null : { zone, windows: next } });
  const zones = [...new Set([zone, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  return (
    <>
      {windows.map((one, place) => (
        <RestrictionFields key={place} restriction={one} index={place} set={(next) => change(replaced(windows, place, next))} remove={() => change(without(windows, place))} />
      ))}
      <Select label={`Time zone of the hours of step ${index + 1}`} value={zone} onChange={(event) => set({ ...step, hours: { ...hours, zone: event.target.value } })} options={zones.map((one) => [one, one.replace(/_/g, " ")] as const)} help="At other times the step is left out" />
      <Button small icon="plus" disabled={windows.length >= 20} onClick={() => change([...windows, OFFICE])}>Add hours</Button>
    </>
  );
}

interface StepProps { step: PolicyStep; index: number; count: number; team: number | undefined; set: (step: PolicyStep) => void; move: (by: -1 | 1) => void; remove: () => void }

export function Step({ step, index, count, team, set, move, remove }: StepProps) {
  const hasPeople = step.targets.some(({ type }) => type !== "destination");
  const retarget = (targets: PolicyTarget[]): void => set({ ...step, targets, round_robin: step.round_robin === true && targets.some(({ type }) => type !== "destination") });
  return (
    <fieldset className="formpart">
      <legend>Step {index + 1}</legend>
      <Order what={`step ${index + 1}`} index={index} count={count} move={move} remove={count > 1 ? remove : undefined} />
      <Targets label={`Whom step ${index + 1} pages`} team={team} targets={step.targets} posts onChange={retarget} />
      {hasPeople && <Check label="They take turns" help="Round robin: each time the step comes it pages the next of them, instead of all" checked={step.round_robin === true} onChange={(event) => set({ ...step, round_robin: event.target.checked })} />}
      <div className="formgrid">
        <Input label="Minutes to answer" type="number" min={1} max={9000} value={step.delay_minutes || ""} onChange={(event) => set({ ...step, delay_minutes: Number(event.target.value) })} help={index === count - 1 ? "Then it begins again, or ends" : "Then the next step comes"} />
        <Select label="For which incidents" value={step.min_priority ?? "low"} onChange={(event) => set({ ...step, min_priority: event.target.value === "low" ? null : (event.target.value as Priority) })} options={PRIORITIES} help="The step is left out for others" />
      </div>
      <Hours step={step} index={index} set={set} />
    </fieldset>
  );
}
