/** Times in the reader's zone. */

const UNITS: [number, string][] = [
  [31_536_000, "yr"],
  [2_592_000, "mo"],
  [604_800, "wk"],
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

let zone: string | undefined;

/** Sets the reader's zone; what is no zone means the browser's. */
export function setTimeZone(name: string | null): void {
  try {
    zone = name === null || name === "" ? undefined : new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    zone = undefined;
  }
}

/** The reader's zone. */
export const timeZone = (): string => zone ?? new Intl.DateTimeFormat("en").resolvedOptions().timeZone;

/** "3 min", "2 h"; under a minute "now". Without a direction: see `relative`. */
export function span(seconds: number): string {
  const length = Math.abs(seconds);
  for (const [size, unit] of UNITS) {
    if (length >= size) return `${Math.floor(length / size)} ${unit}`;
  }
  return "now";
}

/** "3 min ago", "in 2 h", "just now". */
export function relative(iso: string, now: number): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return "unknown";
  const text = span(seconds);
  if (text === "now") return "just now";
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

const ABSOLUTE: Intl.DateTimeFormatOptions = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short", hourCycle: "h23" };

/** Date and time with the zone. */
export function absolute(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : new Intl.DateTimeFormat("en-GB", { ...ABSOLUTE, timeZone: zone }).format(date);
}

/** The time of day, to the millisecond when asked. */
export function clock(iso: string, milliseconds = false): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone };
  return new Intl.DateTimeFormat("en-GB", milliseconds ? { ...options, fractionalSecondDigits: 3 } : options).format(date);
}

/** "Mon 30 Nov, 09:00". */
export function moment(iso: string): string {
  const options: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
  return new Intl.DateTimeFormat("en-GB", options).format(new Date(iso));
}

/** So many minutes as people say them: "45 min", "2 h", "1 h 30 min", "2 d". */
export function minutes(count: number): string {
  const parts: [number, string][] = [[Math.floor(count / 1440), "d"], [Math.floor((count % 1440) / 60), "h"], [count % 60, "min"]];
  return parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(" ") || "0 min";
}

/** A day, or an hour of it, for the axis of a chart. */
export function axis(seconds: number, hours: boolean): string {
  const options: Intl.DateTimeFormatOptions = hours ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }).format(new Date(seconds * 1000));
}

/** "163 ms", "2.4 s", "3 min". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return span(ms / 1000);
}
