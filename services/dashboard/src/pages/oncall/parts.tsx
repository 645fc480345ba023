/** What the pages of on-call share. */
import type { ReactNode } from "react";
import type { Problem } from "../../api/client.ts";
import { useNames, useRooms, useSchedules } from "../../api/oncall.ts";
import { useProjects, useTeams } from "../../api/queries.ts";
import { accessTo, useSession } from "../../api/session.ts";
import type { Destination, PolicyTarget, Priority, Team } from "../../api/types.ts";
import { initials } from "../../lib/format.ts";
import { neutralise } from "../../lib/text.ts";
import { Empty, IconButton, Page, Select, Skeleton } from "../../ui/kit.tsx";
import { Untrusted } from "../../ui/text.tsx";

export const PRIORITIES = [["low", "Everything"], ["medium", "Medium and above"], ["high", "High and above"], ["critical", "Critical only"]] as const satisfies readonly (readonly [Priority, string])[];

/** The teams for which one may make something; none while they are read. */
export function useManaged(): Team[] {
  const session = useSession();
  const teams = useTeams().data ?? [];
  return teams.filter((team) => accessTo(session, team.id).manage);
}

/** The teams whose incidents one may answer, and for which one may make silences; none while they are read. */
export function useAnswered(): Team[] {
  const session = useSession();
  const teams = useTeams().data ?? [];
  return teams.filter((team) => accessTo(session, team.id).triage);
}

/** What makes something new, for those who may, with the team that it is for. */
export function ForManagers({ title, children }: { title: string; children: ReactNode }) {
  const teams = useTeams();
  const managed = useManaged();
  if (teams.isPending) return <Skeleton />;
  if (managed.length === 0) return <Empty whole icon="oncall" title={title}>Only managers of a team can make one.</Empty>;
  return <Page title={title}>{children}</Page>;
}

/** Whose something new is to be: asked only where there is a choice. */
export function TeamSelect({ teams, value, onChange, disabled = false }: { teams: Team[]; value: number | undefined; onChange: (team: number) => void; disabled?: boolean }) {
  if (teams.length < 2) return null;
  return <Select label="Team" value={String(value ?? "")} disabled={disabled} onChange={(event) => onChange(Number(event.target.value))} options={teams.map((team) => [String(team.id), team.name] as const)} help={disabled ? "Cannot be changed" : undefined} />;
}

/** "layers[0].rotation.every" as "layer 1, rotation, every". */
const fieldName = (field: string): string =>
  field
    .replace(/^content\./, "")
    .replace(/s\[(\d+)\]/g, (_, index: string) => ` ${Number(index) + 1}`)
    .replace(/\[(\d+)\]/g, (_, index: string) => ` ${Number(index) + 1}`)
    .replace(/[._]/g, (mark) => (mark === "." ? ", " : " "));

/** All that the server says against a long form. */
export function Mistakes({ problem, except = [] }: { problem: Problem | null; except?: string[] }) {
  const errors = problem?.errors.filter(({ field }) => !except.includes(field)) ?? [];
  if (errors.length === 0) return null;
  return (
    <div className="wrongbox" role="alert">
      <ul>{errors.map(({ field, message }) => <li key={field + message}><strong>{fieldName(field)}</strong>: {message}</li>)}</ul>
    </div>
  );
}

/** Buttons that move one of a list up and down, and take it out. Their names say what they move. */
export function Order({ what, index, count, move, remove }: { what: string; index: number; count: number; move: (by: -1 | 1) => void; remove?: (() => void) | undefined }) {
  return (
    <span className="order">
      <IconButton icon="up" label={`Move ${what} up`} disabled={index === 0} onClick={() => move(-1)} />
      <IconButton icon="down" label={`Move ${what} down`} disabled={index === count - 1} onClick={() => move(1)} />
      {remove !== undefined && <IconButton icon="trash" label={`Remove ${what}`} onClick={remove} />}
    </span>
  );
}

/** A list with two neighbours exchanged. */
export function moved<T>(list: readonly T[], index: number, by: -1 | 1): T[] {
  const next = [...list];
  const [one] = next.splice(index, 1);
  if (one !== undefined) next.splice(index + by, 0, one);
  return next;
}

export const replaced = <T,>(list: readonly T[], index: number, value: T): T[] => list.map((old, place) => (place === index ? value : old));
export const without = <T,>(list: readonly T[], index: number): T[] => list.filter((_, place) => place !== index);

export const CHANNELS: Record<Destination["channel"], string> = { email: "Mail", slack: "Slack", sms: "SMS", voice: "Call", web_push: "Browser", webhook: "Webhook" };

/** A destination as people know it. What comes after the host of a URL is nobody's business. */
export function roomName({ channel, target, project }: Destination, projects: readonly { id: number; name: string }[] | undefined): string {
  const place = target.replace(/^(https?:\/\/[^/]*).*$/, "$1");
  return neutralise(`${CHANNELS[channel]} ${place} of ${projects?.find((one) => one.id === project)?.name ?? `project ${project}`}`);
}

/** Whom a step of a team's policy pages, or where it is posted, as a name. */
export function useTargetName(team: number | undefined): (target: PolicyTarget) => string {
  const name = useNames();
  const schedules = useSchedules().data;
  const teams = useTeams().data;
  const projects = useProjects().data;
  const rooms = useRooms(team).data;
  return (target) => {
    switch (target.type) {
      case "person": return name(target.user);
      case "schedule": return neutralise(schedules?.find((s) => s.id === target.schedule)?.name ?? `schedule ${target.schedule}`);
      case "team": return neutralise(`everybody of ${teams?.find((one) => one.id === target.team)?.name ?? `team ${target.team}`}`);
      case "destination": {
        const room = rooms?.find((one) => one.id === target.destination);
        return room === undefined ? `destination ${target.destination}` : roomName(room, projects);
      }
    }
  };
}

export const Person = ({ name }: { name: string }) => (
  <span className="person">
    <span className="avatar small" aria-hidden="true">{initials(name)}</span>
    <Untrusted limit={60}>{name}</Untrusted>
  </span>
);
