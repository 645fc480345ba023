import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router-dom";
import { Problem } from "../../api/client.ts";
import { useIssues, usePeople, useReleases } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Issue } from "../../api/types.ts";
import { useFilter, useKeys, useTitle } from "../../lib/hooks.ts";
import { asksStatus, withFilter } from "../../lib/query.ts";
import { marks, type Mark } from "../../shell/place.ts";
import { Button, ButtonLink, Empty, Failure, IconButton, Skeleton } from "../../ui/kit.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { AssignDialog } from "./assign.tsx";
import { BulkBar, CheckAll } from "./bulk.tsx";
import { Export } from "./export.tsx";
import { FacetPanel } from "./facets.tsx";
import { KeysHelp } from "./help.tsx";
import { IssueList } from "./list.tsx";
import { SavedSearches } from "./saved.tsx";
import { Search } from "./search.tsx";
import { useSelection } from "./selection.ts";
import { useBulk, useTriage, type Change, type Everything, type Whole } from "./triage.ts";

const TABS = [
  ["unresolved", "Unresolved"],
  ["resolved", "Resolved"],
  ["ignored", "Ignored"],
  ["all", "All"],
] as const;

const SORTS = [
  ["last_seen", "Last seen"],
  ["first_seen", "First seen"],
  ["events", "Events"],
  ["users", "Users"],
  ["priority", "Priority"],
] as const;

/** Sorts what is loaded, for servers that cannot; those that can have done it already, and this changes nothing. */
function sorted(issues: Issue[], sort: string | null): Issue[] {
  const order = ["low", "medium", "high", "critical"];
  const value = (issue: Issue): number => {
    if (sort === "events") return issue.count;
    if (sort === "users") return issue.users;
    if (sort === "priority") return order.indexOf(issue.priority);
    return Date.parse(sort === "first_seen" ? issue.first_seen : issue.last_seen);
  };
  return sort === null || sort === "last_seen" ? issues : [...issues].sort((a, b) => value(b) - value(a));
}

