/** What the API says. Fields that newer servers add are optional here. */

export type Level = "debug" | "info" | "warning" | "error" | "fatal";
export type Priority = "low" | "medium" | "high" | "critical";
export type Status = "unresolved" | "resolved" | "ignored";
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonMap = Record<string, Json>;

export interface List<T> { items: T[]; next: string | null }

export interface TeamRef { id: number; name: string }
export interface Team extends TeamRef { role?: TeamRole; members?: number; projects?: number }
export type TeamRole = "manager" | "member" | "viewer";
export type Role = "owner" | "admin" | "member";

export interface User { id: number; email: string; name: string; role: Role; time_zone: string | null; totp: boolean; teams: { id: number; name: string; role: TeamRole }[] }
export interface SessionBody { user: User; csrf: string; expires_at: string }
export interface SignedInSession { id: number | string; created_at: string; last_seen_at: string; address: string | null; user_agent: string | null; current: boolean }
export interface Person { id: number; email: string; name: string; role: Role; disabled?: boolean; totp?: boolean; last_seen_at?: string | null; teams?: { id: number; name: string; role: TeamRole }[] }
export interface Member { id?: number; user_id?: number; name: string; email: string; role: TeamRole }
export interface Invitation { id: number; email: string; role: Role; team: TeamRef | number | null; team_role?: TeamRole; link?: string; created_at?: string; expires_at?: string }
export interface ApiToken { id: number; name: string; scopes: string[]; team: TeamRef | number | null; created_at?: string; expires_at: string | null; last_used_at: string | null; token?: string }
export interface AuditEntry { id: number; at: string; actor: { kind: string; id: number | null; name: string | null }; action: string; target: { kind: string; id: number | string | null; name: string | null }; address: string | null; before: Json; after: Json }

export interface Settings {
  scrub: { enabled: boolean; fields: string[]; keep: string[]; addresses: boolean };
  filters: { releases: string[]; environments: string[]; exception_types: string[]; messages: string[]; browser_extensions: boolean; addresses: string[]; crawlers: boolean };
  grouping_rules: string;
  retention: number;
  retention_low: number;
  quota: { per_minute: number | null; per_hour: number | null };
}
export interface Project { id: number; name: string; prefix: string; created_at: string; settings: Settings; team?: TeamRef | null }
export interface NewProject { id: number; name: string; key: string; dsn: string }
export interface Key { id: number; label: string; key: string; dsn: string; enabled: boolean; per_minute: number | null; per_hour: number | null; created_at: string }

export interface Issue {
  id: number; short_id: string; project: number; project_name: string; title: string; culprit: string | null; error_type: string | null;
  platform: string; level: Level; priority: Priority; status: Status; count: number; users: number; first_seen: string; last_seen: string;
  first_release: string | null; resolved_at: string | null; assigned_to: string | null; regressions: number;
  releases?: string[]; sparkline?: number[];
  ignore_until?: IgnoreUntil | null; resolved_in?: ResolvedIn | null; bookmarked?: boolean;
}
export type IgnoreUntil = { time: string } | { events: number } | { users: number } | { escalates: true };
export type ResolvedIn = "now" | "next" | { release: string } | { commit: string };
export interface Fingerprint { fingerprint: string; algorithm: number; events: number }
export interface Facets { issues: number; sample: boolean; facets: { key: string; values: { value: string; issues: number }[] }[] }
export interface Traced { items: EventBody[]; hidden: number; more: boolean }
export interface Shared {
  short_id: string; title: string; culprit: string | null; error_type: string | null; level: Level; platform: string; count: number; first_seen: string; last_seen: string;
  event: { timestamp: string; exceptions: { type: string | null; value: string | null; frames: { [key in keyof Frame]: Frame[key] | null }[] }[] } | null;
}

