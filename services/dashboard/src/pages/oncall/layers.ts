/** Layers as people read them, and as they stand in a form. */
import type { Layer, Restriction, RotationUnit, Weekday } from "../../api/types.ts";
import { dayName, instantOf, monday, wallOf, type Wall } from "../../lib/zone.ts";

export const WEEKDAYS = [["mon", "Mon"], ["tue", "Tue"], ["wed", "Wed"], ["thu", "Thu"], ["fri", "Fri"], ["sat", "Sat"], ["sun", "Sun"]] as const satisfies readonly (readonly [Weekday, string])[];
export const UNITS = [["hourly", "hours"], ["daily", "days"], ["weekly", "weeks"], ["monthly", "months"]] as const satisfies readonly (readonly [RotationUnit, string])[];
const ONE: Record<RotationUnit, string> = { hourly: "hour", daily: "day", weekly: "week", monthly: "month" };

/** "Mon–Fri 09:00–17:00"; days that do not follow each other one by one. */
export function restrictionText({ weekdays, from, to }: Restriction): string {
  const places = WEEKDAYS.map(([id], index) => (weekdays.includes(id) ? index : -1)).filter((index) => index >= 0);
  const [first = 0, last = 0] = [places[0], places.at(-1)];
  const inRow = places.length > 2 && last - first === places.length - 1;
  const label = (index: number): string => WEEKDAYS[index]?.[1] ?? "";
  const days = places.length === WEEKDAYS.length ? "every day" : inRow ? `${label(first)}–${label(last)}` : places.map(label).join(", ");
  return `${days} ${from}–${to}`;
}

/** "turns of 2 weeks, handoff Mon 09:00". */
export function rotationText({ unit, every, start }: Layer["rotation"]): string {
  const time = start.slice(11, 16);
  const when = unit === "weekly" ? `${dayName(start.slice(0, 10)).slice(0, 3)} ${time}` : unit === "monthly" ? `day ${Number(start.slice(8, 10))} of the month, ${time}` : unit === "daily" ? time : `as at ${time}`;
  return `turns of ${every === 1 ? `a ${ONE[unit]}`.replace("a hour", "an hour") : `${every} ${ONE[unit]}s`}, handoff ${when}`;
}

/**
 * A layer in a form. Instants are kept as what the clocks show until it is saved: converted on each change, they would move
 * when the zone does.
 */
export type Draft = Required<Omit<Layer, "starts" | "ends" | "rotation">> & { rotation: Required<Layer["rotation"]>; starts: Wall; ends: Wall };

export const newDraft = (today: string): Draft => ({
  participants: [], restrictions: [], starts: "", ends: "",
  rotation: { unit: "weekly", every: 1, start: `${monday(today)}T09:00`, first: 0, count_only_allowed: false },
});

const wall = (iso: string | null | undefined, zone: string): Wall => (iso === null || iso === undefined ? "" : wallOf(Date.parse(iso), zone));

export function draftOf(layer: Layer, zone: string): Draft {
  const { rotation } = layer;
  return { participants: layer.participants, restrictions: layer.restrictions ?? [], starts: wall(layer.starts, zone), ends: wall(layer.ends, zone), rotation: { ...rotation, start: rotation.start.slice(0, 16) } };
}

export function layerOf(draft: Draft, zone: string): Layer {
  const instant = (text: Wall): string | null => (text === "" ? null : new Date(instantOf(text, zone)).toISOString());
  const { rotation } = draft;
  const counts = rotation.unit === "daily" && draft.restrictions.length > 0 && rotation.count_only_allowed;
  return { ...draft, rotation: { ...rotation, count_only_allowed: counts }, starts: instant(draft.starts), ends: instant(draft.ends) };
}
