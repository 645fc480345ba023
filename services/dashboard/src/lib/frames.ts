import type { Frame } from "../api/types.ts";

export type Section = { kind: "shown"; frame: Frame; index: number } | { kind: "folded"; frames: { frame: Frame; index: number }[] };

/** Runs shorter than this are not worth a fold. */
const MIN_FOLD = 2;

/**
 * The frames as a reader wants them: the one that crashed first, the app's own open to sight, runs of library frames
 * folded. The one that crashed is always shown. When no frame is the app's own, all are shown.
 */
export function fold(frames: Frame[]): Section[] {
  const newest = frames.map((frame, index) => ({ frame, index })).reverse();
  if (!frames.some((frame) => frame.in_app === true)) return newest.map((entry) => ({ kind: "shown", ...entry }));
  const sections: Section[] = [];
  let run: { frame: Frame; index: number }[] = [];
  const flush = (): void => {
    if (run.length >= MIN_FOLD) sections.push({ kind: "folded", frames: run });
    else sections.push(...run.map((entry) => ({ kind: "shown" as const, ...entry })));
    run = [];
  };
  newest.forEach((entry, position) => {
    if (entry.frame.in_app === true || position === 0) {
      flush();
      sections.push({ kind: "shown", ...entry });
    } else {
      run.push(entry);
    }
  });
  flush();
  return sections;
}

/** The frame to open first: the newest of the app's own, else the newest. */
export function culprit(frames: Frame[]): number {
  const own = frames.findLastIndex((frame) => frame.in_app === true);
  return own === -1 ? frames.length - 1 : own;
}

/** "shop/views.py", the shortest name that still says where. */
export const place = (frame: Frame): string => frame.filename ?? frame.abs_path ?? frame.module ?? frame.package ?? "unknown place";

export interface SourceLine { number: number | null; text: string; failing: boolean }

/** The lines around a frame with their numbers. */
export function source(frame: Frame): SourceLine[] {
  if (frame.context_line === undefined) return [];
  const before = frame.pre_context ?? [];
  const at = frame.lineno ?? null;
  const line = (text: string, offset: number): SourceLine => ({ number: at === null ? null : at + offset, text, failing: offset === 0 });
  return [
    ...before.map((text, index) => line(text, index - before.length)),
    line(frame.context_line, 0),
    ...(frame.post_context ?? []).map((text, index) => line(text, index + 1)),
  ];
}
