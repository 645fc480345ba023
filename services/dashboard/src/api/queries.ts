/** What pages read. Each key begins with the noun, so that a change can name what it touched. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { CALM, LIVE, POLL_MS } from "../lib/live.ts";
import { get, getIfThere, Problem } from "./client.ts";
import { merge } from "./merge.ts";
import type { Activity, Attachment, EventBody, Explanation, Facets, Feedback, Fingerprint, Health, Highlights, Issue, IssueStats, Key, List, Notification, Person, Project, Release, Room, SavedSearch, Service, Stats, TagStats, Team, Traced } from "./types.ts";

/** All of a list, page by page; lists that people pick from are short. */
export async function all<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < 20; page += 1) {
    const list: List<T> = await get<List<T>>(path, { params: { limit: 100, cursor }, ...(signal === undefined ? {} : { signal }) });
    items.push(...list.items);
    cursor = list.next;
    if (cursor === null) break;
  }
  return items;
}

/** Null when this part of the API is not there or, for lists that only help to choose, when it may not be seen. */
async function allIfThere<T>(path: string, signal: AbortSignal, forbidden: "tell" | "null" = "null"): Promise<T[] | null> {
  try {
    return await all<T>(path, signal);
  } catch (error) {
    if (error instanceof Problem && (error.absent || (error.status === 403 && forbidden === "null"))) return null;
    throw error;
  }
}

export const useProjects = () => useQuery({ queryKey: ["projects"], queryFn: ({ signal }) => all<Project>("/projects", signal), staleTime: 60_000 });
export const useTeams = () => useQuery({ queryKey: ["teams"], queryFn: ({ signal }) => allIfThere<Team>("/teams", signal), staleTime: 60_000 });
export const usePeople = () => useQuery({ queryKey: ["users"], queryFn: ({ signal }) => allIfThere<Person>("/users", signal), staleTime: 60_000 });
/** Null for whoever is no person. */
export const useSearches = () => useQuery({ queryKey: ["searches"], queryFn: ({ signal }) => allIfThere<SavedSearch>("/searches", signal), staleTime: 60_000 });
/** A list that may not be there. */
export const useIfThere = <T>(noun: string, path: string) => useQuery({ queryKey: [noun, path], queryFn: ({ signal }) => allIfThere<T>(path, signal, "tell") });

export interface IssueFilter { project: string | null; status: string | null; query: string; sort: string | null }

const issueParams = (f: IssueFilter) => ({ project: f.project, status: f.status === "all" ? null : (f.status ?? "unresolved"), query: f.query });
const issueExtras = (f: IssueFilter) => ({ sparkline: true, sort: f.sort });

const issuePage = (f: IssueFilter, cursor: string | null, signal: AbortSignal, limit = 50) =>
  get<List<Issue>>("/issues", { params: { ...issueParams(f), limit, cursor }, optional: issueExtras(f), signal });

