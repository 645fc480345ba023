// Pages that no other step tries: a release, outcomes, storage, grouping rules, traces, secret links, the API.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "../system.mjs";
import { panel } from "./overview.mjs";
import { enter, leave } from "./start.mjs";
import { error } from "./triage.mjs";

const OLD = "till@1.0.0";
const NEW = "till@1.1.0";
const COMMIT = { id: "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0", message: "Count in cents\n\nFloats lose some.", author_name: "Bea Backup", author_email: "bea@example.com" };

/** Of its own, so that its numbers are those of what is sent here. */
async function project({ system }, name) {
  const { id: team } = (await system.api("GET", "/teams")).items.find((one) => one.name === "Shop");
  return system.api("POST", "/projects", { name, team });
}

/** What stands in the cells of a table, row by row. */
const cells = (table) => table.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));

/** A release with which one issue comes back, which resolves another, and in which a third one is new. */
async function history({ system, till: { id, dsn } }) {
  const path = `/releases/${encodeURIComponent(`${id}:${NEW}`)}`;
  for (const type of ["BackError", "FixedError"]) await system.send(dsn, error(type, "no change left", { release: OLD }));
  const back = await system.issue("till", "BackError");
  const fixed = await system.issue("till", "FixedError");
  await system.api("PATCH", `/issues/${back.short_id}`, { status: "resolved" });
  await system.api("POST", "/releases", { project: "till", version: NEW });
  await system.api("PUT", `${path}/commits`, { commits: [COMMIT] });
  await system.api("POST", `${path}/deploys`, { environment: "production", name: "night train" });
  await system.api("PATCH", `/issues/${fixed.short_id}`, { status: "resolved", resolved_in: { release: NEW } });
  for (const type of ["BackError", "FreshError"]) await system.send(dsn, error(type, "no change left", { release: NEW }));
  await until("the release has both", async () => {
    const { events, new_issues, regressed_issues } = await system.api("GET", path);
    return events === 2 && new_issues === 1 && regressed_issues === 1;
  });
}

export async function released(walk) {
  const { page } = walk.owner;
  walk.till = await project(walk, "till");
  await history(walk);
  await page.goto("/releases?project=till");
  const row = page.getByRole("row", { name: NEW });
  await row.getByText("production").waitFor();
  await row.getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: NEW }).waitFor();
  await page.locator(".numbers").waitFor();
  const numbers = await page.locator(".numbers > div").evaluateAll((all) => all.map((one) => [one.querySelector("dt").textContent, one.querySelector("dd").textContent]));
  assert.deepEqual(numbers, [["Events", "2"], ["New issues", "1"], ["Back again", "1"], ["Resolved issues", "1"]]);
  for (const [tab, title, status] of [["New (1)", "FreshError", "unresolved"], ["Back again (1)", "BackError", "unresolved"], ["Resolved (1)", "FixedError", "resolved"]]) {
    await page.getByRole("tab", { name: tab, exact: true }).click();
    const issues = page.getByRole("tabpanel").locator("li");
    await issues.filter({ has: page.locator(`.status.${status}`) }).getByRole("link", { name: new RegExp(title) }).waitFor();
    assert.equal(await issues.count(), 1, tab);
  }
  const commit = await panel(page, "Commits (1)").locator("li").innerText();
  assert.match(commit, /a1b2c3d4e5[^]*Count in cents[^]*Bea Backup/);
  assert.doesNotMatch(commit, /Floats/, "of a message its first line");
  assert.match(await panel(page, "Deploys (1)").locator("li").innerText(), /production[^]*night train/);
  await page.getByRole("img", { name: "Events of till before and since the release" }).waitFor();
  await page.locator(".plot canvas").waitFor();
}

/** How many ended how, and why. */
function summed(items) {
  const sums = {};
  for (const { outcome, reason, category, quantity } of items) {
    const name = [outcome.replaceAll("_", " "), reason === "" ? "–" : reason, category].join(", ");
    sums[name] = (sums[name] ?? 0) + quantity;
  }
  return sums;
}

