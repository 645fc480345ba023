// Every page: without a connection, with hostile content, for everybody, on a phone.
import assert from "node:assert/strict";
import { findings, overflow, PHONE, signIn } from "../browser.mjs";
import { attached, everywhere, huge } from "../hostile.mjs";
import { doors, open, pages } from "../pages.mjs";
import { until } from "../system.mjs";
import { enter, leave } from "./start.mjs";

const AWAY = "Bugle cannot be reached";

export async function connection(walk) {
  const { system, dsn } = walk;
  const { page, context } = walk.owner;
  await page.goto("/issues");
  await page.locator(".issuerow").first().waitFor();
  await context.setOffline(true);
  await page.getByText(AWAY).waitFor();
  await page.locator(".issuerow").first().waitFor();
  await context.setOffline(false);
  await page.getByText(AWAY).waitFor({ state: "detached" });
  await system.down();
  await page.getByText(AWAY).waitFor();
  await system.up();
  await page.getByText(AWAY).waitFor({ state: "detached" });
  await system.send(dsn, { level: "error", platform: "other", message: "after the night" });
  await page.locator(".issuerow", { hasText: "after the night" }).waitFor();
}

/** Escape, its short form, the bell; direction overrides and isolates. */
const INVISIBLE = new Set(["\u001b", "\u009b", "\u0007", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"]);

/** What a page must not be, whatever it shows. */
async function harmless(page, where) {
  assert.equal(await page.evaluate(() => window.pwned), undefined, `${where}: a script ran`);
  assert.equal(await page.locator("main script, main img[src=x], main svg[onload], main iframe, main b b, a[href^='javascript:' i]").count(), 0, `${where}: an element came out of a text`);
  const text = await page.evaluate(() => document.body.innerText + document.title);
  const raw = [...text].find((character) => INVISIBLE.has(character));
  assert.equal(raw?.codePointAt(0).toString(16), undefined, `${where}: a character that should not be seen is on the page`);
  assert.ok((await overflow(page)) <= 0, `${where}: wider than the window`);
}

export async function hostile(walk) {
  const { system } = walk;
  const { page } = walk.owner;
  const made = await system.api("POST", "/projects", { name: "hostile", team: (await system.api("GET", "/teams")).items[0].id });
  const id = "000000000000000000000000000000e1";
  await system.send(made.dsn, { ...everywhere(), event_id: id }, ...attached(id));
  await system.send(made.dsn, huge());
  await until("both are recorded", async () => (await system.api("GET", "/issues?project=hostile")).items.length === 2);
  await until("the file is recorded", async () => (await system.api("GET", `/events/${id}/attachments?project=hostile`)).items.length === 1);
  const { items } = await system.api("GET", "/issues?project=hostile");
  for (const { id: number } of items) await system.api("POST", `/issues/${number}/comments`, { text: "<img src=x onerror=alert(5)> \u202Egnp" });
  const evil = items.find((issue) => issue.level === "error");
  const big = items.find((issue) => issue.level === "fatal");
  await system.api("PATCH", `/issues/${evil.id}`, { assigned_to: "<img src=x onerror=alert(6)>" });
  const list = pages({ issue: evil.short_id, project: made.id, name: "hostile", release: undefined });
  const wanted = list.filter(({ name }) => /^(overview|issues|issue|issue-.*|releases|notifications|projects|admin-audit|admin-outcomes)$/.test(name));
  for (const spec of [...wanted, { name: "big", path: `/issues/${big.short_id}`, ready: ".message, .frames" }, { name: "by tag", path: "/issues?project=hostile&query=has%3Aurl", ready: ".issuerow" }]) {
    await open(page, spec);
    await harmless(page, spec.name);
  }
  await page.goto(`/issues/${evil.short_id}`);
  await page.getByRole("button", { name: "All frames" }).click();
  await page.evaluate(() => {
    for (const details of document.querySelectorAll(".issuemain details")) details.open = true;
    for (const button of document.querySelectorAll(".issuemain [aria-expanded=false]")) button.click();
  });
  await harmless(page, "the issue, unfolded");
  const small = await enter(walk, PHONE);
  await small.page.goto(`/signin?next=/issues/${evil.short_id}`);
  await signIn(small.page, "ann@example.com");
  await small.page.locator(".frames").first().waitFor();
  for (const spec of wanted) {
    await open(small.page, spec);
    await harmless(small.page, `${spec.name} on a phone`);
  }
  await leave(walk, small);
}

export async function accessible(walk) {
  const { system, project } = walk;
  const { page } = walk.owner;
  const { short_id: issue } = await system.issue("checkout", "DeltaError");
  const found = [];
  const look = async (on, spec, view) => {
    await open(on, spec);
    found.push(...(await findings(on)).map((finding) => `${spec.name} (${view}): ${finding}`));
  };
  for (const spec of pages({ issue, project, name: "checkout", release: "checkout@1.4.2" })) await look(page, spec, "light");
  const { link } = await system.api("POST", "/invitations", { email: "new@example.com" });
  const stranger = await enter(walk, PHONE);
  for (const spec of doors({ setup: "/setup?token=example", invitation: link.replace(system.url, "") })) await look(stranger.page, spec, "phone, dark");
  await leave(walk, stranger);
  assert.deepEqual(found, []);
}

export async function phone(walk) {
  const { system, project } = walk;
  const { short_id: issue } = await system.issue("checkout", "DeltaError");
  const entered = await enter(walk, PHONE);
  const { page } = entered;
  await page.goto("/");
  await signIn(page, "ann@example.com");
  await page.getByRole("button", { name: "Menu", exact: true }).tap();
  await page.getByRole("link", { name: "Issues", exact: true }).tap();
  await page.locator(".issuerow .rowtitle", { hasText: "DeltaError" }).tap();
  await page.getByRole("button", { name: "Resolve", exact: true }).tap();
  await page.locator(".status.resolved").waitFor();
  const found = [];
  for (const spec of pages({ issue, project, name: "checkout", release: "checkout@1.4.2" })) {
    await open(page, spec);
    const wide = await overflow(page);
    if (wide > 0) found.push(`${spec.name}: wider than the window by ${wide}`);
  }
  assert.deepEqual(found, []);
  await leave(walk, entered);
}
