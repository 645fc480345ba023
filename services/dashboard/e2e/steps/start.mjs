// From nothing to the first error on the screen.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { PASSWORD, signIn, visitor } from "../browser.mjs";

/** Opens a browser profile of its own, whose errors every test looks at. */
export async function enter(walk, view) {
  const entered = await visitor(walk.browser, walk.system.url, view);
  walk.visitors.push(entered);
  return entered;
}

export async function leave(walk, entered) {
  await entered.context.close();
  walk.visitors = walk.visitors.filter((other) => other !== entered || other.trouble.length > 0);
}

export async function setUp(walk) {
  const link = new URL(walk.system.bugle("user", "setup-link"));
  walk.owner = await enter(walk);
  const { page } = walk.owner;
  await page.goto(link.pathname + link.search);
  await page.getByLabel("Your name").fill("Ann Example");
  await page.getByLabel("Email").fill("ann@example.com");
  await page.getByLabel(/password/i).first().fill("short");
  await page.getByLabel("First team").fill("Shop");
  await page.getByRole("button", { name: "Create the owner" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByLabel(/password/i).first().fill(PASSWORD);
  await page.getByRole("button", { name: "Create the owner" }).click();
  await page.waitForURL("**/projects/new");
  // It works once.
  const again = await enter(walk);
  await again.page.goto(link.pathname + link.search);
  await again.page.getByRole("heading", { name: /Sign in|Set Bugle up/ }).waitFor();
  assert.equal((await again.page.request.get("/api/v1/setup").then((answer) => answer.json())).needed, false);
  await leave(walk, again);
}

export async function firstEvent(walk) {
  const { page } = walk.owner;
  await page.getByLabel("Name").fill("checkout");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("Waiting for the first event").waitFor();
  walk.dsn = await page.locator("pre[aria-label=DSN]").innerText();
  walk.project = new URL(walk.dsn).pathname.slice(1);
  await page.getByRole("button", { name: "curl", exact: true }).click();
  const snippet = await page.locator("pre[aria-label='Send an error']").innerText();
  const sent = spawnSync("sh", ["-c", snippet], { encoding: "utf8" });
  assert.equal(sent.status, 0, sent.stderr);
  await page.getByText("It works.").waitFor();
  await page.getByRole("link", { name: "Look at it" }).click();
  await page.waitForURL(/\/issues\/CHECKOUT-1$/);
  await page.getByRole("heading", { level: 1 }).waitFor();
}

export async function signOutAndIn(walk) {
  const { page, context } = walk.owner;
  const other = await context.newPage();
  await other.goto("/notifications");
  await other.getByRole("heading", { name: "Notifications" }).waitFor();
  await page.getByRole("button", { name: "Account: Ann Example" }).click();
  await page.getByRole("menuitem", { name: /Sign out/ }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal((await page.request.get("/api/v1/issues")).status(), 401);
  // The other tab hears of it with its next question.
  await other.getByRole("link", { name: "Releases" }).click();
  await other.waitForURL(/\/signin\?next=/);
  await other.close();
  await page.goto("/issues?query=level%3Aerror");
  await page.waitForURL(/\/signin\?next=/);
  await signIn(page, "ann@example.com", "not my password");
  await page.getByText("do not belong together").waitFor();
  await signIn(page, "ann@example.com");
  await page.waitForURL("**/issues?query=level%3Aerror");
  await page.locator(".issuerow").first().waitFor();
}

/** The code that an authenticator app shows now (RFC 6238). */
function totp(secret) {
  const bits = [...secret.replace(/[\s=]/g, "")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(counter).digest();
  return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

export async function secondFactor(walk) {
  const { page, context } = walk.owner;
  await page.goto("/account");
  await page.getByRole("button", { name: "Turn it on" }).click();
  const secret = await page.locator("pre[aria-label=Secret]").innerText();
  await page.getByLabel("Code that the app shows").fill(totp(secret));
  await page.keyboard.press("Enter");
  const [recovery] = (await page.locator("pre[aria-label='Recovery codes']").innerText()).split("\n");
  await page.getByRole("button", { name: "I have kept them" }).click();
  // Another tab signs out and in again: this one's token against forgery is an old one, and it gets the new one by itself.
  const other = await context.newPage();
  await other.goto("/account");
  await other.getByRole("button", { name: /^Account/ }).click();
  await other.getByRole("menuitem", { name: /Sign out/ }).click();
  await signIn(other, "ann@example.com");
  await other.getByLabel("Code").fill("000 000");
  await other.keyboard.press("Enter");
  await other.getByText("That code is not right").waitFor();
  await other.getByLabel("Code").fill(recovery);
  await other.keyboard.press("Enter");
  await other.getByRole("button", { name: /^Account/ }).waitFor();
  await other.close();
  await page.getByLabel("Your password, to turn it off").fill(PASSWORD);
  await page.getByRole("button", { name: "Turn it off" }).click();
  await page.getByText("The second factor is off").waitFor();
}
