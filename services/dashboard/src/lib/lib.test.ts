import { describe, expect, it } from "vitest";
import type { Frame } from "../api/types.ts";
import { curl, quote } from "./curl.ts";
import { bytes, compact } from "./format.ts";
import { culprit, fold, source } from "./frames.ts";
import { shows } from "./live.ts";
import { asksStatus, suggest, tokenize, withFilter } from "./query.ts";
import { cut, neutralise, safeUrl, splitTitle } from "./text.ts";
import { absolute, duration, relative, setTimeZone, span } from "./time.ts";

describe("tokenize", () => {
  const short = (query: string): string[] => tokenize(query).map((t) => `${t.negated ? "!" : ""}${t.kind === "filter" ? `${t.key}=` : ""}${t.value}@${t.start}-${t.end}`);

  it("tells filters from texts, with their places", () => {
    expect(short('is:unresolved  declined "card was"')).toEqual(["is=unresolved@0-13", "declined@15-23", "card was@24-34"]);
    expect(short("!browser:Chrome user.email:a@b.c times_seen:>100")).toEqual(["!browser=Chrome@0-15", "user.email=a@b.c@16-32", "times_seen=>100@33-48"]);
  });

  it("reads quoted values, escapes and what is not finished", () => {
    expect(short('release:"my app@1.0" x')).toEqual(["release=my app@1.0@0-20", "x@21-22"]);
    expect(short(String.raw`"a \"b\" c"`)).toEqual(['a "b" c@0-11']);
    expect(short('level: "open')).toEqual(["level=@0-6", "open@7-12"]);
    expect(short("!")).toEqual(["!@0-1"]);
  });

  it("covers every character that is no space, once, whatever is typed", () => {
    for (const query of ['a"b c', '"', '!!a:"b', ": x", 'a:"\\', "ü:é 🧨", "!:", '""""']) {
      const seen = new Set<number>();
      for (const token of tokenize(query)) for (let at = token.start; at < token.end; at += 1) seen.add(at);
      for (let at = 0; at < query.length; at += 1) if (!/\s/.test(query.charAt(at))) expect(seen.has(at), `${query} at ${at}`).toBe(true);
    }
  });
});

describe("suggest", () => {
  it("offers keys while a word begins, and values after the colon", () => {
    expect(suggest("", 0)[0]).toMatchObject({ label: "is:", query: "is:", caret: 3 });
    expect(suggest("le", 2).map((s) => s.label)).toEqual(["level:"]);
    expect(suggest("x level:w", 9)[0]).toMatchObject({ label: "warning", query: "x level:warning ", caret: 16 });
    expect(suggest("!level:err y", 10)[0]).toMatchObject({ query: "!level:error y" });
  });

  it("puts what begins as typed before what only contains it", () => {
    expect(suggest("is:reso", 7).map((s) => s.label)).toEqual(["resolved", "unresolved"]);
  });

  it("offers all that the server understands, and says what it means", () => {
    expect(suggest("is:", 3).map((s) => s.label)).toEqual(["unresolved", "resolved", "ignored", "assigned", "unassigned", "bookmarked"]);
    expect(suggest("tra", 3).map((s) => s.label)).toEqual(["trace:"]);
    const hints = suggest("level:", 6).map((s) => s.hint);
    expect(new Set(hints).size).toBe(5);
    expect(suggest("release:", 8, { release: ["1.0"] })[0]?.hint).toBe("");
  });

  it("offers what the page has learned, quoted when it must be", () => {
    expect(suggest("release:", 8, { release: ["my app@1"] })[0]?.query).toBe('release:"my app@1" ');
    expect(suggest('"le', 3)).toEqual([]);
  });

  it("offers names of tags after its own keys, each once", () => {
    expect(suggest("le", 2, {}, ["length", "level"]).map((s) => s.label)).toEqual(["level:", "length:"]);
  });
});

it("replaces a filter in a query", () => {
  expect(withFilter("is:unresolved card", "is", "resolved")).toBe("card is:resolved");
  expect(withFilter("a is:ignored b", "is", null)).toBe("a b");
  expect(withFilter("is:bookmarked is:ignored", "is", "resolved")).toBe("is:bookmarked is:resolved");
});

it("knows which filters are about the status", () => {
  for (const query of ["is:resolved", "a !is:ignored", 'is:"unresolved"']) expect(asksStatus(query), query).toBe(true);
  for (const query of ["", "is:bookmarked", "!is:assigned is:unassigned", '"is:resolved"', "level:resolved", "is:reso"]) expect(asksStatus(query), query).toBe(false);
});

describe("curl", () => {
  it("quotes for the shell, so that nothing of an event is run", () => {
    expect(quote("plain/word-1")).toBe("plain/word-1");
    expect(quote("it's; $(rm -rf) `x`")).toBe(`'it'\\''s; $(rm -rf) \`x\`'`);
    expect(quote("")).toBe("''");
  });

  it("writes method, headers, cookies and body", () => {
    const command = curl({ method: "PUT", url: "https://a.example/b", query: [["q", "a b"]], headers: [["Content-Length", "3"], ["X-A", "1 2"]], cookies: [["s", "[Filtered]"]], data: { a: 1 } });
    expect(command.split(" \\\n  ")).toEqual(["curl 'https://a.example/b?q=a%20b'", "-X PUT", "-H 'X-A: 1 2'", "-b 's=[Filtered]'", `--data-raw '{"a":1}'`]);
    expect(curl({ url: "https://a.example/" })).toBe("curl https://a.example/");
    expect(curl({ method: "POST", url: "https://a.example/", data: "x" })).toBe("curl https://a.example/ \\\n  --data-raw x");
  });
});

