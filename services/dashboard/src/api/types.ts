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
export type Discard = Schemas["Discard"];

/** Fields of forms hold any number until the server has said what it thinks of it. */
export type Settings = Omit<Schemas["ProjectSettings"], "retention" | "retention_low"> & { retention: number; retention_low: number };
export type Project = Omit<Schemas["Project"], "settings"> & { settings: Settings };
export type NewProject = Schemas["NewProject"];
export type Key = Schemas["Key"];

export type Issue = Schemas["Issue"];
export type IgnoreUntil = Schemas["IgnoreUntil"];
export type ResolvedIn = Schemas["Resolution"];
export type SavedSearch = Schemas["SavedSearch"];
export type Fingerprint = Schemas["Fingerprint"];
export type Facets = Schemas["IssueFacets"];
export type Traced = Schemas["Traced"];
export type Shared = Schemas["SharedIssue"];
export type Frame = Schemas["Frame"];
export type Stacktrace = Schemas["Stacktrace"];
export type Exception = Schemas["Exception"];
export type Thread = Schemas["Thread"];
export type Breadcrumb = Schemas["Breadcrumb"];
export type Pairs = [string, string][];
export type HttpRequest = Schemas["EventRequest"];
export type EventBody = Schemas["StoredEvent"];

export type Attachment = Schemas["Attachment"];
export type Feedback = Schemas["Feedback"];
export type Component = Schemas["GroupingComponent"];
export type Explanation = Schemas["Grouping"];
export type GroupingTrial = Schemas["GroupingTrial"];
export type Destined = Schemas["Destined"];
export type Room = Schemas["Room"];

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
export type Service = Schemas["Service"];
export type Highlights = Schemas["Highlights"];

/** Not in the document: an operator's, below `/health`. */
export interface Health { healthy: boolean; checks: Record<string, { healthy: boolean; message: string }> }

export type Author = Schemas["Author"];
export type Release = Schemas["Release"];
export type ReleaseTrend = Schemas["ReleaseTrend"];
export type Commit = Schemas["Commit"];
export type Deploy = Schemas["Deploy"];

export type Incident = Schemas["Incident"];
export type IncidentState = Schemas["IncidentState"];
export type TimelineEntry = Schemas["TimelineEntry"];
export type Page = Schemas["IncidentNotification"];

export type Schedule = Schemas["StoredSchedule"];
export type Layer = Schemas["GivenLayer"];
export type Rotation = Schemas["GivenRotation"];
export type RotationUnit = Schemas["RotationUnit"];
export type Restriction = Schemas["Restriction"];
export type Weekday = Schemas["Weekday"];
export type OnCallNow = Schemas["OnCallNow"];
export type Calendar = Schemas["ScheduleCalendar"];
export type Fairness = Schemas["Fairness"];
export type OnCallMetrics = Schemas["OnCallMetrics"];
export type Shift = Schemas["Shift"];
export type Override = Schemas["StoredOverride"];
export type Swap = Schemas["Swap"];
export type ImportedCalendar = Schemas["ImportedCalendar"];
export type CalendarSubscription = Schemas["CalendarSubscription"];

export type Policy = Schemas["StoredEscalationPolicy"];
export type PolicyContent = Schemas["GivenEscalationPolicy"];
export type PolicyStep = Schemas["GivenEscalationStep"];
export type PolicyTarget = Schemas["EscalationTarget"];
export type ResponseTimes = Schemas["ResponseTimes"];
export type RoutingRule = Schemas["RoutingRule"];
export type TagMatcher = Schemas["TagMatcher"];
export type SignalKind = Schemas["SignalKind"];
export type AlertSource = Schemas["AlertSource"];
export type AlertSourceKind = Schemas["AlertSourceKind"];
export type Silence = Schemas["Silence"];
export type Matchers = Schemas["SilenceMatchers"];
export type LabelMatcher = Schemas["LabelMatcher"];
export type InhibitionRule = Schemas["InhibitionRule"];
export type Weekly = Schemas["Weekly"];

export type ContactMethod = Schemas["ContactMethod"];
export type NotificationRule = Schemas["NotificationRule"];
export type QuietHours = Schemas["QuietHoursNow"];
export type HandoffNotices = Schemas["HandoffSettings"];

export type Ownership = Schemas["ProjectOwnership"];
export type OwnershipRule = Schemas["OwnershipRule"];
export type OwnershipMatch = Schemas["OwnershipMatch"];
export type OwnershipTrial = Schemas["OwnershipTrial"];
export type Owner = Schemas["Owner"];
export type CodeownersImport = Schemas["CodeownersImport"];
export type Availability = Schemas["Availability"];