export interface Frame {
  function?: string; module?: string; package?: string; filename?: string; abs_path?: string; lineno?: number; colno?: number; in_app?: boolean;
  pre_context?: string[]; context_line?: string; post_context?: string[]; vars?: JsonMap;
}
export interface Stacktrace { frames: Frame[]; frames_omitted?: number }
export interface Exception { type?: string; value?: string; module?: string; thread_id?: string; mechanism?: { type: string; handled?: boolean; source?: string; exception_id?: number; parent_id?: number }; stacktrace?: Stacktrace }
export interface Thread { id?: string; name?: string; crashed?: boolean; current?: boolean; stacktrace?: Stacktrace }
export interface Breadcrumb { timestamp?: string; type?: string; category?: string; level?: Level; message?: string; data?: JsonMap }
export type Pairs = [string, string][];
export interface HttpRequest { url?: string; method?: string; query?: Pairs; fragment?: string; headers?: Pairs; cookies?: Pairs; data?: Json; env?: JsonMap }

export interface EventBody {
  event_id: string; issue: number; project: number; received_at: string; timestamp: string; level: Level; platform: string;
  release: string | null; environment: string | null; title: string; culprit: string | null; transaction?: string; server_name?: string; logger?: string; dist?: string;
  message?: { template?: string; formatted?: string; params?: Json };
  tags: Record<string, string>; user: { id?: string; email?: string; username?: string; name?: string; ip_address?: string; data?: JsonMap } | null;
  request: HttpRequest | null; contexts: JsonMap; exceptions: Exception[]; threads?: Thread[]; breadcrumbs: Breadcrumb[];
  extra?: JsonMap; modules?: Record<string, string>; sdk?: { name?: string; version?: string }; security?: Json;
  request_id?: string; trace_id?: string; span_id?: string; source: string; hashes: string[]; errors?: string[]; fingerprint?: string[];
}

export interface Attachment { id: number; name: string; content_type: string | null; attachment_type: string | null; size: number; sha256: string; received_at: string }
export interface Feedback { id: number; name: string | null; email: string | null; message: string; url: string | null; received_at: string }
export interface Component { name: string; contributes: boolean; value?: string; reason?: string; children?: Component[] }
export interface Explanation { version: number; method: string; rule_line?: number; rule?: string; hashes: { variant: string; hash: string }[]; components: Component[] }
export interface Room { project: number; name: string; events_bytes: number; attachments_bytes: number }

export type Channel = "email" | "slack" | "sms" | "webhook";
export interface Destination { id: number; project: number; channel: Channel; target: string; min_priority: Priority | null; settings: JsonMap; enabled: boolean; disabled_reason: string | null; failures: number; open_until: string | null; created_at: string; secret?: string }
export interface Attempt { number: number; started_at: string; duration_ms: number | null; result: string; status: number | null; answer: string | null }
export interface Notification {
  id: number; message_id: string; project: number; issue: number | null; destination: number; channel: Channel; kind: string; generation: number;
  priority: Priority; state: string; received_at: string | null; created_at: string; next_at: string | null; finished_at: string | null; latency_ms: number | null; error: string | null; bundled_into: number | null; attempts: Attempt[];
}

export interface Outcome { hour: string; project: number | null; key: number | null; outcome: string; reason: string; category: string; quantity: number }
export interface DeadLetter { id: string; queue: string; reason: string; attempts: number; published_at: string | null; rejected_at: string | null; size: number; content: Json }

export interface Stats {
  buckets: string[]; total: number[]; by_project: { project: number; name: string; counts: number[] }[]; by_level: { level: Level; counts: number[] }[];
  new_issues: number; regressed_issues: number; unresolved: number;
}
export interface IssueStats { buckets: string[]; counts: number[]; releases?: { version: string; first_seen: string }[] }
export interface TagStats { key: string; total: number; values: { value: string; count: number }[] }
export interface Activity { id: number; at: string; actor: string | null; kind: string; data: Json }
export interface Heartbeat { service: string; instance: string; version: string; started_at: string; seen_at: string; state: Json }
export interface Health { healthy: boolean; checks: Record<string, { healthy: boolean; message: string }> }
export interface Release {
  project: number; project_name?: string; version: string; created_at?: string; first_seen?: string | null; last_seen?: string | null; released_at?: string | null;
  events?: number; new_issues?: number; resolved_issues?: number; commits?: Json[]; authors?: Json[]; deploys?: Json[];
}
