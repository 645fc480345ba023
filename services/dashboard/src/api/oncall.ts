/** What the pages of on-call read. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { CALM, WATCHED } from "../lib/live.ts";
import { neutralise } from "../lib/text.ts";
import { get, getIfThere } from "./client.ts";
import { all, useIfThere, usePeople } from "./queries.ts";
import type { AlertSource, Calendar, CalendarSubscription, ContactMethod, Destination, Fairness, HandoffNotices, Incident, IncidentState, InhibitionRule, List, Member, NotificationRule, OnCallMetrics, OnCallNow, Override, Page, Policy, QuietHours, RoutingRule, Schedule, Silence, Swap, TimelineEntry } from "./types.ts";

export const useIncidents = (filter: { state: IncidentState | null; project: string | null }) =>
  useInfiniteQuery({
    queryKey: ["incidents", filter],
    queryFn: ({ pageParam, signal }) => get<List<Incident>>("/incidents", { params: { ...filter, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    ...WATCHED,
  });

/** The newest hundred of each state that are open, to choose from. */
export const useOpenIncidents = () =>
  useQuery({
    queryKey: ["incidents", "open"],
    queryFn: async ({ signal }) => {
      const states = ["triggered", "acknowledged"] as const;
      const lists = await Promise.all(states.map((state) => get<List<Incident>>("/incidents", { params: { state, limit: 100 }, signal })));
      return lists.flatMap((list) => list.items);
    },
  });

const ofIncident = <T>(id: string, part: string, read: (path: string, signal: AbortSignal) => Promise<T>) => ({
  queryKey: ["incident", id, part],
  queryFn: ({ signal }: { signal: AbortSignal }) => read(`/incidents/${encodeURIComponent(id)}${part}`, signal),
  ...WATCHED,
});
export const useIncident = (id: string) => useQuery(ofIncident(id, "", (path, signal) => get<Incident>(path, { signal })));
export const useTimeline = (id: string) => useQuery(ofIncident(id, "/timeline", (path, signal) => all<TimelineEntry>(path, signal)));
export const usePages = (id: string) => useQuery(ofIncident(id, "/pages", (path, signal) => all<Page>(path, signal)));

/** The newest incident of an issue; null where the server has none. */
export const useIncidentOf = (issue: number) =>
  useQuery({ queryKey: ["incidents", "of", issue], queryFn: async ({ signal }) => (await getIfThere<List<Incident>>("/incidents", { params: { issue, limit: 1 }, signal }))?.items[0] ?? null, retry: false, ...WATCHED });

export const useSchedules = () => useIfThere<Schedule>("schedules", "/schedules");
export const useSchedule = (id: string) => useQuery({ queryKey: ["schedules", id], queryFn: ({ signal }) => get<Schedule>(`/schedules/${encodeURIComponent(id)}`, { signal }) });
export const useOnCall = (id: number) => useQuery({ queryKey: ["schedules", id, "on-call"], queryFn: ({ signal }) => get<OnCallNow>(`/schedules/${id}/on-call`, { signal }), refetchInterval: 30_000 });
export const useOverrides = (id: number) => useQuery({ queryKey: ["schedules", id, "overrides"], queryFn: ({ signal }) => all<Override>(`/schedules/${id}/overrides`, signal) });
export const useSwaps = (id: number) => useQuery({ queryKey: ["schedules", id, "swaps"], queryFn: ({ signal }) => all<Swap>(`/schedules/${id}/swaps`, signal) });
/** The calendar that a schedule follows, for its managers; null when it follows none. Looked at again soon: somebody waits for the first fetch. */
export const useSubscription = (id: number) =>
  useQuery({ queryKey: ["schedules", id, "subscription"], queryFn: ({ signal }) => getIfThere<CalendarSubscription>(`/schedules/${id}/subscription`, { signal }), refetchInterval: (query) => ((query.state.data ?? null) === null ? false : 5_000) });
export const useCalendar = (id: number, from: string, to: string) =>
  useQuery({ queryKey: ["schedules", id, "calendar", from, to], queryFn: ({ signal }) => get<Calendar>(`/schedules/${id}/calendar`, { params: { from, to }, signal }), placeholderData: keepPreviousData });

const WEEKS_AHEAD = 12;
/** How evenly a schedule is spread from today on. */
export const useSpread = (id: number) =>
  useQuery({
    queryKey: ["schedules", id, "fairness"],
    queryFn: ({ signal }) => {
      const from = new Date();
      const to = new Date(from.getTime() + WEEKS_AHEAD * 7 * 86_400_000);
      return get<Fairness>(`/schedules/${id}/fairness`, { params: { from: from.toISOString(), to: to.toISOString() }, signal });
    },
  });

/** How on-call went in the last days; null where the server does not say. */
export const useMetrics = (days: number, team: string | null) =>
  useQuery({
    queryKey: ["on-call-metrics", days, team],
    queryFn: ({ signal }) => {
      const to = new Date();
      const from = new Date(to.getTime() - days * 86_400_000);
      return getIfThere<OnCallMetrics>("/on-call/metrics", { params: { from: from.toISOString(), to: to.toISOString(), team }, signal });
    },
    placeholderData: keepPreviousData,
    ...CALM,
  });

export const usePolicies = () => useIfThere<Policy>("policies", "/escalation-policies");
export const usePolicy = (id: string) => useQuery({ queryKey: ["policies", id], queryFn: ({ signal }) => get<Policy>(`/escalation-policies/${encodeURIComponent(id)}`, { signal }) });
/** Where steps of a team's policies can be posted. */
export const useRooms = (team: number | undefined) =>
  useQuery({ queryKey: ["destinations", "team", team], queryFn: ({ signal }) => all<Destination>(`/teams/${team ?? 0}/destinations`, signal), enabled: team !== undefined, staleTime: 60_000 });
export const useRoutingRules = () => useIfThere<RoutingRule>("routing-rules", "/routing-rules");
export const useAlertSources = () => useIfThere<AlertSource>("alert-sources", "/alert-sources");
export const useInhibitionRules = () => useIfThere<InhibitionRule>("inhibition-rules", "/inhibition-rules");
export const useSilences = () => useIfThere<Silence>("silences", "/silences");

export const useContactMethods = () => useIfThere<ContactMethod>("contact-methods", "/account/contact-methods");
export const useNotificationRules = () => useIfThere<NotificationRule>("notification-rules", "/account/notification-rules");

export const useQuietHours = () => useQuery({ queryKey: ["quiet-hours"], queryFn: ({ signal }) => get<QuietHours>("/account/quiet-hours", { signal }) });

export const useHandoffNotices = () => useQuery({ queryKey: ["handoff-notices"], queryFn: ({ signal }) => get<HandoffNotices>("/account/handoff-notices", { signal }) });

/** Who can be put on call for a team. */
export const useMembers = (team: number | undefined) =>
  useQuery({ queryKey: ["members", team], queryFn: ({ signal }) => all<Member>(`/teams/${team ?? 0}/members`, signal), enabled: team !== undefined, staleTime: 60_000 });

/** What people are called, as far as one may know; also good for titles and labels. */
export function useNames(): (id: number | null | undefined) => string {
  const people = usePeople().data;
  return (id) => (id === null || id === undefined ? "nobody" : neutralise(people?.find((person) => person.id === id)?.name ?? `person ${id}`));
}
