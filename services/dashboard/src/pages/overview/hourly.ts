import type { Outcome, Project, Stats } from "../../api/types.ts";

const HOUR = 3_600_000;

/** The hours that end with the current one, as times. */
export function hours(now: number, count: number): string[] {
  const last = Math.floor(now / HOUR) * HOUR;
  return Array.from({ length: count }, (_, index) => new Date(last - (count - 1 - index) * HOUR).toISOString());
}

/** Recorded errors per hour and project, as statistics. Levels and issues are not known from outcomes. */
export function hourly(projects: Project[], outcomes: Outcome[], now: number): Stats {
  const buckets = hours(now, 24);
  const place = new Map(buckets.map((bucket, index) => [Date.parse(bucket), index]));
  const empty = (): number[] => buckets.map(() => 0);
  const total = empty();
  const counts = new Map(projects.map((project) => [project.id, empty()]));
  for (const { hour, project, outcome, category, quantity } of outcomes) {
    const at = place.get(Date.parse(hour));
    const own = project === null ? undefined : counts.get(project);
    if (at === undefined || own === undefined || outcome !== "recorded" || category !== "error") continue;
    own[at] = (own[at] ?? 0) + quantity;
    total[at] = (total[at] ?? 0) + quantity;
  }
  return {
    buckets, total, by_level: [], new_issues: 0, regressed_issues: 0, unresolved: 0,
    by_project: projects.map((project) => ({ project: project.id, name: project.name, counts: counts.get(project.id) ?? empty() })),
  };
}
