// A critical error pages whoever is on call, then whoever is next, and is answered from a mail.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { findings, overflow, PHONE } from "../browser.mjs";
import { Mailbox } from "../mail.mjs";
import { join } from "../seed.mjs";
import { enter, leave } from "./start.mjs";

const ZONE = "Europe/Vienna";
/** Who stands in for a time, and who comes second. They have set up nothing: mails to their accounts' addresses page them. */
const BEA = { name: "Bea Backup", email: "bea@example.com" };
const CARL = { name: "Carl Climber", email: "carl@example.com" };
const DAY_MS = 86_400_000;
/** A minute to answer, and what a page takes on a machine that does other things. */
const PATIENCE_MS = 180_000;

const plusDays = (day, days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
const monday = (day) => plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: ZONE }).format(new Date());

/** The next day on which the clocks of the zone change, so late that nothing of this week is in its week; and by how many hours. */
function nextChange() {
  const offset = (day) => Number(/[+-]\d+/.exec(new Intl.DateTimeFormat("en", { timeZone: ZONE, timeZoneName: "longOffset" }).format(new Date(`${day}T12:00:00Z`)))[0]);
  for (let ahead = 10; ahead < 400; ahead += 1) {
    const day = plusDays(today(), ahead);
    const by = offset(day) - offset(plusDays(day, -1));
    if (by !== 0) return { day, by };
  }
  throw new Error(`the clocks of ${ZONE} do not change any more`);
}

/** Two people who hand over each day. */
async function schedule(page) {
  await page.goto("/on-call");
  await page.getByRole("link", { name: "New schedule" }).click();
  await page.getByLabel("Name").fill("Nights");
  await page.getByLabel("Time zone").selectOption(ZONE);
  for (const name of ["Ann Example", CARL.name]) await page.getByLabel("Who takes turns in layer 1").selectOption({ label: name });
  await page.getByLabel("Unit of turns").selectOption("daily");
  await page.getByRole("button", { name: "Create the schedule" }).click();
  await page.getByRole("heading", { level: 1, name: "Nights" }).waitFor();
}

/** The calendar in the week in which clocks change: every handoff is at nine, and one shift has an hour more or less. */
async function clocksChange(page) {
  const { day, by } = nextChange();
  const later = async (first, days, shown) => {
    await page.getByRole("button", { name: "Later" }).click();
    await page.locator(`[data-day="${plusDays(first, days + shown - 1)}"]`).waitFor();
    return plusDays(first, days);
  };
  let first = monday(today());
  while (plusDays(first, 28) <= day) first = await later(first, 28, 35);
  await page.getByRole("button", { name: "Week", exact: true }).click();
  while (plusDays(first, 7) <= day) first = await later(first, 7, 7);
  await page.locator(".calendar[aria-busy=true]").waitFor({ state: "detached" });
  await page.getByText("Shifts as a list").click();
  const label = await page.locator(`[data-day="${day}"]`).innerText();
  const rows = await page.getByRole("group", { name: "Shifts" }).locator("tbody tr").all();
  const shifts = await Promise.all(rows.map((row) => row.getByRole("cell").allInnerTexts()));
  // The first and the last are cut where the week ends.
  const whole = shifts.slice(1, -1);
  assert.equal(whole.length, 6);
  for (const [, from, to] of whole) assert.match(`${from} ${to}`, /, 09:00 .+, 09:00$/);
  const changed = whole.filter(([, , , length]) => length !== "1 d");
  assert.deepEqual(changed.map(([, , to, length]) => [to, length]), [[`${label}, 09:00`, by > 0 ? "23 h" : "1 d 1 h"]]);
}

