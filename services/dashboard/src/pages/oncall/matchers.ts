/** What silences and routing rules are about, as people read it, and as it stands in a form. */
import type { Incident, LabelMatcher, Matchers, Priority, SignalKind, TagMatcher } from "../../api/types.ts";
import { signalName } from "../incidents/words.ts";

export const OPERATORS = [["=", "is"], ["!=", "is not"], ["=~", "matches"], ["!~", "does not match"]] as const satisfies readonly (readonly [LabelMatcher["op"], string])[];

/** Label matchers that a silence may have. */
const MAX_LABELS = 20;

/** Matchers in a form. */
export interface MatcherDraft { project: number | null; environments: string; least: Priority | ""; most: Priority | ""; title: string; kinds: SignalKind[]; labels: LabelMatcher[] }

export const NO_MATCHERS: MatcherDraft = { project: null, environments: "", least: "", most: "", title: "", kinds: [], labels: [] };

/** What is not given is left out: the server takes that as anything. */
export function matchersOf({ project, environments, least, most, title, kinds, labels }: MatcherDraft): Matchers {
  const names = environments.split(",").map((one) => one.trim()).filter((one) => one !== "");
  return {
    ...(project === null ? {} : { project }),
    ...(names.length === 0 ? {} : { environments: names }),
    ...(least === "" ? {} : { min_priority: least }),
    ...(most === "" ? {} : { max_priority: most }),
    ...(title === "" ? {} : { title }),
    ...(kinds.length === 0 ? {} : { kinds }),
    ...(labels.length === 0 ? {} : { labels }),
  };
}

/** What is like an incident: an alert by its labels, and everything else by its title. */
export function like(incident: Pick<Incident, "project" | "title" | "labels">): MatcherDraft {
  const labels = Object.entries(incident.labels).slice(0, MAX_LABELS).map(([name, value]) => ({ name, op: "=" as const, value }));
  return { ...NO_MATCHERS, project: incident.project, labels, title: labels.length > 0 ? "" : incident.title };
}

/** "area=pay* and any customer": what a routing rule wants of an event's tags. */
export const tagsText = (tags: readonly TagMatcher[]): string => tags.map(({ key, value }) => (value === "*" ? `any ${key}` : `${key}=${value}`)).join(" and ");

/** "instance =~ db.*, in production, up to high". */
export function matchersText({ project, environments = [], min_priority: least, max_priority: most, title, kinds = [], labels = [] }: Matchers, projectName: (id: number) => string): string {
  const parts = [
    title === undefined ? "" : `“${title}”`,
    ...labels.map(({ name, op, value }) => `${name} ${op} ${value === "" ? "nothing" : value}`),
    kinds.map((kind) => signalName(kind).toLowerCase()).join(" or "),
    project === undefined ? "" : `of ${projectName(project)}`,
    environments.length === 0 ? "" : `in ${environments.join(" or ")}`,
    least === undefined ? "" : `${least} and above`,
    most === undefined ? "" : `up to ${most}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
