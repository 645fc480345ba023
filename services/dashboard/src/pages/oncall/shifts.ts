/** Shifts of one person: pure, so that it can be tested. */
import type { Shift } from "../../api/types.ts";

/** When somebody is on call; what follows without a pause is one, by whatever layer or override. */
export function ownShifts(shifts: readonly Shift[], who: number): { start: string; end: string }[] {
  const own: { start: string; end: string }[] = [];
  const theirs = shifts.filter((shift) => shift.who === who).sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  for (const { start, end } of theirs) {
    const last = own.at(-1);
    if (last === undefined || Date.parse(last.end) < Date.parse(start)) own.push({ start, end });
    else if (Date.parse(end) > Date.parse(last.end)) last.end = end;
  }
  return own;
}
