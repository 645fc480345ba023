// The first start on a real Bugle, in a real browser, on the server's own pages: set-up link, account, project, an error of a real SDK that appears in
// the open page, comments, search, signing out and in again. Fails on any error in the console. Needs Python with sentry-sdk.
//   BUGLE_SETUP_LINK=http://127.0.0.1:8080/setup?token=… node e2e/firststart.mjs [FOLDER for pictures]
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chromium } from "playwright-core";

const link = new URL(process.env.BUGLE_SETUP_LINK ?? "");
const folder = process.argv[2];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
const errors = [];
page.on("console", (message) => { if (message.type() === "error" && !/status of (401|404|422)/.test(message.text())) errors.push(message.text()); });
page.on("pageerror", (error) => errors.push(error.message));
const step = async (name) => { console.log(`· ${name}`); if (folder) await page.screenshot({ path: `${folder}/${name.replace(/\W+/g, "-")}.png` }); };
const PASSWORD = "a long walk along the river";

try {
  await page.goto(link.href);
  await page.getByLabel("Your name").fill("Ann Example");
  await page.getByLabel("Email").fill("ann@example.com");
  await page.getByLabel(/password/i).first().fill(PASSWORD);
  await page.getByLabel("First team").fill("shop");
  await step("the set-up link");
  await page.getByRole("button", { name: "Create the owner" }).click();

  await page.waitForURL("**/projects/new");
  await page.getByLabel("Name").fill("checkout");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("Waiting for the first event").waitFor();
  const dsn = await page.locator("pre[aria-label=DSN]").innerText();
  await step("a project waits for its first event");
  const script = `import sentry_sdk\nsentry_sdk.init(dsn="${dsn}", release="checkout@1.4.2", environment="production")\ndef pay(amount):\n    raise ValueError(f"card declined for {amount}")\ntry:\n    pay(3)\nexcept ValueError:\n    sentry_sdk.capture_exception()\nsentry_sdk.flush()\n`;
  assert.equal(spawnSync("python3", ["-c", script], { stdio: "inherit" }).status, 0);
  await page.getByText("It works.").waitFor();
  await step("the first event has arrived");

  await page.getByRole("link", { name: "Look at it" }).click();
  await page.getByRole("heading", { name: "ValueError", level: 1 }).waitFor();
  await page.getByText("release", { exact: true }).first().waitFor();
  await step("the issue with trend and tags");
  await page.getByRole("tab", { name: "Grouping" }).click();
  await page.waitForTimeout(300);
  await step("why it is grouped so");

  await page.goto(`${link.origin}/issues?query=${encodeURIComponent("release:checkout@1.* is:unresolved")}`);
  await page.locator(".issuerow").first().waitFor();
  await step("found by its release");
  await page.goto(`${link.origin}/`);
  await page.waitForTimeout(800);
  await step("the overview");
  await page.goto(`${link.origin}/admin`);
  await page.waitForTimeout(800);
  await step("administration");

  await page.getByRole("button", { name: "Account: Ann Example" }).click();
  await page.getByRole("menuitem", { name: /Sign out/ }).click();
  await page.getByLabel("Email").fill("ann@example.com");
  await page.getByLabel(/password/i).first().fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: /^Account/ }).waitFor();
  await step("signed in again");
  assert.deepEqual(errors, []);
  console.log("the first start works");
} catch (error) {
  if (folder) await page.screenshot({ path: `${folder}/failed.png` });
  console.error(errors);
  throw error;
} finally {
  await browser.close();
}
