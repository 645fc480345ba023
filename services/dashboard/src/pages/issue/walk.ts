/** What the issue page works out from what the server answers. */
import type { EventPlace } from "../../api/queries.ts";
import type { IssueStats, List } from "../../api/types.ts";
import { neutralise } from "../../lib/text.ts";
import { absolute } from "../../lib/time.ts";
import type { Mark } from "../../ui/spark.tsx";

export interface Steps { first?: string | undefined; previous?: string | undefined; next?: string | undefined; last?: string | undefined }

/** Where one can go from an event: the ids of others. */
export function steps({ event, ...ids }: EventPlace): Steps {
  const other = (id: string | null): string | undefined => (id === null || id === event.event_id ? undefined : id);
  return { first: other(ids.first), previous: other(ids.previous), next: other(ids.next), last: other(ids.last) };
}

/** Empty pages that are passed over before people are asked whether to go on: each looked at 1,000 events. */
const EMPTY_PAGES = 10;

/** Whether a search goes on by itself, since its last page found nothing. */
export function goesOn(pages: readonly List<unknown>[]): boolean {
  const found = pages.findLastIndex((page) => page.items.length > 0);
  return (pages.length - 1 - found) % EMPTY_PAGES !== 0;
}

/** Releases as marks of a trend. Those of one bucket are one mark; what is older than the trend has none. */
export function marksOf({ buckets, releases }: Pick<IssueStats, "buckets" | "releases">): Mark[] {
  const starts = buckets.map((bucket) => Date.parse(bucket));
  const titles = new Map<number, string[]>();
  for (const { version, first_seen: seen } of releases) {
    const at = starts.findLastIndex((start) => start <= Date.parse(seen));
    if (at >= 0) titles.set(at, [...(titles.get(at) ?? []), `${neutralise(version).slice(0, 100)}, ${absolute(seen)}`]);
  }
  return [...titles].map(([at, lines]) => ({ at, title: lines.join("\n") }));
}

/** A text as the search language takes it for one, whatever is in it. */
export const phrase = (text: string): string => (text === "" || /^[\w.-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`);

/** Comments keep so much of a name. */
const NAME_LENGTH = 128;
/** Whether somebody wrote an entry, as far as names tell; the server knows. */
export const isBy = (actor: string | null, name: string | undefined): boolean => name !== undefined && actor === Array.from(name).slice(0, NAME_LENGTH).join("");

/** The parameters of an address without one. */
export function without(search: string, name: string): string {
  const params = new URLSearchParams(search);
  params.delete(name);
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}
