// The pages before the door, against answers made up here: second factor, lock-out, forgotten password, setup, a session that ends.
//   npm run build && node e2e/door.mjs
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const site = await serve({ server: "http://127.0.0.1:9", token: "", stand: false });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await (await browser.newContext()).newPage();
const errors = [];
page.on("pageerror", (error) => errors.push(error.message));
const user = { id: 1, email: "ann@example.com", name: "Ann Example", role: "owner", time_zone: "UTC", totp: false, teams: [] };
const body = { user, csrf: "first", expires_at: "2030-01-01T00:00:00Z" };
const state = { signedIn: false, setup: false, asked: [] };
const json = (route, status, value, headers = {}) => route.fulfill({ status, headers, contentType: "application/json", body: value === undefined ? "" : JSON.stringify(value) });
const problem = (code, errors = []) => ({ type: "about:blank", title: code, code, errors });

await page.route("**/health/**", (route) => json(route, 200, { healthy: true, checks: {} }));
await page.route("**/api/v1/**", async (route) => {
  const request = route.request();
  const path = new URL(request.url()).pathname.replace("/api/v1", "");
  const sent = request.postDataJSON?.() ?? null;
  state.asked.push([request.method(), path, await request.headerValue("x-csrf-token")]);
  const key = `${request.method()} ${path}`;
  if (key === "GET /setup") return json(route, 200, { needed: state.setup });
  if (key === "POST /setup") return sent.password.length < 12 ? json(route, 422, problem("invalid", [{ field: "password", message: "at least 12 characters" }])) : ((state.signedIn = true), json(route, 201, body));
  if (key === "POST /session") {
    if (sent.password === "locked") return json(route, 429, problem("rate_limited"), { "Retry-After": "120" });
    if (sent.password !== "right") return json(route, 401, problem("invalid_credentials"));
    if (sent.code !== "123456") return json(route, 401, problem(sent.code === undefined ? "second_factor_needed" : "invalid_code"));
    state.signedIn = true;
    return json(route, 200, body);
  }
  if (key === "POST /password-resets") return json(route, 202, {});
  if (key === "POST /password-resets/t1") return json(route, 204);
  if (!state.signedIn) return json(route, 401, problem("unauthorized"));
  if (key === "GET /session") return json(route, 200, { ...body, csrf: state.csrf ?? "first" });
  if (key === "PATCH /account") return state.csrf !== undefined && (await request.headerValue("x-csrf-token")) !== state.csrf ? json(route, 403, problem("csrf")) : json(route, 200, { ...user, name: sent.name });
  if (key === "GET /stats") return json(route, 404, problem("not_found"));
  return json(route, 200, { items: [], next: null });
});

try {
  await page.goto(`${site.url}/account`);
  await page.getByLabel("Email").fill("ann@example.com");
  await page.getByLabel("Password").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText("do not belong together").waitFor();
  await page.getByLabel("Password").fill("locked");
  await page.keyboard.press("Enter");
  await page.getByText("Try again in 2 min").waitFor();
  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await page.getByRole("button", { name: "Send the link" }).click();
  await page.getByText("is on its way to it").waitFor();
  await page.getByRole("button", { name: "Back to signing in" }).click();
  await page.getByLabel("Password").fill("right");
  await page.keyboard.press("Enter");
  await page.getByLabel("Code").fill("000000");
  await page.keyboard.press("Enter");
  await page.getByText("That code is not right").waitFor();
  await page.getByLabel("Code").fill("123 456");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Account" }).waitFor();
  console.log("· second factor, and back to the page that was wanted");

  state.csrf = "second";
  await page.getByLabel("Name").fill("Ann E.");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved").waitFor();
  assert.deepEqual(state.asked.filter(([method]) => method === "PATCH").map(([, , csrf]) => csrf), ["first", "second"]);
  console.log("· a token against forgery that another tab renewed");

  state.signedIn = false;
  await page.getByRole("link", { name: "Notifications" }).click();
  await page.waitForURL(/\/signin\?next=%2F/);
  console.log("· a session that ended leads to the door");

  await page.goto(`${site.url}/reset?token=t1`);
  await page.getByLabel("New password").fill("a long enough sentence");
  await page.keyboard.press("Enter");
  await page.getByText("Your password is set").waitFor();
  await page.goto(`${site.url}/signin?next=//evil.example`);
  state.setup = true;
  await page.goto(`${site.url}/setup?token=once`);
  for (const [label, text] of [["Your name", "Ann"], ["Email", "ann@example.com"], ["Password", "short"], ["First team", "Shop"]]) await page.getByLabel(label).fill(text);
  await page.getByRole("button", { name: "Create the owner" }).click();
  await page.getByText("at least 12 characters", { exact: true }).waitFor();
  await page.getByLabel("Password").fill("a long enough sentence");
  await page.getByRole("button", { name: "Create the owner" }).click();
  await page.getByRole("heading", { name: "New project" }).waitFor();
  console.log("· reset, and setup to the first project");
  assert.deepEqual(errors, []);
} catch (error) {
  await page.screenshot({ path: "/tmp/door-failed.png" });
  console.error(errors.join("\n"), state.asked.slice(-8));
  throw error;
} finally {
  await browser.close();
  site.close();
}
