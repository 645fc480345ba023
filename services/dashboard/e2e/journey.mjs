// Walks a real Bugle in a real browser, with nothing but an API token: sign in, connect an app, see its first error arrive, settle it by keys,
// lose the connection and get it back. Fails on any error in the console, so on any breach of the content security policy too.
//   BUGLE_SERVER=http://127.0.0.1:8080 BUGLE_API_TOKEN=… node e2e/journey.mjs
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const server = process.env.BUGLE_SERVER ?? "http://127.0.0.1:8080";
const token = process.env.BUGLE_API_TOKEN ?? "";
const site = await serve({ server, token, stand: false });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
const errors = [];
page.on("console", (message) => { if (message.type() === "error" && !/status of (401|404|405|422|502)|ERR_INTERNET_DISCONNECTED|ERR_FAILED/.test(message.text())) errors.push(message.text()); });
page.on("pageerror", (error) => errors.push(error.message));
const api = async (path, options = {}) => (await fetch(`${server}/api/v1${path}`, { ...options, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } })).json();
const step = (name) => console.log(`· ${name}`);
const HOSTILE = "<img src=x onerror=alert(1)> \u202Egnp.exe \u001b[31mred";

try {
  step("a deep link leads to the door, and back after it");
  await page.goto(`${site.url}/projects/new`);
  const byToken = page.getByRole("button", { name: "Use an API token" });
  await page.waitForSelector("form");
  if (await byToken.isVisible()) await byToken.click();
  await page.getByLabel("API token").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("unknown, expired or revoked").waitFor();
  await page.getByLabel("API token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();

  step("a new project, and its first event arrives in the open page");
  const name = `journey-${Date.now().toString(36)}`;
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("Waiting for the first event").waitFor();
  await page.getByRole("button", { name: "curl" }).click();
  const dsn = new URL(await page.locator("pre[aria-label=DSN]").innerText());
  const id = dsn.pathname.slice(1);
  const event = { level: "error", platform: "python", release: "shop@1", exception: { values: [{ type: "PayError", value: HOSTILE, stacktrace: { frames: [{ filename: "lib.py", function: "run", in_app: false, lineno: 1 }, { filename: "x.py", function: "call", in_app: false, lineno: 1 }, { filename: "pay.py", function: "pay", in_app: true, lineno: 3, context_line: "raise PayError", pre_context: ["a", "b"], vars: { amount: 3 } }] } }] }, request: { method: "POST", url: "https://shop.example/pay", headers: { "X-A": "it's" } }, user: { id: "7" } };
  await fetch(`${server}/api/${id}/store/`, { method: "POST", headers: { "X-Sentry-Auth": `Sentry sentry_version=7, sentry_key=${dsn.username}`, "Content-Type": "application/json" }, body: JSON.stringify(event) });
  await page.getByText("It works.").waitFor();

  step("the issue: hostile text is harmless, the app's frames are open");
  await page.getByRole("link", { name: "Look at it" }).click();
  await page.getByRole("heading", { name: "PayError", level: 1 }).waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.match(await page.locator(".exceptionvalue").innerText(), /<img src=x onerror=alert\(1\)> ⟨U\+202E⟩gnp\.exe/);
  assert.equal(await page.locator(".source .failing").innerText().then((t) => t.includes("raise PayError")), true);
  await page.getByRole("button", { name: "2 frames of libraries" }).click();
  assert.equal(await page.locator(".frame").count(), 3);

  step("triage by keys alone");
  await page.goto(`${site.url}/issues?project=${name}`);
  await page.locator(".issuerow").first().waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("j");
  await page.keyboard.press("a");
  await page.getByLabel("To whom").fill("ann@example.com");
  await page.keyboard.press("Enter");
  await page.getByText(/Assigned .* to ann@example.com/).waitFor();
  await page.keyboard.press("e");
  await page.getByText("All quiet").waitFor();
  const [issue] = (await api(`/issues?project=${name}`)).items;
  assert.deepEqual([issue.status, issue.assigned_to], ["resolved", "ann@example.com"]);

  step("search: completion, and the server's complaint at its place");
  await page.keyboard.press("/");
  await page.keyboard.type("is:reso");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.locator(".issuerow").first().waitFor();
  assert.match(page.url(), /query=is%3Aresolved/);
  await page.getByRole("combobox").fill('x level:wild');
  await page.keyboard.press("Enter");
  await page.locator(".complaint mark").waitFor();
  assert.match(await page.locator(".complaint mark").innerText(), /level:wild|wild/);

  step("a menu, the theme");
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Dark" }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");

  step("the connection is lost and comes back");
  await page.goto(`${site.url}/issues?project=${name}&status=all`);
  await page.locator(".issuerow").first().waitFor();
  await page.context().setOffline(true);
  await page.getByText("Bugle cannot be reached").waitFor({ timeout: 20_000 });
  await page.context().setOffline(false);
  await page.getByText("Bugle cannot be reached").waitFor({ state: "detached", timeout: 20_000 });

  step("parts that the server lacks say so");
  for (const tab of ["teams", "people", "invitations", "tokens", "audit"]) {
    await page.goto(`${site.url}/admin?tab=${tab}`);
    await page.locator(".empty, .rows, table").first().waitFor();
  }
  assert.deepEqual(errors, []);
  console.log("the journey went well");
} catch (error) {
  await page.screenshot({ path: "/tmp/journey-failed.png" });
  console.error(errors.join("\n"));
  throw error;
} finally {
  await browser.close();
  site.close();
}