/** Pages of issues, and apart from them the first page again and again, so that watching costs one small request. */
export function useIssues(filter: IssueFilter) {
  const pages = useInfiniteQuery({
    queryKey: ["issues", "pages", filter],
    queryFn: ({ pageParam, signal }) => issuePage(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    // Who reads an issue for long and goes back finds all pages that were loaded.
    gcTime: 30 * 60_000,
    // What left the list further down is noticed at this pace.
    refetchInterval: 60_000,
    retry: (count, error) => count < 2 && !(error instanceof Problem && error.status === 422),
  });
  const head = useQuery({
    queryKey: ["issues", "head", filter],
    queryFn: ({ signal }) => issuePage(filter, null, signal),
    enabled: pages.isSuccess && !pages.isPlaceholderData,
    initialData: pages.isPlaceholderData ? undefined : pages.data?.pages[0],
    staleTime: POLL_MS,
    ...LIVE,
  });
  return { pages, issues: merge(head.data, pages.data?.pages ?? []) };
}

/** Where a search is exported, in its order. */
export function exportAddress(f: IssueFilter, format: string) {
  const given = Object.entries({ ...issueParams(f), sort: f.sort, format }).filter(([, value]) => value !== null && value !== "");
  const params = Object.fromEntries(given) as Record<string, string>;
  return { path: "/issues/export", params, address: `/api/v1/issues/export?${new URLSearchParams(params).toString()}` };
}

/** How what a search finds is spread; null where it is not known. */
export const useFacets = (f: IssueFilter, wanted: boolean) =>
  useQuery({ queryKey: ["issues", "facets", f.project, f.status, f.query], queryFn: ({ signal }) => getIfThere<Facets>("/issues/facets", { params: issueParams(f), signal }), enabled: wanted, placeholderData: keepPreviousData, retry: false });

/** Names of tags, or the values of one, that begin so. */
export const useTagNames = (key: string | null, prefix: string, project: string | null, wanted: boolean) =>
  useQuery({
    queryKey: ["tags", key, prefix, project],
    queryFn: ({ signal }) => getIfThere<List<string>>(key === null ? "/tags/keys" : "/tags/values", { params: { key, prefix, project }, signal }),
    enabled: wanted,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    retry: false,
  });

/** The events of a trace, of all projects. */
export const useTrace = (trace: string | undefined) => useQuery({ queryKey: ["trace", trace], queryFn: ({ signal }) => getIfThere<Traced>("/events", { params: { trace, limit: 25 }, signal }), enabled: trace !== undefined, retry: false });

export const useTopIssues = (project: string | null) =>
  useQuery({
    queryKey: ["issues", "top", project],
    queryFn: ({ signal }) => issuePage({ project, status: "unresolved", query: "", sort: "events" }, null, signal, 100),
    ...CALM,
  });

export const useIssue = (id: string) => useQuery({ queryKey: ["issue", id], queryFn: ({ signal }) => get<Issue>(`/issues/${encodeURIComponent(id)}`, { signal }), ...LIVE });

/** A search looks at a number of events for each page: one may be empty, and not the last. */
export const useIssueEvents = (id: string, query = "") =>
  useInfiniteQuery({
    queryKey: ["issue-events", id, query],
    queryFn: ({ pageParam, signal }) => get<List<EventBody> & { searched?: number }>(`/issues/${encodeURIComponent(id)}/events`, { params: { limit: 25, cursor: pageParam, query }, signal }),
    retry: (count, error) => count < 2 && !(error instanceof Problem && !error.offline),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

/** An event of an issue and the ids of its neighbours, among those that a query finds. */
export interface EventPlace { event: EventBody; first: string | null; previous: string | null; next: string | null; last: string | null }

const eventPlace = (id: string, which: string, query: string, signal: AbortSignal) =>
  get<EventPlace>(`/issues/${encodeURIComponent(id)}/events/${encodeURIComponent(which)}`, { params: { query }, signal });

/** The latest event as it was when somebody came or asked again: what is read does not change under the reader. */
export const useLatestEvent = (id: string, wanted: boolean) =>
  useQuery({ queryKey: ["issue-events", id, "latest", null], queryFn: ({ signal }) => eventPlace(id, "last", "", signal), enabled: wanted, staleTime: Infinity, refetchOnMount: "always" });

/** Stays at the event before until the wanted one is there, so that one can walk with the keys. */
export const useEventPlace = (id: string, which: string | undefined, query: string, known: EventPlace | undefined, knownAt: number) =>
  useQuery({
    queryKey: ["issue-events", id, "place", which, query],
    queryFn: ({ signal }) => eventPlace(id, which ?? "", query, signal),
    enabled: which !== undefined,
    staleTime: POLL_MS,
    ...(known === undefined || query !== "" || known.event.event_id !== which ? {} : { initialData: known, initialDataUpdatedAt: knownAt }),
    placeholderData: (before: EventPlace | undefined, of) => (of?.queryKey[1] === id ? before : undefined),
  });

/** An event of a project, of whatever issue it is now. */
export const useEvent = (project: number | undefined, id: string | undefined) =>
  useQuery({
    queryKey: ["event", project, id],
    queryFn: ({ signal }) => get<EventBody>(`/projects/${project ?? 0}/events/${encodeURIComponent(id ?? "")}`, { signal }),
    enabled: project !== undefined && id !== undefined,
    staleTime: Infinity,
  });

/** What came with an event, and what was said of it. */
const ofEvent = <T>(event: EventBody, what: string) => ({
  queryKey: ["event-part", event.project, event.event_id, what],
  queryFn: ({ signal }: { signal: AbortSignal }) => getIfThere<List<T>>(`/events/${event.event_id}/${what}`, { params: { project: event.project }, signal }),
});
export const useAttachments = (event: EventBody) => useQuery(ofEvent<Attachment>(event, "attachments"));
export const useFeedback = (event: EventBody) => useQuery(ofEvent<Feedback>(event, "feedback"));

const part = <T>(id: string, name: string, params: Record<string, string> = {}) => ({
  queryKey: ["issue-part", id, name, params],
  queryFn: ({ signal }: { signal: AbortSignal }) => getIfThere<T>(`/issues/${encodeURIComponent(id)}/${name}`, { params, signal }),
});
export const useIssueStats = (id: string, period: string) => useQuery({ ...part<IssueStats>(id, "stats", { period }), ...CALM });
export const useIssueTags = (id: string) => useQuery(part<List<TagStats> & { /** How many were looked at. */ events: number }>(id, "tags"));
/** The latest first, page by page; null where the server has none. */
export const useIssueActivity = (id: string) =>
  useInfiniteQuery({
    queryKey: ["issue-part", id, "activity"],
    queryFn: ({ pageParam, signal }) => getIfThere<List<Activity>>(`/issues/${encodeURIComponent(id)}/activity`, { params: { cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last?.next ?? null,
  });
export const useIssueGrouping = (id: string) => useQuery(part<Explanation>(id, "grouping"));
export const useFingerprints = (id: string) => useQuery(part<List<Fingerprint>>(id, "fingerprints"));

export const useNotifications = (filter: Record<string, string | null>) =>
  useInfiniteQuery({
    queryKey: ["notifications", filter],
    queryFn: ({ pageParam, signal }) => get<List<Notification>>("/notifications", { params: { ...filter, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    ...CALM,
  });

export const useStats = (project: string | null, period: string) =>
  useQuery({ queryKey: ["stats", project, period], queryFn: ({ signal }) => getIfThere<Stats>("/stats", { params: { project, period }, signal }), placeholderData: keepPreviousData, ...CALM });

/** Answers 503 with a body when something is wrong, which is an answer too. */
export const useHealth = () =>
  useQuery({
    queryKey: ["health"],
    queryFn: async ({ signal }) => (await (await fetch("/health/", { signal })).json()) as Health,
    ...CALM,
  });
/** Issues worth a look. */
export const useHighlights = (project: string | null, period: string) =>
  useQuery({ queryKey: ["issues", "highlights", project, period], queryFn: ({ signal }) => get<Highlights>("/stats/highlights", { params: { project, period }, signal }), placeholderData: keepPreviousData, ...CALM });

export const useServices = () => useQuery({ queryKey: ["services"], queryFn: ({ signal }) => getIfThere<List<Service>>("/services", { signal }), ...CALM });
export const useStorage = () => useQuery({ queryKey: ["storage"], queryFn: ({ signal }) => getIfThere<List<Room>>("/storage", { signal }), staleTime: 60_000 });
export const useReleases = (project: string | null) =>
  useQuery({ queryKey: ["releases", project], queryFn: ({ signal }) => getIfThere<List<Release>>("/releases", { params: { project, limit: 100 }, signal }) });
export const useKeys = (project: string) => useQuery({ queryKey: ["keys", project], queryFn: ({ signal }) => allIfThere<Key>(`/projects/${project}/keys`, signal) });
