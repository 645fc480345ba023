// Looks at every page as a reader would, light and dark, desktop and phone; checks it with axe; keeps pictures in docs/screenshots/.
//   BUGLE_SERVER=http://127.0.0.1:8080 BUGLE_API_TOKEN=… node e2e/screenshots.mjs [page …]
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const server = process.env.BUGLE_SERVER ?? "http://127.0.0.1:8080";
const token = process.env.BUGLE_API_TOKEN ?? "";
const out = process.env.OUT ?? fileURLToPath(new URL("../../../docs/screenshots/", import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const MAX_BYTES = 150 * 1024;
mkdirSync(out, { recursive: true });

const issueOf = async (query, at = 0) => {
  const answer = await fetch(`${server}/api/v1/issues?limit=100&query=${encodeURIComponent(query)}`, { headers: { Authorization: `Bearer ${token}` } });
  return (await answer.json()).items[at]?.short_id ?? "1";
};

const ISSUE = process.env.ISSUE ?? (await issueOf("CheckoutError"));
const PAGES = [
  { name: "overview", path: "/", ready: ".top li, .empty" },
  { name: "issues", path: "/issues", ready: ".issuerow" },
  { name: "issues-search", path: "/issues", ready: ".issuerow", act: async (page) => { await page.getByRole("combobox").click(); await page.keyboard.type("declined level:"); } },
  { name: "issues-complaint", path: "/issues?query=level%3Aerror%20colour%3Ared", ready: ".complaint" },
  { name: "issues-bulk", path: "/issues", ready: ".issuerow", act: async (page) => { for (const key of ["j", "x", "j", "x", "j"]) await page.keyboard.press(key); } },
  { name: "issues-assign", path: "/issues", ready: ".issuerow", act: async (page) => { for (const key of ["j", "a"]) await page.keyboard.press(key); await page.getByRole("dialog").waitFor(); } },
  { name: "issues-keys", path: "/issues", ready: ".issuerow", act: async (page) => { await page.keyboard.press("?"); await page.getByRole("dialog").waitFor(); } },
  { name: "switcher", path: "/issues", ready: ".issuerow", act: async (page) => { await page.locator(".switcher:visible").click(); await page.getByRole("menu").waitFor(); } },
  { name: "menu", path: "/issues", ready: ".issuerow", act: async (page) => { const button = page.getByRole("button", { name: "Menu", exact: true }); if (await button.isVisible()) await button.click(); await page.waitForTimeout(250); } },
  { name: "issue", path: `/issues/${ISSUE}`, ready: ".frames" },
  { name: "issue-events", path: `/issues/${ISSUE}?tab=events`, ready: "table" },
  { name: "issue-activity", path: `/issues/${ISSUE}?tab=activity`, ready: ".activity" },
  { name: "issue-notifications", path: `/issues/${ISSUE}?tab=notifications`, ready: "table, .empty" },
  { name: "issue-grouping", path: `/issues/${ISSUE}?tab=grouping`, ready: ".prose" },
  { name: "projects", path: "/projects", ready: ".cards li" },
  { name: "project-new", path: "/projects/new", ready: "form" },
  { name: "project-setup", path: "/projects/2?tab=setup", ready: ".platforms" },
  { name: "project-keys", path: "/projects/2?tab=keys", ready: ".rows" },
  { name: "project-destinations", path: "/projects/2?tab=destinations", ready: ".rows, .empty" },
  { name: "project-filters", path: "/projects/2?tab=filters", ready: "form" },
  { name: "project-scrubbing", path: "/projects/2?tab=scrubbing", ready: "form" },
  { name: "project-grouping", path: "/projects/2?tab=grouping", ready: "form" },
  { name: "project-retention", path: "/projects/2?tab=retention", ready: "form" },
  { name: "project-general", path: "/projects/2", ready: "form" },
  { name: "releases", path: "/releases", ready: "table" },
  { name: "release", path: "/releases/2/shop%402.4.1", ready: ".numbers" },
  { name: "notifications", path: "/notifications", ready: "table, .empty" },
  { name: "admin-teams", path: "/admin", ready: ".rows, .empty" },
  { name: "admin-people", path: "/admin?tab=people", ready: "table" },
  { name: "admin-invitations", path: "/admin?tab=invitations", ready: ".rows" },
  { name: "admin-tokens", path: "/admin?tab=tokens", ready: ".rows" },
  { name: "admin-audit", path: "/admin?tab=audit", ready: "table" },
  { name: "admin-outcomes", path: "/admin?tab=outcomes&project=checkout-api", ready: "table" },
  { name: "admin-dead", path: "/admin?tab=dead", ready: ".empty, .rows li" },
  { name: "account", path: "/account", ready: ".rows" },
  { name: "not-found", path: "/nothing/here", ready: ".empty" },
  { name: "signin", path: "/signin", ready: "form", out: true },
  { name: "setup", path: "/setup?token=example", ready: "form", out: true },
  { name: "invite", path: "/invite?token=example", ready: "form", out: true },
  { name: "reset", path: "/reset?token=example", ready: "form", out: true },
];
const VIEWS = [
  { name: "desktop-light", viewport: { width: 1280, height: 780 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 780 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 390, height: 780 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 780 }, colorScheme: "dark" },
].filter(({ name }) => process.env.VIEW === undefined || name === process.env.VIEW);

const wanted = process.argv.slice(2);
const trouble = [];
const site = await serve({ server, token, stand: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--hide-scrollbars"] });

async function look(view, spec) {
  const context = await browser.newContext({ viewport: view.viewport, colorScheme: view.colorScheme, reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Berlin", hasTouch: view.name.startsWith("phone") });
  const page = await context.newPage();
  const say = (what) => trouble.push(`${spec.name} (${view.name}): ${what}`);
  page.on("console", (message) => { if (message.type() === "error" && !/status of (401|404|422)/.test(message.text())) say(message.text()); });
  page.on("pageerror", (error) => say(error.message));
  if (spec.out) {
    await page.route("**/api/v1/session", (route) => route.fulfill({ status: 401, contentType: "application/json", body: '{"code":"unauthorized"}' }));
    await page.route("**/api/v1/setup", (route) => route.fulfill({ status: 200, contentType: "application/json", body: '{"needed":false}' }));
  }
  try {
    await page.goto(site.url + spec.path);
    await page.waitForSelector(spec.ready, { timeout: 10_000 });
    await spec.act?.(page);
    await page.waitForLoadState("networkidle", { timeout: 8_000 }).catch(() => undefined);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) say(`wider than the window by ${wide}`);
    const file = `${out}${spec.name}-${view.name}.png`;
    await page.screenshot({ path: file });
    // Where it is installed: a third of the size, and no difference to the eye.
    spawnSync("pngquant", ["--force", "--strip", "--skip-if-larger", "--quality=70-95", "--output", file, file]);
    if (statSync(file).size > MAX_BYTES) say(`${file} has ${statSync(file).size} bytes`);
    await context.newCDPSession(page).then((cdp) => cdp.send("Page.setBypassCSP", { enabled: true }));
    const found = await page.evaluate(`${axe};axe.run(document,{runOnly:["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]}).then(r=>r.violations.map(v=>v.id+": "+v.nodes.slice(0,4).map(n=>n.target.join(" ")+" "+(n.any[0]?.message??"")).join(" | ")))`);
    found.forEach((finding) => say(`axe ${finding}`));
  } catch (error) {
    say(String(error).split("\n")[0]);
    await page.screenshot({ path: `/tmp/failed-${spec.name}-${view.name}.png` }).catch(() => undefined);
  }
  await context.close();
}

for (const view of VIEWS) for (const spec of PAGES) if (wanted.length === 0 || wanted.includes(spec.name)) await look(view, spec);
await browser.close();
site.close();
console.log(trouble.length === 0 ? "no findings" : trouble.join("\n"));
process.exitCode = trouble.length === 0 ? 0 : 1;
