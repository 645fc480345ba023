import { useCallback, useEffect, useRef, useState } from "react";
import type { Issue } from "../../api/types.ts";

type Ids = ReadonlySet<number>;

/** One is chosen, or is not any more; with `from`, all between the two become like it. `shown` are those of the list in their order. */
export function pick(old: Ids, shown: number[], id: number, from: number | null): Ids {
  const next = new Set(old);
  const ends = [shown.indexOf(id), from === null ? -1 : shown.indexOf(from)];
  // Where the range began has left the list meanwhile: it is this one only.
  const range = ends.includes(-1) ? [id] : shown.slice(Math.min(...ends), Math.max(...ends) + 1);
  for (const one of range) {
    if (old.has(id)) next.delete(one);
    else next.add(one);
  }
  return next;
}

/** What is selected in a list. `search` tells searches apart: all that one finds is not all that the next one finds. */
export function useSelection(issues: Issue[], search: string) {
  const [ids, setIds] = useState<Ids>(new Set());
  const [whole, setWhole] = useState<string | null>(null);
  const everything = whole === search;
  const last = useRef<number | null>(null);
  const latest = useRef({ issues, everything });
  useEffect(() => {
    latest.current = { issues, everything };
  });
  // Not made anew while the list changes: every row would be drawn again.
  const toggle = useCallback((issue: Issue, range: boolean) => {
    const from = range ? last.current : null;
    last.current = issue.id;
    const shown = latest.current.issues.map(({ id }) => id);
    const all = latest.current.everything;
    setIds((old) => pick(all ? new Set(shown) : old, shown, issue.id, from));
    setWhole(null);
  }, []);
  const clear = (): void => {
    setIds(new Set());
    setWhole(null);
  };
  const chosen = everything ? issues : issues.filter((issue) => ids.has(issue.id));
  return {
    ids, chosen, toggle, clear,
    everything: everything && chosen.length > 0,
    all: chosen.length > 0 && chosen.length === issues.length,
    selectShown: () => setIds(new Set(issues.map(({ id }) => id))),
    selectEverything: () => setWhole(search),
  };
}