export default function Issues() {
  useTitle("Issues");
  const [project] = useFilter("project");
  const [status, setStatus] = useFilter("status");
  const [query, setQuery] = useFilter("query");
  const [sort, setSort] = useFilter("sort");
  const { search, key } = useLocation();
  const navigate = useNavigate();
  const text = query ?? "";
  const inQuery = asksStatus(text);
  const shownStatus = inQuery ? "all" : (status ?? "unresolved");
  const filter = { project, status: shownStatus, query: text, sort };
  const { pages, issues: found } = useIssues(filter);
  const issues = useMemo(() => sorted(found, sort), [found, sort]);
  const triage = useTriage();
  const bulk = useBulk();
  const session = useSession();
  const { triage: may } = accessTo(session, null);
  const input = useRef<HTMLInputElement>(null);
  const everything: Everything = { project, query: shownStatus === "all" ? text : `${text} is:${shownStatus}`.trim() };
  const selection = useSelection(issues, `${project ?? ""} ${everything.query}`);
  const [mark, setMark] = useState<Mark | null>(marks.get(key) ?? null);
  const [assigning, setAssigning] = useState<Issue[] | Everything | null>(null);
  const [help, setHelp] = useState(false);
  const [spread, setSpread] = useFilter("facets");
  const at = mark === null ? -1 : issues.findIndex((issue) => issue.id === mark.id);
  // What was marked has left the list: the mark stays where it was.
  const current = mark !== null && at === -1 ? Math.min(mark.index, issues.length - 1) : at;
  const learned = useLearned(issues, project);

  const marked = issues[current];
  const { chosen, toggle, clear } = selection;
  /** What keys and buttons act on. */
  const target = (): Issue[] | Everything => (selection.everything ? everything : chosen.length > 0 || marked === undefined ? chosen : [marked]);
  const act = (change: Change | Whole, on = target()): void => {
    if (!may || (Array.isArray(on) && on.length === 0)) return;
    if (!Array.isArray(on) || "merge" in change || "delete" in change) bulk.mutate({ on, change }, { onSuccess: clear });
    else triage.mutate({ issues: on, change }, { onSuccess: clear });
  };
  useEffect(() => {
    if (mark !== null) marks.set(key, mark);
  }, [key, mark]);
  const onOpen = useCallback((opened: Mark) => marks.set(key, opened), [key]);
  const move = (by: number): void => {
    const index = Math.max(0, Math.min(issues.length - 1, current + by));
    const issue = issues[index];
    if (issue !== undefined) setMark({ id: issue.id, index });
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: () => { if (marked !== undefined) navigate(`/issues/${marked.short_id}${search}`); },
    x: () => may && marked !== undefined && toggle(marked, false),
    X: () => may && marked !== undefined && toggle(marked, true),
    e: () => act({ status: "resolved" }),
    r: () => act({ status: "unresolved" }),
    i: () => act({ status: "ignored" }),
    a: () => may && (chosen.length > 0 || marked !== undefined) && setAssigning(target()),
    "/": () => input.current?.focus(),
    "?": () => setHelp(true),
    Escape: clear,
  });
  const onEnd = useCallback(() => {
    if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage();
  }, [pages]);
  const refused = pages.error instanceof Problem && pages.error.status === 422;
  return (
    <>
      <header className="pagehead">
        <h1>Issues</h1>
        <div className="actions">
          <Button icon="overview" aria-pressed={spread !== null} onClick={() => setSpread(spread === null ? "1" : null)}>Facets</Button>
          <SavedSearches />
          <Export filter={filter} />
          <Menu align="end" trigger={<Button>Sort: {SORTS.find(([id]) => id === (sort ?? "last_seen"))?.[1]}</Button>}>
            {SORTS.map(([id, label]) => (
              <MenuItem key={id} checked={id === (sort ?? "last_seen")} onSelect={() => setSort(id === "last_seen" ? null : id)}>
                {label}
              </MenuItem>
            ))}
          </Menu>
          <IconButton icon="help" label="Keys" onClick={() => setHelp(true)} />
        </div>
      </header>
      <Search query={text} onSearch={(next) => setQuery(next === "" ? null : next)} error={pages.error} learned={learned} project={project} inputRef={input} />
      {spread !== null && <FacetPanel filter={filter} narrow={(key, value) => setQuery(withFilter(text, key, value))} />}
      <div className="listbar">
        {may && <CheckAll none={issues.length === 0} some={chosen.length > 0} all={selection.all} onChange={selection.all ? clear : selection.selectShown} />}
        {may && chosen.length > 0 && (
          <BulkBar chosen={chosen} everything={selection.everything} more={pages.hasNextPage ? selection.selectEverything : null} busy={triage.isPending || bulk.isPending} act={act} assign={() => setAssigning(target())} clear={clear} />
        )}
        {/* Not taken away for the bar: where that lies over the list, these stay. */}
        <div className="segments" role="group" aria-label="Status">
          {TABS.map(([id, label]) => (
            <button key={id} type="button" aria-pressed={shownStatus === id} disabled={inQuery && id !== "all"} title={inQuery ? "The search says is: already" : undefined} onClick={() => setStatus(id === "unresolved" ? null : id)}>
              {label}
            </button>
          ))}
        </div>
        <div className="columns" aria-hidden="true">
          <span>24 h</span>
          <span>Events</span>
          <span>Users</span>
          <span>Last seen</span>
          <span>Who</span>
        </div>
      </div>
      {pages.isPending && <Skeleton rows={10} height={62} />}
      {pages.isError && !refused && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isSuccess && issues.length === 0 && <Nothing filtered={text !== "" || shownStatus !== "unresolved"} clear={() => setQuery(null)} />}
      {issues.length > 0 && !pages.isError && <IssueList issues={issues} search={search} selected={selection.ids} everything={selection.everything} current={current} mark={mark} showStatus={shownStatus === "all"} more={pages.hasNextPage} onSelect={toggle} onOpen={onOpen} onEnd={onEnd} />}
      {pages.isFetchingNextPage && <Skeleton rows={2} height={62} />}
      {assigning !== null && (
        <AssignDialog
          current={Array.isArray(assigning) && assigning.length === 1 ? (assigning[0]?.assigned_to ?? null) : null}
          onClose={() => setAssigning(null)}
          onPick={(name) => {
            act({ assigned_to: name }, assigning);
            setAssigning(null);
          }}
        />
      )}
      {help && <KeysHelp where="list" may={may} onClose={() => setHelp(false)} />}
    </>
  );
}

/** Values for the search box, from what is known anyway. */
function useLearned(issues: Issue[], project: string | null): Partial<Record<string, string[]>> {
  const people = usePeople().data;
  const releases = useReleases(project).data?.items;
  return useMemo(() => {
    const seen = [...new Set(issues.flatMap((issue) => issue.first_release ?? []))];
    return { release: [...(releases ?? []).map((r) => r.version), ...seen], assigned: (people ?? []).map((p) => p.email) };
  }, [issues, people, releases]);
}

const Nothing = ({ filtered, clear }: { filtered: boolean; clear: () => void }) =>
  filtered ? (
    <Empty icon="search" title="Nothing matches" action={<Button onClick={clear}>Clear the search</Button>}>
      No issue fits this search and status.
    </Empty>
  ) : (
    <Empty icon="check" title="All quiet" action={<ButtonLink to="/projects/new" icon="plus">Connect an app</ButtonLink>}>
      Nothing is unresolved. New errors appear here by themselves.
    </Empty>
  );