export async function outcomes({ system, till, owner: { page } }) {
  const told = async () => summed((await system.api("GET", "/outcomes?project=till")).items);
  const twice = error("FreshError", "no change left", { release: NEW, event_id: randomUUID().replaceAll("-", "") });
  await system.send(till.dsn, twice);
  await until("all five are recorded", async () => (await told())["recorded, –, error"] === 5);
  await system.send(till.dsn, twice);
  await until("the same once more is not", async () => (await told())["duplicate, –, error"] === 1);
  const expected = await told();
  await page.goto("/admin?tab=outcomes&project=till");
  const table = page.getByRole("group", { name: "Outcomes by reason" });
  await table.getByRole("row", { name: /^duplicate/ }).waitFor();
  const shown = Object.fromEntries((await cells(table)).map(([outcome, reason, category, quantity]) => [[outcome, reason, category].join(", "), Number(quantity)]));
  assert.deepEqual(shown, expected);
  const all = Object.values(expected).reduce((sum, quantity) => sum + quantity, 0);
  await page.getByRole("img", { name: `Outcomes of till: ${all} in all` }).waitFor();
  await page.locator(".plot canvas").waitFor();
}

export async function storage({ system, owner: { page } }) {
  await page.goto("/admin?tab=storage");
  const table = page.getByRole("group", { name: "Storage", exact: true });
  await table.getByRole("row", { name: /^till/ }).waitFor();
  const rows = await cells(table);
  const projects = (await system.api("GET", "/projects?limit=100")).items.map(({ name }) => name);
  assert.deepEqual(rows.map(([name]) => name).sort(), projects.sort());
  for (const [name, ...sizes] of rows) for (const size of sizes.slice(0, 3)) assert.match(size, /^\d+(\.\d)? ([KMG]i)?B$/, name);
  const [, events] = rows.find(([name]) => name === "till");
  assert.notEqual(events, "0 B");
}

export async function rulesTried({ system, till, owner: { page } }) {
  const { short_id: issue } = await system.issue("till", "FreshError");
  const [event] = (await system.api("GET", `/issues/${issue}/events`)).items;
  const good = "type:FreshError -> till-fresh";
  const bad = "wild:FreshError -> till-fresh";
  await page.goto(`/projects/${till.id}?tab=grouping`);
  const rules = page.getByLabel("Rules", { exact: true });
  const attempt = page.getByRole("button", { name: "Try", exact: true });
  await rules.fill(good);
  await page.getByLabel("Event", { exact: true }).selectOption("id");
  await page.getByLabel("Its id").fill(event.event_id);
  await attempt.click();
  await page.locator(".trial", { hasText: "Grouped differently" }).waitFor();
  const proposed = await page.getByRole("region", { name: "By these rules" }).innerText();
  for (const text of ["Line 1", good, "a new issue"]) assert.ok(proposed.includes(text), `${proposed} has no ${text}`);
  await page.getByRole("region", { name: "By the saved rules" }).getByRole("link", { name: issue, exact: true }).waitFor();
  // What is wrong is named, and shown where it stands.
  await rules.fill(`${good}\n${bad}`);
  await attempt.click();
  const complaint = page.locator(".wrongbox");
  await complaint.getByText(/line 2, column 1: expected a matcher .+ found `wild`/).waitFor();
  await complaint.getByRole("button", { name: "Show the place" }).click();
  assert.equal(await rules.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd)), bad);
  assert.equal((await system.api("GET", `/projects/${till.id}`)).settings.grouping_rules, "", "nothing was saved");
}

