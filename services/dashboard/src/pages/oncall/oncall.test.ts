import { describe, expect, it } from "vitest";
import type { Calendar, Layer, TimelineEntry } from "../../api/types.ts";
import { tell, timeLeft } from "../incidents/words.ts";
import { like, matchersOf, matchersText, tagsText } from "./matchers.ts";
import { draftOf, layerOf, restrictionText, rotationText } from "./layers.ts";
import { ownShifts } from "./shifts.ts";
import { weeks } from "./strip.ts";

const shift = (who: number, start: string, end: string, source: { layer: number } | { override: number } = { layer: 0 }) => ({ who, start, end, source });
const calendar = (shifts: Calendar["shifts"], gaps: Calendar["gaps"] = []): Calendar => ({ from: "", to: "", shifts, gaps, double_bookings: [] });

describe("a calendar as strips of weeks", () => {
  it("cuts shifts at the ends of weeks, and gives gaps their place", () => {
    const [first, second] = weeks(calendar([shift(1, "2026-11-23T00:00:00Z", "2026-12-02T00:00:00Z")], [{ start: "2026-12-02T00:00:00Z", end: "2026-12-02T12:00:00Z" }]), "2026-11-23", 2, "UTC", 1);
    expect(first?.rows.map((row) => row.kind)).toEqual(["final"]);
    expect(first?.rows[0]?.bars).toMatchObject([{ who: 1, left: 0, width: 100, lane: 0 }]);
    expect(second?.rows[0]?.bars.map(({ who, left, width }) => [who, Math.round(left), Math.round(width)])).toEqual([[1, 0, 29], [null, 29, 7]]);
  });

  it("joins what one person has without a pause, and puts people at the same time below each other", () => {
    const [week] = weeks(calendar([shift(1, "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"), shift(1, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", { override: 0 }), shift(2, "2026-11-24T12:00:00Z", "2026-11-25T00:00:00Z")]), "2026-11-23", 1, "UTC", 1);
    expect(week?.rows.map((row) => [row.kind, row.bars.length, row.lanes])).toEqual([["layer", 2, 1], ["override", 1, 1], ["final", 2, 2]]);
  });

  it("makes the day on which clocks change as wide as the others", () => {
    const [week] = weeks(calendar([shift(1, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]), "2026-03-23", 1, "Europe/Vienna", 1);
    expect(week?.rows[0]?.bars.map(({ left, width }) => [Math.round(left * 7), Math.round(width * 7)])).toEqual([[600, 100]]);
  });
});

describe("one's own shifts", () => {
  it("are those of one person, and what follows without a pause is one", () => {
    const all = [shift(2, "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"), shift(1, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"), shift(1, "2026-11-25T00:00:00Z", "2026-11-25T12:00:00Z", { override: 0 }), shift(1, "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z")];
    expect(ownShifts(all, 1)).toEqual([{ start: "2026-11-24T00:00:00Z", end: "2026-11-25T12:00:00Z" }, { start: "2026-11-26T00:00:00Z", end: "2026-11-27T00:00:00Z" }]);
    expect(ownShifts(all, 3)).toEqual([]);
  });
});

describe("layers", () => {
  const layer: Layer = { participants: [1, null], restrictions: [{ weekdays: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "17:00" }], starts: "2026-12-01T08:00:00.000Z", ends: null, rotation: { unit: "weekly", every: 2, start: "2026-11-30T09:00", first: 0, count_only_allowed: false } };

  it("are words", () => {
    expect(restrictionText({ weekdays: ["sat", "sun"], from: "00:00", to: "00:00" })).toBe("Sat, Sun 00:00–00:00");
    expect(layer.restrictions?.map(restrictionText)).toEqual(["Mon–Fri 09:00–17:00"]);
    expect(rotationText(layer.rotation)).toBe("turns of 2 weeks, handoff Mon 09:00");
  });

  it("come out of the form as they went in", () => {
    expect(draftOf(layer, "Europe/Vienna").starts).toBe("2026-12-01T09:00");
    expect(layerOf(draftOf(layer, "Europe/Vienna"), "Europe/Vienna")).toEqual(layer);
  });
});

describe("the response time", () => {
  it("is what is left of it, or by how much it is over", () => {
    const noon = Date.parse("2026-11-20T12:00:00Z");
    expect(timeLeft("2026-11-20T13:30:00Z", noon)).toEqual({ overdue: false, text: "1 h 30 min left" });
    expect(timeLeft("2026-11-20T12:00:30Z", noon)).toEqual({ overdue: false, text: "less than a minute left" });
    expect(timeLeft("2026-11-20T11:55:00Z", noon)).toEqual({ overdue: true, text: "overdue by 5 min" });
  });
});

describe("the timeline", () => {
  const entry = (event: string, data: unknown, actor: string | null = null) => tell({ id: 1, at: "", generation: 1, event, actor, data } as TimelineEntry, (iso) => iso);

  it("is sentences", () => {
    expect(entry("paged", { step: 1, pass: 2, people: [{ user: 3, name: "Ann" }, { user: 4, name: "Bob" }] }).text).toBe("Step 1 paged Ann and Bob (round 2)");
    expect(entry("step_skipped", { step: 2, reason: "nobody is on call" }).text).toBe("Step 2 was left out: nobody is on call");
    expect(entry("paged", { step: 1, pass: 1, people: [{ user: 3, name: "Ann" }], round_robin: true, unreachable: [4] })).toMatchObject({ text: "Step 1 paged Ann, whose turn it was", more: "Whoever's turn it was could not be reached at this priority, and was passed over." });
    expect(entry("posted", { step: 2, destinations: [{ destination: 7, channel: "slack", project: "shop" }] }).text).toBe("Step 2 posted it to slack of shop");
    expect(entry("acknowledged", {}, "Ann").text).toBe("Ann acknowledged it");
    expect(entry("acknowledged", { channel: "email" }, "Ann").text).toBe("Ann acknowledged it by mail");
    expect(entry("resolved", { channel: "slack" }, "Ann").text).toBe("Ann resolved it in Slack");
    expect(entry("acknowledged", { channel: "voice" }, "Ann").text).toBe("Ann acknowledged it by phone");
    const people = [{ user: 3, name: "Ann" }];
    expect(entry("page_failed", { people, channel: "sms", code: 30003 })).toMatchObject({ text: "The page of Ann by sms has not arrived", more: "The provider's code is 30003." });
    expect(entry("page_failed", { people, channel: "voice", code: null, again: true }).text).toBe("Ann did not take the call: another one follows");
    expect(entry("note", { text: "<b>" }, "Ann")).toMatchObject({ text: "Ann wrote", more: "<b>" });
  });

  it("stands what it does not know", () => {
    for (const data of [null, 7, [], "x", { people: "x", step: {} }]) expect(entry("paged", data).text).toContain("Step");
    expect(entry("moved_to_mars", {}).text).toBe("moved to mars");
  });
});

describe("the tags of a routing rule", () => {
  it("are told in one line", () => {
    expect(tagsText([{ key: "area", value: "pay*" }, { key: "customer", value: "*" }])).toBe("area=pay* and any customer");
  });
});

describe("what a silence is about", () => {
  const alert = { project: 3, title: "Disk full", labels: { instance: "db1:9100", job: "node" } };

  it("is, like an alert, its labels, and like anything else its title", () => {
    expect(matchersOf(like(alert))).toEqual({ project: 3, labels: [{ name: "instance", op: "=", value: "db1:9100" }, { name: "job", op: "=", value: "node" }] });
    expect(matchersOf(like({ ...alert, project: null, labels: {} }))).toEqual({ title: "Disk full" });
  });

  it("is told in one line", () => {
    const matchers = { title: "Disk*", labels: [{ name: "job", op: "!=" as const, value: "" }], project: 3, environments: ["production"], max_priority: "high" as const };
    expect(matchersText(matchers, () => "shop")).toBe("“Disk*”, job != nothing, of shop, in production, up to high");
  });

  it("leaves out what is not given, and empty names", () => {
    expect(matchersOf({ project: null, environments: " , staging,", least: "", most: "", title: "", kinds: ["new"], labels: [] })).toEqual({ environments: ["staging"], kinds: ["new"] });
  });
});
