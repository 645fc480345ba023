// The overview: what is worth a look, and how Bugle is; and pages that stay where they are while they load.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { until } from "../system.mjs";
import { error } from "./triage.mjs";

export const panel = (page, title) => page.locator(".panel", { has: page.getByRole("heading", { name: title, exact: true }) });

export async function worthALook(walk) {
  const { system, dsn } = walk;
  const { page } = walk.owner;
  for (let count = 0; count < 12; count += 1) await system.send(dsn, error("EpsilonError", "more and more"));
  const { id, short_id: worse } = await system.issue("checkout", "EpsilonError");
  await until("all are counted", async () => (await system.api("GET", `/issues/${id}`)).count === 12);
  // Known for a week, and quiet until today.
  execFileSync("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", process.env.BUGLE_E2E_DATABASE_URL, "-c", `UPDATE issues SET first_seen = first_seen - interval '7 days' WHERE id = ${id}`]);
  await page.goto("/");
  await panel(page, "Getting worse").getByRole("link", { name: "EpsilonError" }).waitFor();
  assert.match(await panel(page, "Getting worse").innerText(), /0 → 12 events/);
  await panel(page, "Came back").getByRole("link", { name: "AlphaError" }).waitFor();
  const fresh = panel(page, "New");
  await fresh.getByRole("link").first().waitFor();
  assert.equal(await fresh.getByRole("link", { name: "EpsilonError" }).count(), 0, "it is a week old");
  const processes = page.getByRole("list", { name: "Processes" });
  assert.match(await processes.innerText(), /recorder[^]*last event[^]*backlog: 0[^]*0 dead letters/i);
  assert.match(await processes.innerText(), /ingest[^]*accepted · spool: 0 batches/i);
  assert.match(await processes.innerText(), /notifier[^]*overdue: 0/i);
  await fresh.getByRole("link", { name: "All new" }).click();
  await page.waitForURL(/query=age/);
  await page.locator(".issuerow").first().waitFor();
  assert.equal(await page.locator(".issuerow", { hasText: worse }).count(), 0);
}

/** What of a page moved by itself while it loaded: Chromium's sum of layout shifts; up to 0.1 counts as good (web.dev/articles/cls). */
async function shifts(page, path, ready) {
  await page.goto(path);
  await page.locator(ready).first().waitFor();
  await page.waitForLoadState("networkidle");
  return page.evaluate(() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().filter((entry) => !entry.hadRecentInput).reduce((sum, entry) => sum + entry.value, 0))).observe({ type: "layout-shift", buffered: true });
    // Nothing is reported of a page that never moved.
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(0), 0)));
  }));
}

export async function steady(walk) {
  const { system } = walk;
  const { page } = walk.owner;
  const { short_id: issue } = await system.issue("checkout", "DeltaError");
  const moved = [];
  for (const [path, ready] of [["/", ".top li"], ["/issues", ".issuerow"], [`/issues/${issue}`, ".frames"]]) {
    const sum = await shifts(page, path, ready);
    if (sum > 0.1) moved.push(`${path}: ${sum.toFixed(3)}`);
  }
  assert.deepEqual(moved, []);
}
