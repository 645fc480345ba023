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
export type IgnoreUntil = Schemas["IgnoreUntil"];
export type ResolvedIn = Schemas["Resolution"];
export interface Fingerprint { fingerprint: string; algorithm: number; events: number }
export interface Facets { issues: number; sample: boolean; facets: { key: string; values: { value: string; issues: number }[] }[] }
export interface Traced { items: EventBody[]; hidden: number; more: boolean }
export interface Shared {
  short_id: string; title: string; culprit: string | null; error_type: string | null; level: Level; platform: string; count: number; first_seen: string; last_seen: string;
  event: { timestamp: string; exceptions: { type: string | null; value: string | null; frames: { [key in keyof Frame]: Frame[key] | null }[] }[] } | null;
}
export type Frame = Schemas["Frame"];
export type Stacktrace = Schemas["Stacktrace"];
export type Exception = Schemas["Exception"];
export type Thread = Schemas["Thread"];
export type Breadcrumb = Schemas["Breadcrumb"];
export type Pairs = [string, string][];
export type HttpRequest = Schemas["EventRequest"];
export type EventBody = Schemas["StoredEvent"];

export interface Attachment { id: number; name: string; content_type: string | null; attachment_type: string | null; size: number; sha256: string; received_at: string }
export interface Feedback { id: number; name: string | null; email: string | null; message: string; url: string | null; received_at: string }
export interface Component { name: string; contributes: boolean; value?: string; reason?: string; children?: Component[] }
export interface Explanation { version: number; method: string; rule_line?: number; rule?: string; hashes: { variant: string; hash: string }[]; components: Component[] }
export interface Room { project: number; name: string; events_bytes: number; attachments_bytes: number }

export type Channel = Schemas["Channel"];
export type Destination = Schemas["Destination"];
export type Attempt = Schemas["Attempt"];
export type Notification = Schemas["Notification"];

export type Outcome = Omit<Schemas["HourlyOutcome"], "outcome"> & { outcome: string };
export type DeadLetter = Schemas["DeadLetter"];

export type Stats = Schemas["Stats"];
export type IssueStats = Schemas["Trend"];
export type TagStats = Schemas["Tag"];
export type Activity = Schemas["Activity"];
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
