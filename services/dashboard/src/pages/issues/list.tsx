import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useLocation } from "react-router-dom";
import type { Issue } from "../../api/types.ts";
import { useMedia } from "../../lib/hooks.ts";
import { scrolled, type Mark } from "../../shell/place.ts";
import { IssueRow } from "./row.tsx";

interface Props {
  issues: Issue[]; search: string; selected: ReadonlySet<number>; everything: boolean; current: number; mark: Mark | null; showStatus: boolean; more: boolean;
  onSelect: (issue: Issue, range: boolean) => void; onOpen: (mark: Mark) => void; onEnd: () => void;
}

/** As many rows as the window shows, however long the list is. */
export function IssueList({ issues, search, selected, everything, current, mark, showStatus, more, onSelect, onOpen, onEnd }: Props) {
  const narrow = useMedia("(max-width: 860px)");
  const height = narrow ? 94 : 62;
  const ref = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  // Who comes back finds the list where it was left; before the rows are chosen, so that they are the right ones at once.
  const { key } = useLocation();
  const [left] = useState(() => scrolled.get(key));
  useLayoutEffect(() => {
    if (left !== undefined) window.scrollTo(0, left);
  }, [left]);
  useLayoutEffect(() => setMargin((ref.current?.getBoundingClientRect().top ?? 0) + window.scrollY), [narrow]);
  const virtual = useWindowVirtualizer({ count: issues.length, estimateSize: () => height, overscan: 8, scrollMargin: margin, scrollPaddingStart: 140, scrollPaddingEnd: everything || selected.size > 0 ? 150 : 40, initialOffset: () => left ?? window.scrollY, getItemKey: (index) => issues[index]?.id ?? index });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => virtual.measure(), [height, virtual]);
  useEffect(() => {
    if (more && last >= issues.length - 12) onEnd();
  }, [last, issues.length, more, onEnd]);
  // Only a mark that was moved is followed: not one that was there on coming back, nor one whose row moves while the list changes.
  const followed = useRef(mark);
  useEffect(() => {
    if (followed.current === mark) return;
    followed.current = mark;
    if (current >= 0) virtual.scrollToIndex(current, { align: "auto" });
  }, [mark, current, virtual]);
  return (
    <div ref={ref} className="issuelist" role="list" aria-label="Issues" style={{ height: virtual.getTotalSize() }}>
      {rows.map((row) => {
        const issue = issues[row.index];
        if (issue === undefined) return null;
        return (
          <div key={row.key} role="listitem" aria-setsize={more ? -1 : issues.length} aria-posinset={row.index + 1} aria-current={row.index === current ? "true" : undefined} className="issueslot" style={{ height, transform: `translateY(${row.start - margin}px)` }}>
            <IssueRow issue={issue} index={row.index} search={search} selected={everything || selected.has(issue.id)} current={row.index === current} showStatus={showStatus} onSelect={onSelect} onOpen={onOpen} />
          </div>
        );
      })}
    </div>
  );
}
