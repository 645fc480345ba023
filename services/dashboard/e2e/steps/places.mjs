// Every page: without a connection, with hostile content, for everybody, on a phone.
import assert from "node:assert/strict";
import { CONTRAST, findings, overflow, PHONE, recolour, sideways, signIn } from "../browser.mjs";
import { attached, everywhere, huge } from "../hostile.mjs";
import * as messages from "../messages.mjs";
import { doors, open, pages } from "../pages.mjs";
import { until, webhook } from "../system.mjs";
import { enter, leave } from "./start.mjs";

const ONCALL = "oncall@example.com";
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

/** Elements that nothing of ours has. */
const FOREIGN = "main script, main img[src=x], main svg[onload], main iframe, main b b, a[href^='javascript:' i]";
const FOREIGN_IN_MAILS = "script, img, svg, iframe, b, i, u, a[href^='javascript:' i]";

/** What a page must not be, whatever it shows. */
async function harmless(page, where, foreign = FOREIGN) {
  assert.equal(await page.evaluate(() => window.pwned), undefined, `${where}: a script ran`);
  assert.equal(await page.locator(foreign).count(), 0, `${where}: an element came out of a text`);
  messages.visible(await page.evaluate(() => document.body.innerText + document.title), where);
}

async function harmlessHere(page, where) {
  await harmless(page, where);
  assert.ok((await overflow(page)) <= 0, `${where}: wider than the window`);
}

/** Two issues of ill will are told by mail and in Slack. Mail programs have no policy of ours. */
async function told(walk, hook) {
  const entered = await enter(walk);
  for (const where of ["a mail", "another mail"]) {
    const mail = await walk.mail.take(ONCALL);
    messages.mail(mail, where);
    await entered.page.setContent(mail.html);
    await harmless(entered.page, where, FOREIGN_IN_MAILS);
  }
  await leave(walk, entered);
  await until("both are told in Slack", () => hook.bodies.length === 2);
  for (const body of hook.bodies) messages.slack(JSON.parse(body), walk.system.url, "Slack");
}

/** On-call as somebody with ill will names things, and the incident that their event has opened. */
async function named({ system }, issue) {
  const bad = "<img src=x onerror=alert(7)> \u202Egnp <b>".padEnd(64, "W");
  const { id: team } = (await system.api("GET", "/teams")).items.find(({ name }) => name === "Shop");
  const [{ id: user }] = (await system.api("GET", `/teams/${team}/members`)).items;
  const schedule = (await system.api("POST", "/schedules", { team, name: bad, zone: "Asia/Tokyo", layers: [0, 1].map(() => ({ participants: [user], rotation: { unit: "daily", start: "2026-01-01T09:00" } })) })).id;
  const policy = (await system.api("POST", "/escalation-policies", { team, name: bad, content: { steps: [{ targets: [{ type: "schedule", schedule }], delay_minutes: 5 }], fallback: [{ type: "person", user }] } })).id;
  await system.api("POST", "/routing-rules", { team, policy, place: 99, environments: ["<img src=x onerror=alert(8)>"] });
  const { id: incident } = await until("an incident of it", async () => (await system.api("GET", `/incidents?issue=${issue.short_id}`)).items[0]);
  await system.api("POST", `/incidents/${incident}/notes`, { text: `<img src=x onerror=alert(9)> \u202Egnp ${"W".repeat(500)}` });
  return { incident, schedule, policy };
}

