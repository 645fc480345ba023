/** What an entry of an issue's activity says, after the name of who did it. */
import type { Activity, Json, JsonMap } from "../../api/types.ts";
import { plural } from "../../lib/format.ts";
import { absolute } from "../../lib/time.ts";

export const fields = (data: Json | undefined): JsonMap => (typeof data === "object" && data !== null && !Array.isArray(data) ? data : {});
export const said = (value: Json | undefined): string => (value === null || value === undefined ? "nobody" : typeof value === "object" ? JSON.stringify(value) : String(value));

const MOST_MERGED = 5;
/** What became part of the issue, by the names that it had. */
function merged(issues: Json | undefined): string {
  const all = Array.isArray(issues) ? issues.map(fields) : [];
  const names = all.slice(0, MOST_MERGED).map(({ short_id: id, title }) => `${said(id)} (${said(title).slice(0, 60)})`);
  return [...names, ...(all.length > MOST_MERGED ? [plural(all.length - MOST_MERGED, "other")] : [])].join(", ");
}

/** For how long it is ignored. */
function until(condition: Json | undefined): string {
  const { time, events, users, escalates } = fields(condition);
  if (typeof time === "string") return `until ${absolute(time)}`;
  if (typeof events === "number") return `until ${plural(events, "more event")}`;
  if (typeof users === "number") return `until ${plural(users, "more user")}`;
  return escalates === true ? "until it escalates" : "for ever";
}

const commit = (id: Json | undefined): string => `the commit ${said(id).slice(0, 12)}`;

/** What resolves it, after the word "resolved". */
function resolvedIn(resolution: Json | undefined): string {
  if (resolution === "next") return " in the next release";
  const { release, commit: id } = fields(resolution);
  if (release !== undefined) return ` in ${said(release).slice(0, 100)}`;
  return id === undefined ? "" : ` by ${commit(id)}`;
}

function status({ from, to, in: resolution, until: condition, waited_for: awaited }: JsonMap): string {
  const { commit: given } = fields(awaited);
  const { commit: next } = fields(resolution);
  const parts: string[] = [];
  if (to === "resolved") parts.push(`${from === to ? "resolved it" : `changed the status from ${said(from)} to resolved`}${resolvedIn(resolution)}`);
  else if (from !== to) parts.push(`changed the status from ${said(from)} to ${said(to)}${to === "ignored" ? ` ${until(condition)}` : ""}`);
  else if (condition !== undefined) parts.push(`now ignores it ${until(condition)}`);
  if (to !== "resolved" && next !== undefined) parts.push(`waits for ${commit(next)} to resolve it`);
  if (given !== undefined) parts.push(`gave up waiting for ${commit(given)}`);
  return parts.length === 0 ? `left the status ${said(to)}` : parts.join(", and ");
}

const SENTENCES: Record<string, (data: JsonMap) => string> = {
  status,
  priority: ({ from, to }) => `changed the priority from ${said(from)} to ${said(to)}`,
  assigned: ({ to, reason }) => (to === null ? "took it away from whom it was assigned to" : `assigned it to ${said(to)}${reason === undefined ? "" : `: ${said(reason)}`}`),
  regressed: ({ release }) => (release === null || release === undefined ? "saw it come back: regressed" : `saw it come back in ${said(release)}: regressed`),
  unignored: () => "saw what it was ignored until: no longer ignored",
  merged: ({ issues }) => `merged into it: ${merged(issues)}`,
  unmerged: ({ fingerprints }) => `parted ${plural(Number(fingerprints), "fingerprint")} from the rest:`,
  shared: () => "made a secret link to it",
  unshared: () => "ended the secret link to it",
  comment: () => "commented",
};

export function what(entry: Pick<Activity, "kind" | "data">): string {
  const kind = entry.kind;
  const data = fields(entry.data);
  const sentence = SENTENCES[kind];
  if (sentence !== undefined) return sentence(data);
  const details = Object.entries(data).map(([name, value]) => `${name.replace(/_/g, " ")} ${said(value)}`).join(", ");
  return `${kind.replace(/[._]/g, " ")}${details === "" ? "" : `: ${details}`}`;
}
