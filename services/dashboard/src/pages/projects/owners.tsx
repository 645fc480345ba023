/** Whom rules of a project can name. */
import { useMembers, useNames, useSchedules } from "../../api/oncall.ts";
import { useTeams } from "../../api/queries.ts";
import type { Owner } from "../../api/types.ts";
import { neutralise } from "../../lib/text.ts";
import { IconButton, Select } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";
import { without } from "../oncall/parts.tsx";

export function keyOf(owner: Owner): string {
  if (owner.type === "person") return `person:${owner.user}`;
  return owner.type === "schedule" ? `schedule:${owner.schedule}` : `team:${owner.team}`;
}

export function ownerOf(key: string): Owner {
  const [type, text] = key.split(":");
  const id = Number(text);
  if (type === "person") return { type, user: id };
  return type === "schedule" ? { type, schedule: id } : { type: "team", team: id };
}

/** What an owner is called. */
export function useOwnerName(): (owner: Owner) => string {
  const name = useNames();
  const schedules = useSchedules().data;
  const teams = useTeams().data;
  return (owner) => {
    if (owner.type === "person") return name(owner.user);
    if (owner.type === "schedule") return `On call by ${neutralise(schedules?.find((one) => one.id === owner.schedule)?.name ?? `schedule ${owner.schedule}`)}`;
    return `Team ${neutralise(teams?.find((one) => one.id === owner.team)?.name ?? String(owner.team))}`;
  };
}

/** The owners that can be chosen, as options of a select. */
export function useOwnerOptions(team: number | undefined): (readonly [string, string])[] {
  const schedules = useSchedules().data?.filter((one) => one.team === team) ?? [];
  const members = useMembers(team).data?.filter((member) => !member.disabled) ?? [];
  const teams = useTeams().data ?? [];
  return [
    ...members.map((one) => [`person:${one.id}`, one.name] as const),
    ...schedules.map((one) => [`schedule:${one.id}`, `On call by ${one.name}`] as const),
    ...teams.map((one) => [`team:${one.id}`, `Team ${one.name}`] as const),
  ];
}

const MOST_OWNERS = 10;

/** The owners of a rule, in the order in which they are asked. */
export function Owners({ label, team, owners, disabled, onChange }: { label: string; team: number | undefined; owners: readonly Owner[]; disabled: boolean; onChange: (owners: Owner[]) => void }) {
  const name = useOwnerName();
  const chosen = new Set(owners.map(keyOf));
  const options = useOwnerOptions(team).filter(([key]) => !chosen.has(key));
  const room = options.length > 0 && owners.length < MOST_OWNERS;
  return (
    <div className="chosen">
      {owners.length > 0 && (
        <ul className="targets">
          {owners.map((owner, index) => (
            <li key={keyOf(owner)}>
              <Untrusted limit={64}>{name(owner)}</Untrusted>
              {!disabled && <IconButton icon="close" label={`${label}: take out ${name(owner)}`} onClick={() => onChange(without(owners, index))} />}
            </li>
          ))}
        </ul>
      )}
      {owners.length === 0 && disabled && <p className="muted">Nobody</p>}
      {!disabled && room && <Select label={label} value="" onChange={(event) => onChange([...owners, ownerOf(event.target.value)])} options={[["", owners.length === 0 ? "Nobody: add an owner…" : "Add another, for when those before cannot…"], ...options]} />}
    </div>
  );
}
