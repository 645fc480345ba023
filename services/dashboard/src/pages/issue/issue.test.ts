import { describe, expect, it } from "vitest";
import type { EventPlace } from "../../api/queries.ts";
import type { EventBody, JsonMap } from "../../api/types.ts";
import { tokenize } from "../../lib/query.ts";
import { setTimeZone } from "../../lib/time.ts";
import { what } from "./sentences.ts";
import { goesOn, isBy, marksOf, phrase, steps, without } from "./walk.ts";

const place = (id: string, ids: Omit<EventPlace, "event">): EventPlace => ({ event: { event_id: id } as EventBody, ...ids });

describe("what", () => {
  const status = (data: JsonMap): string => what({ kind: "status", data });

  it("says how the status changed, and what it waits for", () => {
    setTimeZone("UTC");
    expect(status({ from: "unresolved", to: "resolved" })).toBe("changed the status from unresolved to resolved");
    expect(status({ from: "unresolved", to: "resolved", in: "now" })).toBe("changed the status from unresolved to resolved");
    expect(status({ from: "unresolved", to: "resolved", in: "next" })).toBe("changed the status from unresolved to resolved in the next release");
    expect(status({ from: "resolved", to: "resolved", in: "next" })).toBe("resolved it in the next release");
    expect(status({ from: "unresolved", to: "resolved", in: { release: "shop@1" } })).toBe("changed the status from unresolved to resolved in shop@1");
    expect(status({ from: "unresolved", to: "resolved", in: { commit: "0123456789abcdef" } })).toBe("changed the status from unresolved to resolved by the commit 0123456789ab");
    expect(status({ from: "unresolved", to: "unresolved", in: { commit: "abcdef0" } })).toBe("waits for the commit abcdef0 to resolve it");
    expect(status({ from: "resolved", to: "unresolved", in: { commit: "abcdef0" } })).toBe("changed the status from resolved to unresolved, and waits for the commit abcdef0 to resolve it");
  });

  it("says until when it is ignored", () => {
    expect(status({ from: "unresolved", to: "ignored" })).toBe("changed the status from unresolved to ignored for ever");
    expect(status({ from: "unresolved", to: "ignored", until: { events: 1 } })).toBe("changed the status from unresolved to ignored until 1 more event");
    expect(status({ from: "ignored", to: "ignored", until: { users: 3 } })).toBe("now ignores it until 3 more users");
    expect(status({ from: "ignored", to: "ignored", until: null })).toBe("now ignores it for ever");
    expect(status({ from: "ignored", to: "unresolved" })).toBe("changed the status from ignored to unresolved");
  });

  it("says what it waits for no longer", () => {
    const awaited = { waited_for: { commit: "abcdef0" } };
    expect(status({ from: "unresolved", to: "unresolved", ...awaited })).toBe("gave up waiting for the commit abcdef0");
    expect(status({ from: "unresolved", to: "resolved", in: "next", ...awaited })).toBe("changed the status from unresolved to resolved in the next release, and gave up waiting for the commit abcdef0");
    expect(status({ from: "ignored", to: "ignored", until: null, ...awaited })).toBe("now ignores it for ever, and gave up waiting for the commit abcdef0");
  });

  it("says that it was shared, and of newer servers what they say", () => {
    expect(what({ kind: "shared", data: {} })).toBe("made a secret link to it");
    expect(what({ kind: "unshared", data: {} })).toBe("ended the secret link to it");
    expect(what({ kind: "frozen_solid", data: { for_days: 3 } })).toBe("frozen solid: for days 3");
  });
});

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
