// A browser that notices what a person would not forgive.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Tags of rules. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** All that other colours can break. */
export const CONTRAST = ["color-contrast"];
/** Answers that are part of life: not signed in, not there, not understood; and a connection that is cut. */
const EXPECTED = /status of (401|403|404|405|409|410|422|502|503)|ERR_(INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|FAILED|SOCKET_NOT_CONNECTED)|WebSocket connection to .* failed/;

export const PASSWORD = "a long walk along the river";
export const DESKTOP = { viewport: { width: 1280, height: 780 }, colorScheme: "light" };
export const PHONE = { viewport: { width: 390, height: 780 }, colorScheme: "dark", hasTouch: true, isMobile: true };

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

/** A page of a browser profile of its own; `trouble` collects errors of scripts, of the content security policy, and dialogs. */
export async function visitor(browser, url, view = DESKTOP) {
  const context = await browser.newContext({ baseURL: url, ...view });
  const page = await context.newPage();
  context.setDefaultTimeout(60_000);
  const trouble = [];
  watch(page, (what) => trouble.push(`${new URL(page.url()).pathname}: ${what}`));
  return { context, page, trouble };
}

export function watch(page, say) {
  page.on("console", (message) => { if (message.type() === "error" && !EXPECTED.test(message.text())) say(message.text()); });
  page.on("pageerror", (error) => say(error.message));
  page.on("dialog", (dialog) => {
    say(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
}

export async function signIn(page, email, password = PASSWORD) {
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
}

/** By how much the page is wider than the window. */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What can be scrolled sideways and should not have to be: the page, and tables. Half a pixel is a matter of rounding. */
export async function sideways(page) {
  const wide = await overflow(page);
  const tables = await page.locator(".tablewrap").evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => `the table ${one.getAttribute("aria-label")}`));
  return [...(wide > 0 ? [`the page, by ${wide}`] : []), ...tables];
}

/** Changes the colours of an open page. */
export async function recolour(page, colorScheme) {
  await page.emulateMedia({ colorScheme });
  await page.locator(`html[data-theme=${colorScheme}]`).waitFor({ state: "attached" });
}

/** What axe finds, by tags or by rules. The debugger runs it: the policy would forbid a script of ours. */
export async function findings(page, rules = RULES) {
  // What is scrolled below the bar at the top counts as covered by it.
  await page.evaluate(() => scrollTo(0, 0));
  const cdp = await page.context().newCDPSession(page);
  const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", {
    expression: `if(window.axe===undefined){${axe}
}axe.run(document,{runOnly:${JSON.stringify(rules)}}).then((r)=>JSON.stringify(r.violations.map((v)=>v.id+": "+v.nodes.slice(0,4).map((n)=>n.target.join(" ")+" "+(n.any[0]?.message??"")).join(" | "))))`,
    awaitPromise: true,
  });
  await cdp.detach();
  if (exceptionDetails !== undefined) throw new Error(`axe: ${exceptionDetails.text}`);
  return JSON.parse(result.value);
}