export async function hostile(walk) {
  const { system } = walk;
  const { page } = walk.owner;
  const made = await system.api("POST", "/projects", { name: "hostile", team: (await system.api("GET", "/teams")).items.find(({ name }) => name === "Shop").id });
  const hook = await webhook();
  for (const [channel, target] of [["email", ONCALL], ["slack", hook.url]]) await system.api("POST", `/projects/${made.id}/destinations`, { channel, target, min_priority: "low" });
  const id = "000000000000000000000000000000e1";
  await system.send(made.dsn, { ...everywhere(), event_id: id }, ...attached(id));
  await system.send(made.dsn, huge());
  await until("both are recorded", async () => (await system.api("GET", "/issues?project=hostile")).items.length === 2);
  await until("the file is recorded", async () => (await system.api("GET", `/events/${id}/attachments?project=hostile`)).items.length === 1);
  const { items } = await system.api("GET", "/issues?project=hostile");
  await told(walk, hook);
  hook.close();
  for (const { id: number } of items) await system.api("POST", `/issues/${number}/comments`, { text: "<img src=x onerror=alert(5)> \u202Egnp" });
  const evil = items.find((issue) => issue.level === "error");
  const big = items.find((issue) => issue.level === "fatal");
  await system.api("PATCH", `/issues/${evil.id}`, { assigned_to: "<img src=x onerror=alert(6)>" });
  const list = pages({ issue: evil.short_id, project: made.id, name: "hostile", release: undefined, ...(await named(walk, big)) });
  const wanted = list.filter(({ name }) => /^(overview|issues|issue|issue-.*|incidents.*|incident|on-call|schedule.*|polic.*|rules|rule-edit|releases|notifications|projects|admin-audit|admin-outcomes)$/.test(name));
  for (const spec of [...wanted, { name: "big", path: `/issues/${big.short_id}`, ready: ".message, .frames" }, { name: "by tag", path: "/issues?project=hostile&query=has%3Aurl", ready: ".issuerow" }]) {
    await open(page, spec);
    await harmlessHere(page, spec.name);
  }
  await page.goto(`/issues/${evil.short_id}`);
  await page.getByRole("button", { name: "All frames" }).click();
  await page.evaluate(() => {
    for (const details of document.querySelectorAll(".issuemain details")) details.open = true;
    for (const button of document.querySelectorAll(".issuemain [aria-expanded=false]")) button.click();
  });
  await harmlessHere(page, "the issue, unfolded");
  const small = await enter(walk, PHONE);
  await small.page.goto(`/signin?next=/issues/${evil.short_id}`);
  await signIn(small.page, "ann@example.com");
  await small.page.locator(".frames").first().waitFor();
  for (const spec of wanted) {
    await open(small.page, spec);
    await harmlessHere(small.page, `${spec.name} on a phone`);
  }
  await leave(walk, small);
}

/** Every page there is, each with the browser's page that opens it: one who is signed in, one who is nobody. */
async function tour(walk, member, stranger) {
  const { project, incident, schedule, policy } = walk;
  walk.shown ??= await prepared(walk);
  const { issue, ...others } = walk.shown;
  const inside = pages({ issue, project, name: "checkout", release: "checkout@1.4.2", incident, schedule, policy });
  return [...inside.map((spec) => [member, spec]), ...doors(others).map((spec) => [stranger, spec])];
}

/** What has to be there for all pages to have something to show. */
async function prepared({ system, mail }) {
  const { short_id: issue } = await system.issue("checkout", "DeltaError");
  const [{ id: team }] = (await system.api("GET", "/teams")).items;
  await system.api("POST", "/silences", { team, comment: "Disks are changed", ends_at: new Date(Date.now() + 86_400_000).toISOString(), matchers: { title: "*disk*" } });
  await system.api("POST", "/invitations", { email: "new@example.com" });
  const { url } = await system.api("POST", `/issues/${issue}/share`);
  return { issue, setup: "/setup?token=example", invitation: await mail.link("new@example.com"), share: new URL(url).pathname };
}

/** On a desktop, in both colours; `phone` has the small screen. A page is opened once: by night only colours are other ones. */
export async function accessible(walk) {
  const { page } = walk.owner;
  const stranger = await enter(walk);
  const found = [];
  for (const [on, spec] of await tour(walk, page, stranger.page)) {
    await open(on, spec);
    found.push(...(await findings(on)).map((finding) => `${spec.name} (light): ${finding}`));
    await recolour(on, "dark");
    found.push(...(await findings(on, CONTRAST)).map((finding) => `${spec.name} (dark): ${finding}`));
    await recolour(on, "light");
  }
  await leave(walk, stranger);
  assert.deepEqual(found, []);
}

export async function phone(walk) {
  const entered = await enter(walk, PHONE);
  const stranger = await enter(walk, PHONE);
  const { page } = entered;
  // Of one project, so that the list is short enough for its end to be there.
  await page.goto("/?project=checkout");
  await signIn(page, "ann@example.com");
  await page.getByRole("button", { name: "Menu", exact: true }).tap();
  await page.getByRole("link", { name: "Issues", exact: true }).tap();
  await page.locator(".issuerow .rowtitle", { hasText: "DeltaError" }).tap();
  await page.getByRole("button", { name: "Resolve", exact: true }).tap();
  await page.locator(".status.resolved").waitFor();
  const found = [];
  for (const [on, spec] of await tour(walk, page, stranger.page)) {
    await open(on, spec);
    found.push(...(await sideways(on)).map((what) => `${spec.name}: ${what} scrolls sideways`));
    found.push(...(await findings(on)).map((finding) => `${spec.name} (phone, dark): ${finding}`));
  }
  for (const one of [entered, stranger]) await leave(walk, one);
  assert.deepEqual(found, []);
}