async function override(page) {
  await page.getByRole("button", { name: "Today" }).click();
  await page.getByRole("button", { name: "New override" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Who", { exact: true }).selectOption({ label: BEA.name });
  // Midnight may come before the walk has ended.
  await dialog.getByLabel("To", { exact: true }).fill(`${plusDays(today(), 2)}T00:00`);
  await dialog.getByRole("button", { name: "Make the override" }).click();
  await page.locator(".oncallnow", { hasText: BEA.name }).waitFor();
}

async function policy(page) {
  await page.goto("/on-call?tab=policies");
  await page.getByRole("link", { name: "New policy" }).click();
  await page.getByLabel("Name").fill("critical errors");
  await page.getByLabel("Whom step 1 pages").selectOption({ label: "On call by Nights" });
  await page.getByLabel("Minutes to answer").fill("1");
  await page.getByRole("button", { name: "Add a step" }).click();
  await page.getByLabel("Whom step 2 pages").selectOption({ label: CARL.name });
  await page.getByRole("button", { name: "Create the policy" }).click();
  await page.locator(".ladder", { hasText: CARL.name }).locator(".wait", { hasText: "1 min without an answer" }).first().waitFor();
}

/** Before the rule that is for more. */
async function rule(page) {
  await page.goto("/on-call?tab=rules");
  await page.getByRole("button", { name: "New rule" }).click();
  await page.getByLabel("Escalation policy").selectOption({ label: "critical errors" });
  await page.getByLabel("From which priority on").selectOption({ label: "Critical only" });
  await page.getByRole("button", { name: "Add the rule" }).click();
  await page.getByRole("button", { name: "Move rule 2 up" }).click();
  await page.locator(".rows li").first().filter({ hasText: "Critical only" }).waitFor();
}

export async function setUp(walk) {
  const { page } = walk.owner;
  const { id: shop } = (await walk.system.api("GET", "/teams")).items.find(({ name }) => name === "Shop");
  for (const { name } of [BEA, CARL]) await join(walk, name, "member", shop, "member");
  // The people whom the page knows are those of before.
  await page.reload();
  await schedule(page);
  await clocksChange(page);
  await override(page);
  await policy(page);
  await rule(page);
}

/** Ends as an app does that nobody has caught the error of. */
async function crash(dsn) {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../crash.mjs", import.meta.url))], { env: { ...process.env, SENTRY_DSN: dsn }, stdio: "ignore" });
  const [code] = await once(child, "exit");
  assert.equal(code, 1);
}

export async function firstStep(walk) {
  const { page } = walk.owner;
  await page.goto("/incidents");
  await crash(walk.dsn);
  await page.locator(".incidentrow", { hasText: "LedgerCorrupt" }).getByRole("link", { name: /LedgerCorrupt/ }).click();
  await page.waitForURL(/\/incidents\/\d+$/);
  walk.climbing = new URL(page.url()).pathname.split("/").at(-1);
  await page.locator(".told", { hasText: `Step 1 paged ${BEA.name}` }).waitFor();
  await walk.mail.take(BEA.email, "LedgerCorrupt");
}

/** From the link of a mail, on a phone on which nobody is signed in. */
async function acknowledge(walk, link) {
  const entered = await enter(walk, PHONE);
  const { page } = entered;
  await page.goto(link);
  await page.getByRole("heading", { name: /^Acknowledge / }).waitFor();
  await page.getByText(`This is done as ${CARL.name}.`).waitFor();
  assert.deepEqual(await findings(page), []);
  assert.ok((await overflow(page)) <= 0);
  await page.getByRole("button", { name: "Acknowledge" }).tap();
  await page.getByRole("heading", { name: /is acknowledged$/ }).waitFor();
  await page.goto(link);
  await page.getByRole("heading", { name: /^This link was used at/ }).waitFor();
  await leave(walk, entered);
}

export async function secondStep(walk) {
  const { page } = walk.owner;
  await page.goto(`/incidents/${walk.climbing}`);
  const told = (text) => page.locator(".told", { hasText: text });
  await told(`Step 2 paged ${CARL.name}`).waitFor({ timeout: PATIENCE_MS });
  const mail = await walk.mail.take(CARL.email, "LedgerCorrupt");
  const { items } = await walk.system.api("GET", `/incidents/${walk.climbing}/timeline`);
  const [first, second] = items.filter(({ event }) => event === "paged").map(({ at }) => Date.parse(at));
  assert.ok(second - first >= 60_000, `step 2 came ${second - first} ms after step 1`);
  await acknowledge(walk, Mailbox.answer(mail, "Acknowledge"));
  await told(`${CARL.name} acknowledged it by mail`).waitFor();
  await told(`Step 1 paged ${BEA.name}`).waitFor();
  await page.locator(".tag.incident.acknowledged").waitFor();
  for (const [step, { name }] of [BEA, CARL].entries()) await page.getByRole("row", { name: `${name} email step ${step + 1}` }).locator(".state.sent").waitFor();
}
