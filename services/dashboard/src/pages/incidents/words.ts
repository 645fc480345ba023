/** What incidents are told in. */
import type { Incident, IncidentState, Json, SignalKind, TimelineEntry } from "../../api/types.ts";
import { minutes } from "../../lib/time.ts";

/** What opens an incident: what a routing rule can ask for. */
export const SIGNALS = [
  ["new", "A new issue"],
  ["regression", "A regression"],
  ["unignored", "The end of being ignored"],
  ["events_10", "10 events within a day"],
  ["events_100", "100 events within a day"],
  ["events_1000", "1,000 events within a day"],
  ["events_10000", "10,000 events within a day"],
  ["escalated_medium", "Priority raised to medium"],
  ["escalated_high", "Priority raised to high"],
  ["escalated_critical", "Priority raised to critical"],
] as const satisfies readonly (readonly [SignalKind, string])[];

export const signalName = (kind: string): string => SIGNALS.find(([known]) => known === kind)?.[1] ?? kind.replace(/_/g, " ");

export const STATES: Record<IncidentState, string> = { triggered: "triggered", acknowledged: "acknowledged", resolved: "resolved" };

/** A snoozed incident is an acknowledged one, until its time comes. */
export const isSnoozed = (incident: Incident): boolean => incident.state === "acknowledged" && incident.snoozed_until !== null;

/** Opened while something kept it silent: nobody is paged before its end. */
export const isSilenced = (incident: Incident): boolean => incident.silenced_until !== null;

/** By what it is silent: by an open incident, by having too many, or else by a silence. */
export const silencedAs = (incident: Incident): "inhibited" | "flapping" | "silenced" => (incident.inhibited_by !== null ? "inhibited" : incident.silence === null && incident.flapping ? "flapping" : "silenced");

/** It ended because it became part of another one. */
export const isMerged = (incident: Incident): boolean => incident.merged_into !== undefined && incident.merged_into !== null;

/** How long there is until a time, or by how much it is over; in whole minutes. */
export function timeLeft(iso: string, now: number): { overdue: boolean; text: string } {
  const left = Date.parse(iso) - now;
  const whole = Math.floor(Math.abs(left) / 60_000);
  const text = whole === 0 ? "less than a minute" : minutes(whole);
  return left > 0 ? { overdue: false, text: `${text} left` } : { overdue: true, text: `overdue by ${text}` };
}