describe("stack folding", () => {
  const frame = (in_app: boolean): Frame => ({ in_app, function: "f" });
  const shape = (frames: Frame[]): string => fold(frames).map((s) => (s.kind === "shown" ? s.index : `(${s.frames.map((f) => f.index).join(" ")})`)).join(" ");

  it("shows the app's own, folds runs of the rest, and always shows the crash", () => {
    expect(shape([false, false, false, true, false, false, true].map(frame))).toBe("6 (5 4) 3 (2 1 0)");
    expect(shape([true, false, false, false].map(frame))).toBe("3 (2 1) 0");
    expect(shape([true, false, true].map(frame))).toBe("2 1 0");
  });

  it("shows everything when nothing is the app's own", () => {
    expect(shape([false, false, false].map(frame))).toBe("2 1 0");
    expect(fold([])).toEqual([]);
  });

  it("opens the newest frame of the app", () => {
    expect(culprit([true, true, false].map(frame))).toBe(1);
    expect(culprit([false, false].map(frame))).toBe(1);
  });

  it("numbers the lines around the failing one", () => {
    expect(source({ lineno: 10, pre_context: ["a", "b"], context_line: "c", post_context: ["d"] }).map((l) => `${l.number ?? "?"}${l.failing ? "!" : ""}${l.text}`)).toEqual(["8a", "9b", "10!c", "11d"]);
    expect(source({ lineno: 3 })).toEqual([]);
  });
});

describe("times", () => {
  const now = Date.parse("2026-11-20T12:00:00Z");
  it("says how long ago", () => {
    expect(relative("2026-11-20T11:59:30Z", now)).toBe("just now");
    expect(relative("2026-11-20T11:57:00Z", now)).toBe("3 min ago");
    expect(relative("2026-11-18T11:00:00Z", now)).toBe("2 d ago");
    expect(relative("2026-11-20T14:00:00Z", now)).toBe("in 2 h");
    expect(relative("nonsense", now)).toBe("unknown");
    expect(span(31_536_000)).toBe("1 yr");
  });

  it("says when, in the reader's zone", () => {
    setTimeZone("Europe/Berlin");
    expect(absolute("2026-07-01T22:30:00Z")).toMatch(/2 Jul 2026.*00:30:00/);
    setTimeZone("No/Such");
    expect(absolute("bad")).toBe("bad");
    setTimeZone(null);
  });

  it("says how long something took", () => {
    expect([duration(89), duration(2440), duration(180_000)]).toEqual(["89 ms", "2.4 s", "3 min"]);
  });
});

describe("hostile text", () => {
  it("loses escape sequences and names what cannot be seen", () => {
    expect(neutralise("\u001b[31mred\u001b[0m \u001b]8;;http://evil\u0007link")).toBe("red link");
    expect(neutralise("a\u202eb\u2066c\u200bd")).toBe("a⟨U+202E⟩b⟨U+2066⟩c⟨U+200B⟩d");
    expect(neutralise("tab\tline\r\nnul\u0000 \u009b1mx")).toBe("tab\tline\nnul␀ x");
    expect(neutralise("👩‍💻 ü 山田 <script>")).toBe("👩‍💻 ü 山田 <script>");
  });

  it("is cut without splitting a character", () => {
    expect(cut("ab🧨cd", 3)).toEqual({ text: "ab", left: 4 });
    expect(cut("abc", 3)).toEqual({ text: "abc", left: 0 });
  });

  it("is a link only when it is http or https", () => {
    expect(safeUrl("https://a.example/x")).toBe("https://a.example/x");
    for (const bad of ["javascript:alert(1)", "data:text/html,x", "//a.example", "vbscript:x", "", " java\nscript:alert(1)"]) expect(safeUrl(bad)).toBeNull();
  });
});

it("splits a title", () => {
  expect(splitTitle("PaymentError: card declined", "PaymentError")).toEqual(["PaymentError", "card declined"]);
  expect(splitTitle("disk full", null)).toEqual(["disk full", ""]);
});

it("shortens numbers", () => {
  expect([compact(9999), compact(12_345), compact(4_560_000), bytes(2048)]).toEqual(["9,999", "12.3k", "4.5m", "2.0 KiB"]);
});

describe("shows", () => {
  const seen = { kind: "issue.seen", issue: 7, short_id: "SHOP-7" };
  const changed = { ...seen, kind: "issue.changed" };
  const told = { kind: "notification.changed", issue: 7 };

  it("reads again what shows a change, and nothing else", () => {
    expect(shows(["issues", "head", {}], [seen])).toBe(true);
    expect(shows(["issues", "pages", {}], [seen])).toBe(false);
    expect(shows(["issue", "7"], [seen])).toBe(true);
    expect(shows(["issue", "SHOP-7"], [seen])).toBe(true);
    expect(shows(["issue", "77"], [seen])).toBe(false);
    const gone = { kind: "issues.deleted", short_ids: ["SHOP-7"] };
    expect(shows(["issues", "pages", {}], [gone])).toBe(true);
    expect(shows(["issue", "SHOP-7"], [gone])).toBe(true);
    expect(shows(["issue", "SHOP-8"], [gone])).toBe(false);
    expect(shows(["issue-part", "SHOP-7", "activity", {}], [seen])).toBe(false);
    expect(shows(["issue-part", "SHOP-7", "activity", {}], [changed])).toBe(true);
    expect(shows(["issue-part", "SHOP-7", "tags", {}], [changed])).toBe(false);
    expect(shows(["notifications", {}], [seen])).toBe(false);
    expect(shows(["notifications", {}], [told])).toBe(true);
    expect(shows(["issue", "7"], [told])).toBe(false);
    expect(shows(["projects"], [seen, changed, told])).toBe(false);
  });
});
