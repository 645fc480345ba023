import { describe, expect, it, vi } from "vitest";
import { hourly } from "../pages/overview/hourly.ts";
import { safeNext } from "../lib/next.ts";
import { SNIPPETS, parts } from "../lib/snippets.ts";
import { call } from "./client.ts";
import { merge } from "./merge.ts";
import type { Issue, List, Outcome, Project } from "./types.ts";

const issue = (id: number, count = 1): Issue => ({ id, count }) as Issue;
const page = (next: string | null, ...items: Issue[]): List<Issue> => ({ items, next });

describe("merge", () => {
  it("shows each issue once, as the newest answer has it", () => {
    const merged = merge(page("c", issue(3), issue(1, 9)), [page("c", issue(1), issue(2)), page(null, issue(4))]);
    expect(merged.map((i) => `${i.id}:${i.count}`)).toEqual(["3:1", "1:9", "2:1", "4:1"]);
  });

  it("believes a first page that is all there is", () => {
    expect(merge(page(null, issue(2)), [page(null, issue(1), issue(2))]).map((i) => i.id)).toEqual([2]);
    expect(merge(undefined, [page(null, issue(1))]).map((i) => i.id)).toEqual([1]);
  });
});

it("counts recorded errors by hour and project", () => {
  const now = Date.parse("2026-11-20T12:30:00Z");
  const outcome = (hour: string, project: number, quantity: number, kind = "recorded"): Outcome => ({ hour, project, key: 1, outcome: kind, reason: "", category: "error", quantity });
  const stats = hourly([{ id: 1, name: "shop" }, { id: 2, name: "api" }] as Project[], [outcome("2026-11-20T12:00:00Z", 1, 3), outcome("2026-11-20T11:00:00Z", 2, 2), outcome("2026-11-20T12:00:00Z", 1, 7, "filtered"), outcome("2026-11-18T12:00:00Z", 1, 5)], now);
  expect(stats.buckets.at(-1)).toBe("2026-11-20T12:00:00.000Z");
  expect([stats.total.length, stats.total.at(-1), stats.total.at(-2)]).toEqual([24, 3, 2]);
  expect(stats.by_project.map((p) => p.counts.at(-1))).toEqual([3, 0]);
});

it("leads back to pages of the dashboard only", () => {
  expect(safeNext("/issues?query=x")).toBe("/issues?query=x");
  for (const bad of [null, "", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/signin?next=/"]) expect(safeNext(bad)).toBe("/");
});

it("fills the DSN into every snippet", () => {
  const dsn = "https://0123456789abcdef0123456789abcdef@bugle.example.com/base/7";
  expect(parts(dsn)).toEqual({ key: "0123456789abcdef0123456789abcdef", store: "https://bugle.example.com/base/api/7/store/" });
  for (const snippet of SNIPPETS) {
    const code = snippet.steps(dsn).map((s) => s.code).join("\n");
    expect(code.includes(dsn) || code.includes(parts(dsn).store), snippet.id).toBe(true);
  }
});

it("takes a success without a body as one", async () => {
  vi.stubGlobal("sessionStorage", { getItem: () => null });
  for (const [answer, said] of [[new Response(null, { status: 202 }), undefined], [new Response(null, { status: 204 }), undefined], [new Response('{"id":7}', { status: 201 }), { id: 7 }]] as const) {
    vi.stubGlobal("fetch", () => Promise.resolve(answer));
    expect(await call("POST", "/password-resets")).toEqual(said);
  }
  vi.unstubAllGlobals();
});
