import { useEffect, useRef } from "react";
import { useLocation, useNavigate } from "react-router-dom";
import { Problem } from "../../api/client.ts";
import { useEvent, useEventPlace, useLatestEvent } from "../../api/queries.ts";
import type { Issue } from "../../api/types.ts";
import { useFilter } from "../../lib/hooks.ts";
import { steps } from "./walk.ts";

/** Reads again when the issue's count says that there is more to see, once each time. */
function useOnMore(issue: Issue | undefined, busy: boolean, read: (isFirst: boolean) => void): void {
  const count = issue?.count;
  const before = useRef<number | undefined>(undefined);
  useEffect(() => {
    // What is on its way may be of before: it is looked at afterwards.
    if (count === undefined || busy || count === before.current) return;
    const isFirst = before.current === undefined;
    before.current = count;
    read(isFirst);
  }, [count, busy, read]);
}

/** Which event is shown, and how to get to the others: among all, or among those that a search in the address finds. */
export function useEventNavigation(id: string, wanted: string | undefined, issue: Issue | undefined) {
  const navigate = useNavigate();
  const { search } = useLocation();
  const [filter, setFilter] = useFilter("events");
  const query = filter?.trim() ?? "";
  const latest = useLatestEvent(id, wanted === undefined);
  const which = wanted ?? latest.data?.event.event_id;
  const place = useEventPlace(id, which, query, latest.data, latest.dataUpdatedAt);
  // An event that went to another issue is still shown under its old address; so is one when the search is mistaken.
  const refused = wanted !== undefined && place.error instanceof Problem && !place.error.offline;
  const alone = useEvent(issue?.project, refused ? wanted : undefined);
  const here = which === undefined ? undefined : place.data;
  const event = here?.event ?? (wanted === undefined ? latest.data?.event : alone.data);

  const none = wanted === undefined && latest.data === undefined && latest.error instanceof Problem && latest.error.absent;
  const atEnd = here?.next === null;
  // What is read is not changed under the reader; where there is nothing to read, the first that comes is shown.
  useOnMore(issue, latest.isFetching || place.isFetching, (isFirst) => {
    if (none) void latest.refetch();
    else if (atEnd && !isFirst) void place.refetch();
  });

  const to = here === undefined ? {} : steps(here);
  const go = (other: string | undefined) => (other === undefined ? undefined : () => navigate(`/issues/${id}/events/${other}${search}`, { replace: true }));
  const showLatest = async (): Promise<void> => {
    await latest.refetch();
    if (wanted !== undefined) navigate(`/issues/${id}${search}`, { replace: true });
  };
  const isLatest = query === "" && here !== undefined && to.last === undefined;
  return {
    event, none, query, isLatest,
    all: () => setFilter(null),
    /** What is wrong with the search. */
    wrong: query !== "" && place.error instanceof Problem && place.error.status === 422 ? place.error.message : undefined,
    error: wanted === undefined ? latest.error : refused ? alone.error : place.error,
    pending: event === undefined && (wanted === undefined ? latest.isPending : place.isPending || (refused && alone.isPending)),
    busy: latest.isFetching || (which !== undefined && place.isPlaceholderData),
    retry: () => void (wanted === undefined ? latest : refused ? alone : place).refetch(),
    first: go(to.first),
    older: go(to.previous),
    newer: go(to.next),
    latest: query !== "" ? go(to.last) : isLatest ? undefined : () => void showLatest(),
    /** One came while the latest was read. */
    came: wanted === undefined && query === "" && to.last !== undefined,
  };
}
