import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { setTimeZone } from "../lib/time.ts";
import { apiToken, call, get, getIfThere, Problem, setCsrf } from "./client.ts";
import type { List, Project, SessionBody, User } from "./types.ts";

export type Session =
  | { kind: "user"; user: User }
  /** Signed in by an API token: there is nobody behind it. */
  | { kind: "token" }
  /** Nobody. `accounts` is false where the server has no accounts, only tokens. */
  | { kind: "none"; accounts: boolean; setup: boolean };

/** Takes what a sign-in answered. */
export function accept(body: SessionBody): Session {
  setCsrf(body.csrf);
  setTimeZone(body.user.time_zone);
  return { kind: "user", user: body.user };
}

async function load(): Promise<Session> {
  if (apiToken.get() !== null) {
    try {
      await get<List<Project>>("/projects", { params: { limit: 1 }, atDoor: true });
      return { kind: "token" };
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      apiToken.clear();
    }
  }
  try {
    const body = await getIfThere<SessionBody>("/session", { atDoor: true });
    if (body !== null) return accept(body);
    return { kind: "none", accounts: false, setup: false };
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    // Before there were accounts, an unknown path was told from a known one only with a token.
    const setup = await getIfThere<{ needed: boolean }>("/setup", { atDoor: true }).catch(() => null);
    return { kind: "none", accounts: setup !== null, setup: setup?.needed === true };
  }
}

export const useSessionQuery = () => useQuery({ queryKey: ["session"], queryFn: load, staleTime: Infinity, retry: 3 });

/** The session inside of the shell, where there is one. */
export function useSession(): Session {
  return useSessionQuery().data ?? { kind: "none", accounts: true, setup: false };
}

export function useSignedIn(): (body: SessionBody) => void {
  const client = useQueryClient();
  return useCallback((body) => client.setQueryData<Session>(["session"], accept(body)), [client]);
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return useCallback(async () => {
    if (apiToken.get() === null) await call("DELETE", "/session");
    apiToken.clear();
    setCsrf(null);
    // Not all at once: a query that is removed tells nobody, and the pages would stay.
    const nobody: Session = { kind: "none", accounts: true, setup: false };
    client.setQueryData(["session"], nobody);
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
    await client.invalidateQueries({ queryKey: ["session"] });
  }, [client]);
}

export interface Access { admin: boolean; manage: boolean; triage: boolean }

/** What to offer. The server decides; this only spares people the buttons that would be refused. */
export function accessTo(session: Session, team: number | null | undefined): Access {
  if (session.kind === "token") return { admin: true, manage: true, triage: true };
  if (session.kind === "none") return { admin: false, manage: false, triage: false };
  if (session.user.role !== "member") return { admin: true, manage: true, triage: true };
  const roles = team === null || team === undefined ? session.user.teams.map((t) => t.role) : session.user.teams.filter((t) => t.id === team).map((t) => t.role);
  return { admin: false, manage: roles.includes("manager"), triage: roles.includes("manager") || roles.includes("member") };
}
