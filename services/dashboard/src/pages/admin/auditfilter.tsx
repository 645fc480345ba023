import { download } from "../../api/client.ts";
import { usePeople, useTeams } from "../../api/queries.ts";
import { useSession } from "../../api/session.ts";
import type { AuditEntry } from "../../api/types.ts";
import { useFilter } from "../../lib/hooks.ts";
import { timeZone } from "../../lib/time.ts";
import { dayStart, isDay, plusDays } from "../../lib/zone.ts";
import { Button, Input, Select } from "../../ui/kit.tsx";
import { Menu, MenuItem, MenuLabel } from "../../ui/menu.tsx";
import { useToast } from "../../ui/toasts.tsx";

/** What the server writes of: each action is one of these and a verb. */
const NOUNS = [
  "alert_source", "availability", "comment", "contact_method", "dead_letters", "destination", "discard", "escalation_policy", "handoff_notices", "identity", "incident",
  "inhibition_rule", "invitation", "issue", "key", "member", "notification_rule", "override", "ownership", "project", "quiet_hours", "release", "response_times",
  "routing_rule", "schedule", "search", "session", "setup", "silence", "swap", "team", "token", "user",
] as const;
const WHO = [["", "Anybody"], ["user", "Any person"], ["token", "Any API token"], ["system", "The installation itself"]] as const;

export type AuditParams = Record<"actor" | "action" | "team" | "since" | "until", string | null>;

/** When a day begins for the reader, so many days later. A date that is still being typed may be no day. */
function begin(day: string | null, later: number): string | null {
  if (!isDay(day)) return null;
  const at = dayStart(plusDays(day, later), timeZone());
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** Which entries: in the address, and as the server takes it. Both days count whole. */
export function useAuditFilter() {
  const actor = useFilter("actor");
  const action = useFilter("action");
  const team = useFilter("team");
  const from = useFilter("from");
  const until = useFilter("until");
  const params: AuditParams = { actor: actor[0], action: action[0], team: team[0], since: begin(from[0], 0), until: begin(until[0], 1) };
  return { actor, action, team, from, until, params, chosen: Object.values(params).some((value) => value !== null) };
}

type Options = (readonly [string, string])[];

/** The options, and what an address asks for that is none of them. */
const having = (options: Options, value: string | null): Options => (value === null || options.some(([known]) => known === value) ? options : [...options, [value, value]]);

/** Who did something: people, and from the log itself those who are no people or whom this reader may not list. */
function useActors(seen: AuditEntry[]): Options {
  const people = usePeople().data ?? [];
  const known = new Map(people.map((p) => [`user:${p.id}`, p.name]));
  for (const { actor } of seen) {
    const id = actor.id === null ? null : `${actor.kind}:${actor.id}`;
    if (id !== null && !known.has(id)) known.set(id, actor.kind === "user" ? actor.name : `${actor.name} (${actor.kind})`);
  }
  return [...WHO, ...known.entries()];
}

export function AuditFilters({ filter, seen }: { filter: ReturnType<typeof useAuditFilter>; seen: AuditEntry[] }) {
  const teams = useTeams().data ?? [];
  const actors = useActors(seen);
  const [actor, setActor] = filter.actor;
  const [action, setAction] = filter.action;
  const [team, setTeam] = filter.team;
  const [from, setFrom] = filter.from;
  const [until, setUntil] = filter.until;
  return (
    <div className="pad">
      <div className="formgrid filters">
        <Select label="Who" value={actor ?? ""} options={having(actors, actor)} onChange={(event) => setActor(event.target.value)} />
        <Select label="What was changed" value={action ?? ""} options={having([["", "Anything"], ...NOUNS.map((noun) => [noun, noun.replace(/_/g, " ")] as const)], action)} onChange={(event) => setAction(event.target.value)} />
        <Select label="Team" value={team ?? ""} options={having([["", "Any"], ...teams.map((t) => [String(t.id), t.name] as const)], team)} onChange={(event) => setTeam(event.target.value)} />
        <Input label="From" type="date" value={from ?? ""} max={until ?? undefined} onChange={(event) => setFrom(event.target.value)} />
        <Input label="Until" type="date" value={until ?? ""} min={from ?? undefined} onChange={(event) => setUntil(event.target.value)} />
      </div>
    </div>
  );
}

/** All that the filters leave, as a file. The browser writes it while it comes; only a token's has to be fetched here. */
export function AuditExport({ params }: { params: AuditParams }) {
  const session = useSession();
  const toast = useToast();
  const keep = (format: "csv" | "ndjson"): void => {
    const given = Object.fromEntries(Object.entries({ ...params, format }).filter((entry): entry is [string, string] => entry[1] !== null));
    if (session.kind === "token") void download("/audit/export", `audit.${format}`, given).catch(toast.failed);
    else window.location.assign(`/api/v1/audit/export?${new URLSearchParams(given).toString()}`);
  };
  return (
    <Menu align="end" trigger={<Button small icon="download">Export</Button>}>
      <MenuLabel>What the filters leave</MenuLabel>
      <MenuItem onSelect={() => keep("csv")}>CSV, for a spreadsheet</MenuItem>
      <MenuItem onSelect={() => keep("ndjson")}>NDJSON, for a program</MenuItem>
    </Menu>
  );
}
