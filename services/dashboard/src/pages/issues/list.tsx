import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Issue } from "../../api/types.ts";
import { useMedia } from "../../lib/hooks.ts";
import { IssueRow } from "./row.tsx";

interface Props {
  issues: Issue[]; search: string; selected: ReadonlySet<number>; current: number; showStatus: boolean; more: boolean;
  onSelect: (issue: Issue) => void; onEnd: () => void;
}

/** As many rows as the window shows, however long the list is. */
export function IssueList({ issues, search, selected, current, showStatus, more, onSelect, onEnd }: Props) {
  const narrow = useMedia("(max-width: 860px)");
  const height = narrow ? 94 : 62;
  const ref = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => setMargin((ref.current?.getBoundingClientRect().top ?? 0) + window.scrollY), [narrow]);
  const virtual = useWindowVirtualizer({ count: issues.length, estimateSize: () => height, overscan: 8, scrollMargin: margin, scrollPaddingStart: 140, scrollPaddingEnd: 40, getItemKey: (index) => issues[index]?.id ?? index });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => virtual.measure(), [height, virtual]);
  useEffect(() => {
    if (more && last >= issues.length - 12) onEnd();
  }, [last, issues.length, more, onEnd]);
  useEffect(() => {
    if (current >= 0) virtual.scrollToIndex(current, { align: "auto" });
  }, [current, virtual]);
  return (
    <div ref={ref} className="issuelist" role="list" aria-label="Issues" style={{ height: virtual.getTotalSize() }}>
      {rows.map((row) => {
        const issue = issues[row.index];
        if (issue === undefined) return null;
        return (
          <div key={row.key} role="listitem" aria-setsize={more ? -1 : issues.length} aria-posinset={row.index + 1} aria-current={row.index === current ? "true" : undefined} className="issueslot" style={{ height, transform: `translateY(${row.start - margin}px)` }}>
            <IssueRow issue={issue} search={search} selected={selected.has(issue.id)} current={row.index === current} showStatus={showStatus} onSelect={onSelect} />
          </div>
        );
      })}
    </div>
  );
}