/** What an entry's `data` says of people, with their names at that time. */
function people(data: Json | undefined, moment: (iso: string) => string): string {
  if (!Array.isArray(data)) return "";
  const names = data.map((one) => {
    if (typeof one !== "object" || one === null || Array.isArray(one) || typeof one["name"] !== "string") return `person ${JSON.stringify(one)}`;
    const until = one["held_until"];
    return typeof until === "string" ? `${one["name"]} (quiet hours: told at ${moment(until)})` : one["name"];
  });
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

export type Tone = "bad" | "warn" | "good" | "quiet";
/** `incident` is another one that it is about. */
export interface Told { tone: Tone; text: string; more?: string; incident?: number }

const word = (value: Json | undefined): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");

/** Where an answer was given, when it was not in the dashboard. */
const WAYS = new Map([["email", " by mail"], ["sms", " by SMS"], ["slack", " in Slack"], ["voice", " by phone"]]);
const way = (data: Record<string, Json>): string => WAYS.get(word(data["channel"])) ?? "";

function paged(data: Record<string, Json>, moment: (iso: string) => string): Told {
  const who = people(data["people"], moment);
  const inTurn = data["round_robin"] === true;
  const others = inTurn ? "Whoever's turn it was could not be reached at this priority, and was passed over." : "Somebody else of this step could not be reached at this priority.";
  const unreachable = data["unreachable"] === undefined ? {} : { more: others };
  if (data["asked"] === true) return { tone: "warn", text: `${who} was paged, who was asked to help` };
  if (data["assigned"] === true) return { tone: "warn", text: `${who} was paged, whom it was given to` };
  if (data["raised_from"] !== undefined) return { tone: "warn", text: `For the higher priority step ${word(data["step"])} also paged ${who}` };
  const pass = Number(data["pass"] ?? 1);
  return { tone: "warn", text: `Step ${word(data["step"])} paged ${who}${inTurn ? ", whose turn it was" : ""}${pass > 1 ? ` (round ${pass})` : ""}`, ...unreachable };
}

function posted(data: Record<string, Json>): Told {
  const places = Array.isArray(data["destinations"]) ? data["destinations"] : [];
  const names = places.map((one) => (typeof one === "object" && one !== null && !Array.isArray(one) ? `${word(one["channel"])} of ${word(one["project"])}` : word(one)));
  return { tone: "quiet", text: `Step ${word(data["step"])} posted it to ${names.join(", ")}` };
}

/** A page that its provider had taken and that has not arrived. */
function missed(data: Record<string, Json>, moment: (iso: string) => string): string {
  const who = people(data["people"], moment);
  if (data["channel"] !== "voice") return `The page of ${who} by ${word(data["channel"]).replace("_", " ")} has not arrived`;
  return `${who} did not take the call${data["again"] === true ? ": another one follows" : ""}`;
}

function skipped(data: Record<string, Json>): Told {
  const step = data["step"] === undefined ? "" : `Step ${word(data["step"])} was left out: `;
  const text = `${step}${word(data["reason"])}`;
  return { tone: "bad", text: text.charAt(0).toUpperCase() + text.slice(1) };
}

function opened(actor: string | null, data: Record<string, Json>): Told {
  const priority = `priority ${word(data["priority"])}`;
  if (data["source"] !== undefined) return { tone: "bad", text: `Opened by an alert from ${word(data["source"])}, ${priority}` };
  if (actor !== null) return { tone: "bad", text: `${actor} opened it, ${priority}` };
  return { tone: "bad", text: `Opened: ${signalName(word(data["signal"])).toLowerCase()}, ${priority}` };
}

function again(data: Record<string, Json>): Told {
  if (data["ended"] === true) return { tone: "quiet", text: `${word(data["source"])} says that what became part of it is over`, more: word(data["title"]) };
  if (data["source"] !== undefined) return { tone: "quiet", text: `${word(data["source"])} tells of it again. Nobody is paged again for it`, more: word(data["title"]) };
  return { tone: "quiet", text: `Another signal: ${signalName(word(data["signal"])).toLowerCase()}. Nobody is paged again for it` };
}

function flapping(data: Record<string, Json>, moment: (iso: string) => string): Told {
  if (data["until"] !== undefined) return { tone: "quiet", text: `It flaps: nobody is paged before ${moment(word(data["until"]))}` };
  return { tone: "bad", text: `It flaps: the incident number ${word(data["opened"])} within ${word(data["within_minutes"])} minutes`, more: `Those after it page nobody before it has been calm for ${word(data["calm_minutes"])} minutes.` };
}

function merged(who: string, data: Record<string, Json>): Told {
  if (data["into"] !== undefined) return { tone: "quiet", text: `${who} made it part of another incident`, more: word(data["title"]), incident: Number(data["into"]) };
  return { tone: "quiet", text: "Its issue became part of another one", ...(data["reason"] === undefined ? {} : { more: word(data["reason"]) }) };
}

/** An entry of the timeline as a sentence. */
export function tell(entry: TimelineEntry, moment: (iso: string) => string): Told {
  const data = (typeof entry.data === "object" && entry.data !== null && !Array.isArray(entry.data) ? entry.data : {}) as Record<string, Json>;
  const who = entry.actor ?? "Bugle";
  switch (entry.event) {
    case "triggered": return opened(entry.actor, data);
    case "signal": return again(data);
    case "silenced": return { tone: "quiet", text: `Silence ${word(data["silence"])} of ${word(data["author"])} matches: nobody is paged before ${moment(word(data["until"]))}`, more: word(data["comment"]) };
    case "silence_ended": return { tone: "warn", text: "Nothing keeps it silent any more: the policy begins" };
    case "inhibited": return { tone: "quiet", text: `The rule ${word(data["name"])} keeps it silent while another incident is open`, more: word(data["title"]), incident: Number(data["incident"]) };
    case "flapping": return flapping(data, moment);
    case "paged": return paged(data, moment);
    case "posted": return posted(data);
    case "response_overdue": return { tone: "bad", text: "Nobody answered within the response time: the next step comes at once" };
    case "step_skipped": return skipped(data);
    case "repeated": return { tone: "quiet", text: `Nobody answered: the policy begins again (round ${word(data["pass"])})` };
    case "fallback": return { tone: "bad", text: `No step had anybody: ${data["whom"] === "managers" ? "the managers of the team were" : "the fallback was"} paged, ${people(data["people"], moment)}` };
    case "no_recipient": return { tone: "bad", text: "There is nobody to page", more: "Bugle looks again every 15 minutes." };
    case "exhausted": return { tone: "bad", text: "All steps are done, and nobody has answered" };
    case "acknowledged": return { tone: "good", text: `${who} acknowledged it${way(data)}` };
    case "acknowledgement_timed_out": return { tone: "bad", text: "The acknowledgement timed out: the policy begins again" };
    case "unacknowledged": return { tone: "warn", text: `${who} does not deal with it any more: the policy begins again` };
    case "snoozed": return { tone: "quiet", text: `${who} snoozed it until ${moment(word(data["until"]))}` };
    case "snooze_ended": return { tone: "warn", text: "The snooze is over: the policy begins again" };
    case "priority_raised": return { tone: "bad", text: `Its priority went from ${word(data["from"])} to ${word(data["to"])}` };
    case "reassigned": return { tone: "warn", text: `${who} gave it to ${word(data["name"])}` };
    case "escalated": return { tone: "warn", text: `${who} had the next step come at once${way(data)}` };
    case "note": return { tone: "quiet", text: `${who} wrote`, more: word(data["text"]) };
    case "resolved": return { tone: "good", text: entry.actor === null ? "It ended" : `${who} resolved it${way(data)}`, ...(data["reason"] === undefined ? {} : { more: word(data["reason"]) }) };
    case "page_failed": return { tone: "bad", text: missed(data, moment), ...(data["code"] === null || data["code"] === undefined ? {} : { more: `The provider's code is ${word(data["code"])}.` }) };
    case "rearmed": return { tone: "bad", text: "It had no next step although nobody was paged: the policy begins", more: "Bugle found it while watching itself. Its log says more." };
    case "merged": return merged(who, data);
    case "absorbed": return { tone: "warn", text: `${who} made another incident part of it`, more: word(data["title"]), incident: Number(data["incident"]) };
    case "responder_added": return { tone: "warn", text: `${who} asked ${word(data["name"])} to help` };
    case "responder_joined": return { tone: "good", text: `${who} helps${way(data)}` };
    default: return { tone: "quiet", text: String(entry.event).replace(/_/g, " ") };
  }
}
