import type { Issue, List } from "./types.ts";

/**
 * The newest first page before the older pages, each issue once and as last heard of. A first page that is the whole list
 * wins alone: what is not in it has left.
 */
export function merge(head: List<Issue> | undefined, pages: List<Issue>[]): Issue[] {
  const older = pages.flatMap((page) => page.items);
  if (head === undefined) return older;
  if (head.next === null) return head.items;
  const ids = new Set(head.items.map((issue) => issue.id));
  return [...head.items, ...older.filter((issue) => !ids.has(issue.id))];
}
