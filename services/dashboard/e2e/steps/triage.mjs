// What one does with errors all day.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { until } from "../system.mjs";

export const error = (type, value, more = {}) => ({
  level: "error", platform: "python", release: "checkout@1.4.2", environment: "production", tags: { region: "eu" }, user: { id: "7", email: "bob@example.com" },
  exception: { values: [{ type, value, stacktrace: { frames: [{ filename: "lib.py", function: "run", in_app: false, lineno: 1 }, { filename: "wsgi.py", function: "call", in_app: false, lineno: 1 }, { filename: "pay.py", function: type, in_app: true, lineno: 3, context_line: "raise it", pre_context: ["a", "b"], vars: { amount: 3 } }] } }] },
  ...more,
});

const row = (page, text) => page.locator(".issuerow", { hasText: text });

export async function byKeys(walk) {
  const { system, dsn } = walk;
  const { page } = walk.owner;
  await page.goto("/issues");
  await page.locator(".issuerow").first().waitFor();
  // They appear in the open list.
  for (const name of ["AlphaError", "BetaError", "GammaError"]) await system.send(dsn, error(name, "card declined"));
  for (const name of ["AlphaError", "BetaError", "GammaError"]) await row(page, name).waitFor();
  const press = (key) => page.keyboard.press(key);
  await press("?");
  await page.getByRole("dialog").waitFor();
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const current = () => page.locator(".issuerow.current");
  await press("j");
  await current().waitFor();
  const first = await current().innerText();
  await press("j");
  await until("the next one is current", async () => (await current().innerText()) !== first);
  await press("k");
  await until("the first one is current", async () => (await current().innerText()) === first);
  const id = await current().locator(".shortid").innerText();
  await press("a");
  await page.getByLabel("To whom").fill("ann@example.com");
  await press("Enter");
  await page.getByText(`Assigned ${id} to ann@example.com`).waitFor();
  // An account goes by its name, where the server knows that it is one.
  assert.match((await system.api("GET", `/issues/${id}`)).assigned_to, /^(ann@example.com|Ann Example)$/);
  await press("Enter");
  await page.waitForURL(new RegExp(`/issues/${id}`));
  await page.locator(".frames").waitFor();
  await press("e");
  await page.getByText(`Resolved ${id}`).waitFor();
  await press("r");
  await page.getByText(`Reopened ${id}`).waitFor();
  // Back is where one came from.
  await page.goBack();
  await current().waitFor();
  assert.equal(await current().locator(".shortid").innerText(), id);
  await page.goto("/issues");
  await row(page, "AlphaError").waitFor();
  // Two at once.
  for (const key of ["j", "x", "j", "x"]) await press(key);
  await page.getByText("2 issues selected").waitFor();
  const chosen = await page.locator(".issuerow.selected .shortid").allInnerTexts();
  await press("e");
  await page.getByText("2 issues selected").waitFor({ state: "detached" });
  for (const short of chosen) await page.locator(".shortid", { hasText: new RegExp(`^${short}$`) }).waitFor({ state: "detached" });
  for (const short of chosen) assert.equal((await system.api("GET", `/issues/${short}`)).status, "resolved");
  for (const short of chosen) await system.api("PATCH", `/issues/${short}`, { status: "unresolved" });
}

export async function search(walk) {
  const { page } = walk.owner;
  await page.goto("/issues");
  await row(page, "AlphaError").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("region:eu lev");
  await page.getByRole("option", { name: /^level:/ }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("option", { name: /^error/ }).waitFor();
  await page.keyboard.type("err");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.type("alpha");
  await page.keyboard.press("Enter");
  await page.waitForURL(/query=region%3Aeu\+level%3Aerror\+alpha/);
  await row(page, "BetaError").waitFor({ state: "detached" });
  assert.equal(await page.locator(".issuerow").count(), 1);
  // The address is the search.
  await page.reload();
  await row(page, "AlphaError").waitFor();
  await page.getByRole("combobox", { name: "Search issues" }).fill("x level:wild");
  await page.keyboard.press("Enter");
  await page.locator(".complaint mark").waitFor();
  assert.match(await page.locator(".complaint mark").innerText(), /wild/);
  await page.getByRole("button", { name: "Clear the search" }).click();
  await row(page, "BetaError").waitFor();
  await page.getByRole("button", { name: "Saved" }).click();
  await page.getByRole("menuitem", { name: "Save this search" }).click();
  await page.getByLabel("Name").fill("everything");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "everything" }).waitFor();
}

export async function regress(walk) {
  const { system, dsn } = walk;
  const { page } = walk.owner;
  const { short_id: id } = await system.issue("checkout", "AlphaError");
  await page.goto(`/issues/${id}`);
  await page.locator(".frames").waitFor();
  await page.getByRole("button", { name: "Resolve", exact: true }).click();
  await page.locator(".status.resolved").waitFor();
  await until("the resolution is stored", async () => (await system.api("GET", `/issues/${id}`)).status === "resolved");
  await system.send(dsn, error("AlphaError", "card declined again"));
  // The open page notices.
  await page.locator(".status.unresolved").waitFor();
  await page.getByText("regressed", { exact: true }).first().waitFor();
  await page.getByRole("tab", { name: "Activity" }).click();
  await page.locator(".activity", { hasText: "regressed" }).waitFor();
  await page.getByLabel("Comment").fill("The gateway was slow.");
  await page.getByRole("button", { name: "Comment", exact: true }).click();
  await page.locator(".comment", { hasText: "The gateway was slow." }).waitFor();
}

