import { describe, expect, it } from "vitest";
import type { EventPlace } from "../../api/queries.ts";
import type { EventBody } from "../../api/types.ts";
import { tokenize } from "../../lib/query.ts";
import { setTimeZone } from "../../lib/time.ts";
import { goesOn, isBy, marksOf, phrase, steps, without } from "./walk.ts";

const place = (id: string, ids: Omit<EventPlace, "event">): EventPlace => ({ event: { event_id: id } as EventBody, ...ids });

describe("steps", () => {
  it("leads to others, and never to the event itself", () => {
    expect(steps(place("b", { first: "a", previous: "a", next: "c", last: "d" }))).toEqual({ first: "a", previous: "a", next: "c", last: "d" });
    expect(steps(place("a", { first: "a", previous: null, next: null, last: "a" }))).toEqual({});
  });

  it("leads from an event that a search does not find to those that it finds", () => {
    expect(steps(place("z", { first: "a", previous: "m", next: null, last: "m" }))).toEqual({ first: "a", previous: "m", last: "m" });
  });
});

describe("goesOn", () => {
  const pages = (...counts: number[]) => counts.map((count) => ({ items: Array.from({ length: count }), next: "more" }));
  const empty = (count: number): number[] => Array.from({ length: count }, () => 0);

  it("passes over ten empty pages, and over ten more when asked", () => {
    expect(goesOn(pages())).toBe(false);
    expect(goesOn(pages(0))).toBe(true);
    expect(goesOn(pages(...empty(9)))).toBe(true);
    expect(goesOn(pages(...empty(10)))).toBe(false);
    expect(goesOn(pages(...empty(11)))).toBe(true);
    expect(goesOn(pages(...empty(20)))).toBe(false);
  });

  it("stops where something is found", () => {
    expect(goesOn(pages(0, 0, 3))).toBe(false);
    expect(goesOn(pages(25, 0))).toBe(true);
    expect(goesOn(pages(25, ...empty(10)))).toBe(false);
  });
});

describe("marksOf", () => {
  const buckets = ["2026-11-30T08:00:00Z", "2026-11-30T09:00:00Z", "2026-11-30T10:00:00Z"];

  it("names the releases of each bucket in one mark", () => {
    setTimeZone("UTC");
    const releases = [
      { version: "old", first_seen: "2026-11-30T07:59:59Z" },
      { version: "shop@1", first_seen: "2026-11-30T09:00:00Z" },
      { version: "shop@2", first_seen: "2026-11-30T09:30:00.5Z" },
      { version: "shop@3", first_seen: "2026-11-30T11:00:00Z" },
    ];
    const marks = marksOf({ buckets, releases });
    expect(marks.map(({ at }) => at)).toEqual([1, 2]);
    expect(marks[0]?.title).toMatch(/^shop@1, 30 Nov 2026, 09:00:00 UTC\nshop@2, 30 Nov 2026, 09:30:00 UTC$/);
    expect(marksOf({ buckets: [], releases })).toEqual([]);
  });
});

describe("phrase", () => {
  it("is one text of the search language, whatever is in it", () => {
    expect(phrase("java.lang.Error")).toBe("java.lang.Error");
    for (const text of ["std::io::Error", String.raw`App\Exceptions\Late`, 'a "quoted" one', "is:resolved", "!no", "TypeError"]) {
      expect(tokenize(phrase(text)).map(({ kind, value, negated }) => [kind, value, negated])).toEqual([["text", text, false]]);
    }
    expect(phrase("")).toBe("");
  });
});

describe("isBy", () => {
  it("knows a name, also one that was cut, and that nobody is nobody", () => {
    expect(isBy("Ann", "Ann")).toBe(true);
    expect(isBy("Ann", "Bob")).toBe(false);
    expect(isBy(null, undefined)).toBe(false);
    expect(isBy("🧨".repeat(128), "🧨".repeat(130))).toBe(true);
  });
});

describe("without", () => {
  it("takes one parameter out of an address", () => {
    expect(without("?tab=events&events=level%3Aerror", "tab")).toBe("?events=level%3Aerror");
    expect(without("?tab=events", "tab")).toBe("");
  });
});
