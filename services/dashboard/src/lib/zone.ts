/** Wall clocks of other zones than the reader's: a schedule is made and read in its own. Without a library: `Intl` knows the zones. */

/** A wall-clock time to the minute, as `2026-11-30T09:00`. */
export type Wall = string;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let known = formats.get(zone);
  if (known === undefined) {
    known = new Intl.DateTimeFormat("en-CA", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
    formats.set(zone, known);
  }
  return known;
}

/** What the clocks of a zone show at an instant. */
export function wallOf(instant: number, zone: string): Wall {
  const part = Object.fromEntries(format(zone).formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${part["year"] ?? ""}-${part["month"] ?? ""}-${part["day"] ?? ""}T${part["hour"] ?? ""}:${part["minute"] ?? ""}`;
}

const asUtc = (wall: Wall): number => (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(wall) ? Date.parse(`${wall}:00Z`) : Number.NaN);

/**
 * When the clocks of a zone show that: the first time of two, and where clocks skip it the first instant after, as the server
 * takes handoffs. Not a number for what is no time.
 */
export function instantOf(wall: Wall, zone: string): number {
  const wanted = asUtc(wall);
  if (Number.isNaN(wanted)) return Number.NaN;
  const offset = (at: number): number => asUtc(wallOf(at, zone)) - at;
  const [before, after] = [offset(wanted - 86_400_000), offset(wanted + 86_400_000)];
  // Where clocks go back the earlier offset is the greater one: it comes first.
  const found = [before, after].map((o) => wanted - o).find((at) => asUtc(wallOf(at, zone)) === wanted);
  if (found !== undefined) return found;
  return firstAfterGap(wanted - after, wanted - before, zone, wanted);
}

/** The instant at which clocks jump over `wanted`, to the minute. */
function firstAfterGap(low: number, high: number, zone: string, wanted: number): number {
  let [under, over] = [low, high];
  while (over - under > 60_000) {
    const middle = Math.floor((under + over) / 2 / 60_000) * 60_000;
    if (asUtc(wallOf(middle, zone)) < wanted) under = middle;
    else over = middle;
  }
  return over;
}

/** A day so many days later, both as `2026-11-30`. */
export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The Monday of the week of a day. */
export function monday(day: string): string {
  return plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
}

/** Whether it is a day of a calendar: what stands in an address may be anything. */
export const isDay = (text: string | null): text is string => text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

/** When a day begins in a zone. */
export const dayStart = (day: string, zone: string): number => instantOf(`${day}T00:00`, zone);

/** "Mon 30 Nov, 09:00" on the clocks of a zone. */
export function inZone(instant: string | number, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(instant));
}

/** "Mon 30 Nov" of a day. */
export function dayName(day: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" }).format(new Date(`${day}T00:00:00Z`));
}