export async function traced(walk) {
  const { system, till, owner: { page } } = walk;
  const shelf = await project(walk, "shelf");
  const trace = randomUUID().replaceAll("-", "");
  const within = (type) => error(type, "out of stock", { contexts: { trace: { trace_id: trace, span_id: "b7ad6b7169203331" } } });
  await system.send(till.dsn, within("OrderError"));
  await system.send(shelf.dsn, within("ShelfError"));
  await until("both are of the trace", async () => (await system.api("GET", `/events?trace=${trace}`)).items.length === 2);
  const { short_id: order } = await system.issue("till", "OrderError");
  await page.goto(`/issues/${order}`);
  const others = panel(page, "Same trace").locator("li");
  const other = others.filter({ hasText: /shelf · / });
  await other.waitFor();
  assert.equal(await others.count(), 1, "the event itself is not among the others");
  await other.getByRole("link", { name: /ShelfError/ }).click();
  await page.getByRole("heading", { level: 1, name: /ShelfError/ }).waitFor();
  await others.filter({ hasText: /till · / }).getByRole("link", { name: /OrderError/ }).waitFor();
}

/** In every part of an event that a secret link does not show. */
const SECRET = "private-7141";
const withSecrets = () => error("SharedError", "no paper", {
  user: { id: SECRET, username: SECRET, email: `${SECRET}@example.com`, ip_address: "203.0.113.77" }, request: { url: `https://till.example.com/${SECRET}`, headers: { "X-Basket": SECRET } },
  tags: { basket: SECRET }, extra: { basket: SECRET }, breadcrumbs: { values: [{ category: "ui", message: SECRET }] },
});

/** Makes a link by the menu of an issue; its dialog stays open. */
async function share(page, issue) {
  await page.goto(`/issues/${issue}`);
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: /^Share/ }).click();
  await page.getByRole("button", { name: "Make a link" }).click();
  return new URL(await page.locator("pre[aria-label=Link]").innerText()).pathname;
}

/** What somebody without an account sees: the issue, and nothing that leads further. */
async function asStranger(page, link, issue) {
  const [answer] = await Promise.all([page.waitForResponse((response) => response.url().includes("/api/v1/shared/")), page.goto(link)]);
  await page.getByRole("heading", { level: 1, name: "SharedError" }).waitFor();
  await page.locator(".headmessage", { hasText: "no paper" }).waitFor();
  await page.locator(".frames", { hasText: "pay.py" }).waitFor();
  assert.equal(await page.locator("nav, aside, form, a").count(), 0);
  // `amount` is a local variable.
  for (const [where, text] of [["the page", await page.content()], ["the answer", await answer.text()]]) {
    for (const hidden of [SECRET, "203.0.113.77", "amount"]) assert.ok(!text.includes(hidden), `${where} tells ${hidden}`);
  }
  assert.match(answer.headers()["x-robots-tag"], /noindex/);
  assert.equal((await page.request.get(`/api/v1/issues/${issue}`)).status(), 401);
}

export async function shared(walk) {
  const { system, till, owner: { page } } = walk;
  await system.send(till.dsn, withSecrets());
  const { short_id: issue } = await system.issue("till", "SharedError");
  const link = await share(page, issue);
  const stranger = await enter(walk);
  await asStranger(stranger.page, link, issue);
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("The link works no more").waitFor();
  await stranger.page.reload();
  await stranger.page.getByRole("heading", { name: "This link works no more" }).waitFor();
  await leave(walk, stranger);
}

export async function api({ system, owner: { page, trouble } }) {
  const answer = await page.goto("/docs/api");
  const policy = answer.headers()["content-security-policy"];
  assert.match(policy, /script-src 'self';.*style-src 'self';/);
  assert.doesNotMatch(policy, /unsafe/);
  const operations = page.locator(".apidocs details");
  await operations.first().waitFor();
  const { paths } = await (await page.request.get("/api/v1/openapi.json")).json();
  assert.equal(await operations.count(), Object.values(paths).flatMap((methods) => Object.keys(methods)).length);
  await page.getByLabel("Find an operation").fill("list_storage");
  await until("one is found", async () => (await operations.count()) === 1);
  await operations.locator("summary").click();
  await page.getByRole("heading", { name: "Answers", exact: true }).waitFor();
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  const rooms = JSON.parse(await page.getByLabel("Answer", { exact: true }).innerText()).items;
  assert.deepEqual(rooms.map(({ name }) => name), (await system.api("GET", "/storage")).items.map(({ name }) => name));
  assert.deepEqual(trouble, []);
}
