/** Saved searches: between what the server keeps and the address of the page, which holds all of a search. */
import { STATUSES, statusesOf, withFilter } from "./query.ts";

export interface Search { query: string; sort: string; project: string | null }

/** What an address of the list of issues searches for. The chosen status becomes part of the query. */
export function searchOf(address: string): Search {
  const params = new URLSearchParams(address);
  const text = (params.get("query") ?? "").trim();
  const status = params.get("status") ?? "unresolved";
  const whole = statusesOf(text).length > 0 || !STATUSES.includes(status);
  return { query: whole ? text : `${text} is:${status}`.trim(), sort: params.get("sort") ?? "last_seen", project: params.get("project") };
}

/** The address of a search. A status that stands alone in it is chosen rather than written. */
export function addressOf({ query, sort, project }: Search): string {
  const params = new URLSearchParams();
  const asked = statusesOf(query);
  const [only] = asked;
  const chosen = asked.length === 1 && only?.negated === false ? only.value : null;
  const text = chosen === null ? query : withFilter(query, "is", null);
  const status = chosen ?? (asked.length === 0 ? "all" : null);
  if (project !== null) params.set("project", project);
  if (status !== null && status !== "unresolved") params.set("status", status);
  if (text !== "") params.set("query", text);
  if (sort !== "last_seen") params.set("sort", sort);
  return params.size === 0 ? "" : `?${params.toString()}`;
}

/** Whether two searches find the same in the same order. */
export const same = (one: Search, other: Search): boolean => addressOf(one) === addressOf(other);