export async function attached(walk) {
  const { system, dsn } = walk;
  const { page } = walk.owner;
  const id = "00000000000000000000000000000abc";
  const text = "<b>what was in the cart</b>";
  await system.send(dsn, error("DeltaError", "with a file", { event_id: id }), [{ type: "attachment", filename: "cart.html", content_type: "text/html" }, text], [{ type: "user_report" }, JSON.stringify({ event_id: id, name: "Bob", email: "bob@example.com", comments: "It broke while I paid." })]);
  const { short_id: issue } = await system.issue("checkout", "DeltaError");
  await until("the file and the report are recorded", async () => (await Promise.all(["attachments", "feedback"].map((part) => system.api("GET", `/events/${id}/${part}`)))).every(({ items }) => items.length === 1));
  await page.goto(`/issues/${issue}`);
  await page.getByText("It broke while I paid.").waitFor();
  const [kept] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download cart.html" }).click()]);
  assert.equal(kept.suggestedFilename(), "cart.html");
  assert.equal(readFileSync(await kept.path(), "utf8"), text);
  await page.getByRole("tab", { name: "Grouping" }).click();
  await page.locator(".variant").first().waitFor();
  await page.locator(".why .counts code", { hasText: "DeltaError" }).first().waitFor();
  assert.equal(await page.locator(".why .silent").count(), 0);
  await page.getByRole("button", { name: "Also what does not count" }).click();
  await page.locator(".why .silent").first().waitFor();
}

/** Which event an open issue shows. */
const bar = (page, name) => page.locator(".eventbar strong", { hasText: name });
const shows = (page, name) => bar(page, name).waitFor();

/** From the last event to the first and back, by its neighbours. */
async function walked(page) {
  const button = (name) => page.locator(".eventbar").getByRole("button", { name, exact: true });
  const older = button("Previous event (older)");
  await button("First event").click();
  await bar(page, "Latest event").waitFor({ state: "detached" });
  await until("the first has none before it", () => older.isDisabled());
  await button("Next event (newer)").click();
  await until("the second has one", () => older.isEnabled());
  await button("Latest event").click();
  await shows(page, "Latest event");
}

export async function merged(walk) {
  const { system, dsn } = walk;
  const { page } = walk.owner;
  const { short_id: into } = await system.issue("checkout", "BetaError");
  const { short_id: gone } = await system.issue("checkout", "GammaError");
  const { items } = await system.api("GET", `/issues/${gone}/fingerprints`);
  await page.goto("/issues?project=checkout");
  for (const short of [into, gone]) await page.getByRole("checkbox", { name: `Select ${short}` }).check();
  await page.getByRole("button", { name: "More for the selected" }).click();
  await page.getByRole("menuitem", { name: "Merge into the oldest" }).click();
  await row(page, "GammaError").waitFor({ state: "detached" });
  // What was linked still leads there.
  await page.goto(`/issues/${gone}?tab=activity`);
  await page.getByRole("heading", { level: 1, name: /BetaError/ }).waitFor();
  await page.locator(".activity", { hasText: `merged into it: ${gone} (GammaError: card declined)` }).waitFor();
  await page.getByRole("tab", { name: "Details" }).click();
  await shows(page, "Latest event");
  await system.send(dsn, error("GammaError", "card declined"));
  await page.getByRole("button", { name: "Show it" }).click();
  await shows(page, "Latest event");
  await walked(page);
  await parted(walk, into, items);
}

/** What came together by hand comes apart by hand, for all that comes from then on. */
async function parted({ system, dsn, owner: { page } }, into, fingerprints) {
  await page.getByRole("tab", { name: "Grouping" }).click();
  await page.getByRole("heading", { name: /fingerprints are this issue$/ }).waitFor();
  for (const { fingerprint } of fingerprints) await page.getByRole("checkbox", { name: fingerprint }).check();
  await page.getByRole("button", { name: "Make the chosen an issue of their own" }).click();
  await page.locator(".actions a").click();
  await page.getByRole("heading", { level: 1, name: /GammaError/ }).waitFor();
  const made = new URL(page.url()).pathname;
  assert.notEqual(made, `/issues/${into}`);
  await system.send(dsn, error("GammaError", "card declined once more"));
  await page.locator(".frames").waitFor();
  await page.goto(`${made}?tab=activity`);
  await page.getByRole("link", { name: "the other issue" }).click();
  await page.getByRole("heading", { level: 1, name: /BetaError/ }).waitFor();
  assert.equal((await system.api("GET", `/issues/${into}`)).count, 3);
  await page.goto("/issues?project=checkout");
  for (const name of ["BetaError", "GammaError"]) await row(page, name).waitFor();
}
