/** A calendar as bars on strips of a week: pure, so that it can be tested. */
import type { Calendar, Shift } from "../../api/types.ts";
import { dayStart, plusDays } from "../../lib/zone.ts";

export interface Bar {
  /** Nobody: a gap. */
  who: number | null;
  start: number;
  end: number;
  /** In per cent of the strip. */
  left: number;
  width: number;
  lane: number;
}
export interface Row { name: string; kind: "layer" | "override" | "final"; bars: Bar[]; lanes: number }
export interface Week { days: string[]; starts: number[]; rows: Row[] }

const DAYS = 7;

/** Where an instant is on a strip, in per cent; each day is as wide as the next, also one of 23 hours. */
export function position(starts: readonly number[], at: number): number {
  const last = starts.length - 1;
  for (let day = 0; day < last; day += 1) {
    const [from, to] = [starts[day] ?? 0, starts[day + 1] ?? 0];
    if (at < to) return ((day + Math.max(0, (at - from) / (to - from))) / last) * 100;
  }
  return 100;
}

interface Span { who: number | null; start: number; end: number }

/** Those that follow each other without a pause, of the same person, as one: why somebody is on call does not matter here. */
function joined(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const before = out.findLast((other) => other.who === span.who && other.end >= span.start);
    if (before === undefined) out.push({ ...span });
    else before.end = Math.max(before.end, span.end);
  }
  return out;
}

function row(name: string, kind: Row["kind"], spans: Span[], starts: number[]): Row {
  const [from, to] = [starts[0] ?? 0, starts[DAYS] ?? 0];
  const ends: number[] = [];
  const bars = joined(spans)
    .filter((span) => span.end > from && span.start < to)
    .map((span) => {
      const free = ends.findIndex((end) => end <= span.start);
      const lane = free === -1 ? ends.length : free;
      ends[lane] = span.end;
      const left = position(starts, Math.max(from, span.start));
      return { ...span, lane, left, width: position(starts, Math.min(to, span.end)) - left };
    });
  return { name, kind, bars, lanes: Math.max(1, ends.length) };
}

const span = ({ who, start, end }: Shift): Span => ({ who, start: Date.parse(start), end: Date.parse(end) });
const layerOf = ({ source }: Shift): number | null => ("layer" in source ? source.layer : null);

/** Weeks from a Monday on. Layers are shown where there is more than one thing that puts somebody on call. */
export function weeks(calendar: Calendar, first: string, count: number, zone: string, layers: number): Week[] {
  const used = [...Array(layers).keys()];
  const overridden = calendar.shifts.some((shift) => layerOf(shift) === null);
  return [...Array(count).keys()].map((week) => {
    const days = [...Array(DAYS).keys()].map((day) => plusDays(first, week * DAYS + day));
    const starts = [...days, plusDays(first, (week + 1) * DAYS)].map((day) => dayStart(day, zone));
    const gaps = calendar.gaps.map(({ start, end }) => ({ who: null, start: Date.parse(start), end: Date.parse(end) }));
    const final = row("On call", "final", [...calendar.shifts.map(span), ...gaps], starts);
    if (layers < 2 && !overridden) return { days, starts, rows: [final] };
    const parts = used.map((layer) => row(`By layer ${layer + 1}`, "layer", calendar.shifts.filter((shift) => layerOf(shift) === layer).map(span), starts));
    const overrides = row("By override", "override", calendar.shifts.filter((shift) => layerOf(shift) === null).map(span), starts);
    return { days, starts, rows: [...parts, overrides, final].filter(({ kind, bars }) => kind === "final" || bars.length > 0) };
  });
}
