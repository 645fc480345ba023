/** What the API says: names for the generated types. Fields that newer servers add are optional here. */
import type { components } from "./schema.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonMap = Record<string, Json>;

/** What the document leaves open is JSON at least. */
type Known<T> = unknown extends T ? Json : T extends object ? { [K in keyof T]: Known<T[K]> } : T;
type Schemas = { [Name in keyof components["schemas"]]: Known<components["schemas"][Name]> };

export interface List<T> { items: T[]; next: string | null }

export type Level = Schemas["Level"];
export type Priority = Schemas["Priority"];
export type Status = Schemas["IssueStatus"];
export type TeamRole = Schemas["TeamRole"];
export type Role = Schemas["InstallationRole"];

export type TeamRef = Schemas["TeamName"];
export type Team = Schemas["Team"] & { role?: TeamRole };
export type User = Schemas["User"];
export type SessionBody = Schemas["Session"];
export type SignedInSession = Schemas["SignedInSession"];
export type Person = Omit<Schemas["User"], "disabled"> & { disabled?: boolean; last_seen_at?: string | null };
export type Member = Schemas["Member"] & { user_id?: number };
export type Invitation = Schemas["Invitation"] & { link?: string };
export type ApiToken = Schemas["Token"];
export type AuditEntry = Schemas["AuditEntry"];

/** Fields of forms hold any number until the server has said what it thinks of it. */
export type Settings = Omit<Schemas["ProjectSettings"], "retention" | "retention_low"> & { retention: number; retention_low: number };
export type Project = Omit<Schemas["Project"], "settings"> & { settings: Settings };
export type NewProject = Schemas["NewProject"];
export type Key = Schemas["Key"];

export type Issue = Schemas["Issue"];
export type Frame = Schemas["Frame"];
export type Stacktrace = Schemas["Stacktrace"];
export type Exception = Schemas["Exception"];
export type Thread = Schemas["Thread"];
export type Breadcrumb = Schemas["Breadcrumb"];
export type Pairs = [string, string][];
export type HttpRequest = Schemas["EventRequest"];
export type EventBody = Schemas["StoredEvent"] & {
  attachments?: { id?: number | string; name: string; content_type?: string | null; size?: number; url?: string }[];
  feedback?: { name?: string | null; email?: string | null; message: string; received_at?: string }[];
};

export type Channel = Schemas["Channel"];
export type Destination = Schemas["Destination"];
export type Attempt = Schemas["Attempt"];
export type Notification = Schemas["Notification"];

export type Outcome = Omit<Schemas["HourlyOutcome"], "outcome"> & { outcome: string };
export type DeadLetter = Schemas["DeadLetter"];

export type Stats = Schemas["Stats"];
export type IssueStats = Schemas["Trend"];
export type TagStats = Schemas["Tag"];
/** Wider than the document: servers have said it in more than one way. */
export interface Activity { id: number; at?: string; created_at?: string; kind?: string; action?: string; actor?: { kind?: string; name: string | null } | string | null; text?: string | null; data?: Json; before?: Json; after?: Json }
export type Heartbeat = Schemas["Heartbeat"];

/** Not in the document: an operator's, below `/health`. */
export interface Health { healthy: boolean; checks: Record<string, { healthy: boolean; message: string }> }

export interface Author { name: string | null; email: string | null }
export interface Release {
  id: string; project: number; project_name: string; version: string; status: "open" | "archived"; ref: string | null; url: string | null;
  created_at: string; started_at: string | null; released_at: string | null; first_seen: string | null; last_seen: string | null; events: number;
  new_issues: number; regressed_issues: number; resolved_issues: number; commit_count: number; authors: Author[]; deployed: { environment: string; at: string }[];
}
export interface Commit { id: string; repository: string | null; author_name: string | null; author_email: string | null; message: string | null; timestamp: string | null }
export interface Deploy { id: number; environment: string; name: string | null; url: string | null; started_at: string | null; finished_at: string }
