// From an empty set-up to an incident that somebody has answered.
import assert from "node:assert/strict";
import { until } from "../system.mjs";

/** Unhandled, so that its priority is high. */
const outage = (value) => ({ level: "error", platform: "python", environment: "production", exception: { values: [{ type: "OutageError", value, mechanism: { type: "generic", handled: false }, stacktrace: { frames: [{ filename: "pay.py", function: "charge", in_app: true, lineno: 7 }] } }] } });
const PAGER = "ann.pager@example.com";

async function schedule(page) {
  await page.goto("/on-call");
  await page.getByRole("link", { name: "New schedule" }).click();
  await page.getByLabel("Name").fill("Primary");
  await page.getByRole("button", { name: "Create the schedule" }).click();
  // The server says what is missing, and of which layer.
  await page.getByRole("alert").filter({ hasText: "layer 1, participants" }).waitFor();
  await page.getByLabel("Who takes turns in layer 1").selectOption({ label: "Ann Example" });
  await page.getByRole("button", { name: "Create the schedule" }).click();
  await page.getByRole("heading", { level: 1, name: "Primary" }).waitFor();
  await page.locator(".oncallnow", { hasText: "Ann Example" }).waitFor();
  return Number(new URL(page.url()).pathname.split("/").at(-1));
}

/** An override over a span that is drawn on the calendar, and another that keys alone make. */
async function overrides(page, system, id) {
  const made = async () => (await system.api("GET", `/schedules/${id}/overrides`)).items;
  // From the Sunday of one week to the Tuesday of the next.
  const days = page.getByRole("button", { name: /^Override on/ });
  await days.nth(13).hover();
  await page.mouse.down();
  await days.nth(15).hover();
  await page.mouse.up();
  await page.getByLabel("What").selectOption({ label: "Is not on call" });
  await page.getByRole("button", { name: "Make the override" }).click();
  await page.locator(".calbar.gap").first().waitFor({ state: "attached" });
  const [{ from, to }] = await made();
  assert.equal(Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000), 3);
  await page.getByRole("button", { name: /^Remove the override/ }).click();
  await page.locator(".calbar.gap").first().waitFor({ state: "detached" });
  await page.getByRole("button", { name: "New override" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Make the override" }).focus();
  await page.keyboard.press("Enter");
  await until("the override is stored", async () => (await made()).length === 1);
  await page.locator(".rows li", { hasText: "Ann Example is on call alone" }).waitFor();
}

async function policy(page) {
  await page.goto("/on-call?tab=policies");
  await page.getByRole("link", { name: "New policy" }).click();
  await page.getByLabel("Name").fill("shop");
  await page.getByLabel("Whom step 1 pages").selectOption({ label: "On call by Primary" });
  await page.getByRole("button", { name: "Add a step" }).click();
  await page.getByLabel("Whom step 2 pages").selectOption({ label: "Ann Example" });
  await page.getByRole("button", { name: "Move step 2 up" }).click();
  await page.getByRole("button", { name: "Move step 1 down" }).click();
  await page.getByRole("button", { name: "Create the policy" }).click();
  const first = page.locator(".ladder .rung").first();
  await first.getByRole("link", { name: /Primary/ }).waitFor();
  await page.locator(".ladder .wait", { hasText: "10 min without an answer" }).first().waitFor();
}

/** A rule that matches, after one that is moved out of its way. */
async function rules(page) {
  await page.goto("/on-call?tab=rules");
  for (const environment of ["", "staging"]) {
    await page.getByRole("button", { name: "New rule" }).click();
    await page.getByLabel("Only these environments").fill(environment);
    if (environment !== "") {
      await page.getByRole("button", { name: "Add a tag" }).click();
      await page.getByLabel("Name of tag 1").fill("area");
      await page.getByLabel("Value of tag 1").fill("pay*");
    }
    await page.getByRole("button", { name: "Add the rule" }).click();
    await page.locator(".rows li", { hasText: environment === "" ? "of any project" : environment }).waitFor();
  }
  await page.getByRole("button", { name: "Move rule 2 up" }).click();
  await page.locator(".rows li").first().filter({ hasText: "staging, with area=pay*" }).waitFor();
  await page.getByRole("button", { name: "Remove rule 1" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.locator(".rows li", { hasText: "staging" }).waitFor({ state: "detached" });
}

/** Another address than the account's has to be proven. */
async function contactMethod(walk, page) {
  await page.goto("/account?tab=oncall");
  await page.getByRole("button", { name: "New contact method" }).click();
  await page.getByLabel("Name").fill("my pager");
  await page.getByLabel("How").selectOption("email");
  await page.getByLabel("Address").fill(PAGER);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("button", { name: "Send the code" }).click();
  const [code] = /\b\d{6}\b/.exec((await walk.mail.take(PAGER)).text);
  await page.getByLabel("Code that has come").fill(code);
  await page.getByRole("button", { name: "Verify", exact: true }).last().click();
  await page.getByText(/^proven /).waitFor();
  await page.getByRole("button", { name: "New rule" }).click();
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("At once by my pager").waitFor();
}

export async function setUp(walk) {
  const { page } = walk.owner;
  walk.schedule = await schedule(page);
  await overrides(page, walk.system, walk.schedule);
  await policy(page);
  await rules(page);
  await contactMethod(walk, page);
  walk.policy = (await walk.system.api("GET", "/escalation-policies")).items[0].id;
}

export async function answered(walk) {
  const { system, dsn } = walk;
  const { page } = walk.owner;
  await page.goto("/incidents");
  await page.getByText("Nothing waits for an answer").waitFor();
  await system.send(dsn, outage("the gateway is gone"));
  // It appears in the open list.
  await page.locator(".incidentrow", { hasText: "OutageError" }).getByRole("link", { name: /OutageError/ }).click();
  await page.waitForURL(/\/incidents\/\d+$/);
  walk.incident = new URL(page.url()).pathname.split("/").at(-1);
  await page.locator(".told", { hasText: "Step 1 paged Ann Example" }).waitFor();
  assert.match((await walk.mail.take(PAGER)).subject, /OutageError/);
  await page.getByRole("row", { name: /Ann Example email step 1/ }).locator(".state.sent").waitFor();
  await page.getByRole("button", { name: "Acknowledge", exact: true }).click();
  await page.locator(".told", { hasText: "Ann Example acknowledged it" }).waitFor();
  await page.locator(".tag.incident.acknowledged").waitFor();
  await page.getByLabel("Note").fill("The provider has confirmed it.");
  await page.getByRole("button", { name: "Add the note" }).click();
  await page.locator(".told .comment", { hasText: "The provider has confirmed it." }).waitFor();
  // The issue says so too, and leads back.
  await page.locator(".facts").getByRole("link", { name: /^CHECKOUT-\d+$/ }).click();
  await page.locator(".incidentstrip.acknowledged", { hasText: "Ann Example" }).getByRole("link").click();
  await page.waitForURL(`**/incidents/${walk.incident}`);
  await page.getByRole("button", { name: "Un-acknowledge" }).click();
  await page.locator(".tag.incident.triggered").waitFor();
  // What somebody else did meanwhile is told: it is not this page's to say.
  await system.api("POST", `/incidents/${walk.incident}/acknowledge`);
  await page.locator(".tag.incident.acknowledged").waitFor();
}
