import type { Member, Restriction, RotationUnit } from "../../api/types.ts";
import { Button, Check, Field, IconButton, Input, Select } from "../../ui/kit.tsx";
import { UNITS, WEEKDAYS, type Draft } from "./layers.ts";
import { moved, Order, Person, replaced, without } from "./parts.tsx";

const NOBODY = "nobody";

function Participants({ label, draft, members, set }: { label: string; draft: Draft; members: Member[]; set: (part: Partial<Draft>) => void }) {
  const { participants } = draft;
  const name = (who: number | null): string => (who === null ? "Nobody" : (members.find((member) => member.id === who)?.name ?? `person ${who}`));
  const add = (value: string): void => set({ participants: [...participants, value === NOBODY ? null : Number(value)] });
  return (
    <div className="chosen">
      <ol className="turns">
        {participants.map((who, index) => (
          <li key={index}>
            <Person name={name(who)} />
            <Order what={`${name(who)}, turn ${index + 1} of ${label},`} index={index} count={participants.length} move={(by) => set({ participants: moved(participants, index, by) })} remove={() => set({ participants: without(participants, index) })} />
          </li>
        ))}
      </ol>
      <Select
        label={`Who takes turns in ${label}`} value="" onChange={(event) => event.target.value !== "" && add(event.target.value)} help="In this order; somebody may have several turns"
        options={[["", "Add somebody…"], ...members.filter((member) => !member.disabled).map((member) => [String(member.id), member.name] as const), [NOBODY, "A turn of nobody's"]]}
      />
    </div>
  );
}

/** One part of the week. */
export function RestrictionFields({ restriction, index, set, remove }: { restriction: Restriction; index: number; set: (restriction: Restriction) => void; remove: () => void }) {
  const { weekdays } = restriction;
  const toggle = (day: Restriction["weekdays"][number], on: boolean): void => set({ ...restriction, weekdays: WEEKDAYS.map(([id]) => id).filter((id) => (id === day ? on : weekdays.includes(id))) });
  return (
    <fieldset className="restriction">
      <legend>Hours {index + 1}</legend>
      <div className="weekdays">{WEEKDAYS.map(([id, label]) => <Check key={id} label={label} checked={weekdays.includes(id)} onChange={(event) => toggle(id, event.target.checked)} />)}</div>
      <Input label="From" type="time" value={restriction.from} onChange={(event) => set({ ...restriction, from: event.target.value })} />
      <Input label="To" type="time" value={restriction.to} onChange={(event) => set({ ...restriction, to: event.target.value })} help={restriction.to <= restriction.from ? "On the next day" : undefined} />
      <IconButton icon="trash" label={`Remove hours ${index + 1}`} onClick={remove} />
    </fieldset>
  );
}

export const OFFICE: Restriction = { weekdays: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "17:00" };

function RotationFields({ draft, members, set }: { draft: Draft; members: Member[]; set: (part: Partial<Draft>) => void }) {
  const { rotation, participants } = draft;
  const change = (part: Partial<Draft["rotation"]>): void => set({ rotation: { ...rotation, ...part } });
  const name = (who: number | null): string => (who === null ? "nobody" : (members.find((member) => member.id === who)?.name ?? `person ${who}`));
  return (
    <div className="formgrid">
      <Field label="A turn takes">
        {(ids) => (
          <div className="pair">
            <input {...ids} type="number" min={1} max={366} value={rotation.every || ""} onChange={(event) => change({ every: Number(event.target.value) })} />
            <select aria-label="Unit of turns" value={rotation.unit} onChange={(event) => change({ unit: event.target.value as RotationUnit })}>
              {UNITS.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
            </select>
          </div>
        )}
      </Field>
      <Input label="A handoff is at" type="datetime-local" value={rotation.start} onChange={(event) => change({ start: event.target.value })} help="Any one; the others follow from it, to both sides" />
      {participants.length > 1 && <Select label="Whose turn begins then" value={String(Math.min(rotation.first, participants.length - 1))} onChange={(event) => change({ first: Number(event.target.value) })} options={participants.map((who, index) => [String(index), `${index + 1}. ${name(who)}`] as const)} />}
    </div>
  );
}

/** One layer of a schedule: who takes turns, how long one takes, and when the layer applies. */
export function LayerFields({ draft, index, members, set }: { draft: Draft; index: number; members: Member[]; set: (part: Partial<Draft>) => void }) {
  const { restrictions } = draft;
  return (
    <>
      <Participants label={`layer ${index + 1}`} draft={draft} members={members} set={set} />
      <RotationFields draft={draft} members={members} set={set} />
      {restrictions.map((one, place) => (
        <RestrictionFields key={place} restriction={one} index={place} set={(next) => set({ restrictions: replaced(restrictions, place, next) })} remove={() => set({ restrictions: without(restrictions, place) })} />
      ))}
      {draft.rotation.unit === "daily" && restrictions.length > 0 && (
        <Check label="Count only days with hours" help="So that after Friday's comes Monday's" checked={draft.rotation.count_only_allowed} onChange={(event) => set({ rotation: { ...draft.rotation, count_only_allowed: event.target.checked } })} />
      )}
      <Button small icon="plus" onClick={() => set({ restrictions: [...restrictions, OFFICE] })}>{restrictions.length === 0 ? "Only at certain hours" : "Add hours"}</Button>
      <details open={draft.starts !== "" || draft.ends !== ""}>
        <summary>Only for a time</summary>
        <div className="formgrid">
          <Input label="Applies from" type="datetime-local" value={draft.starts} onChange={(event) => set({ starts: event.target.value })} help="Empty: always has" />
          <Input label="Applies until" type="datetime-local" value={draft.ends} onChange={(event) => set({ ends: event.target.value })} help="Empty: always will" />
        </div>
      </details>
    </>
  );
}
