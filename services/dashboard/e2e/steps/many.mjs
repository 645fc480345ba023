// A list of thousands: every issue is reached, only what is looked at is drawn, nothing jumps.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { signIn } from "../browser.mjs";
import { until } from "../system.mjs";
import { enter, leave } from "./start.mjs";

const MANY = 5_000;
/** A window has twelve rows, and some are drawn beyond its edges. */
const MOST_ROWS = 200;
/** So many rows are marked by keys: the first page has 50. */
const KEYED = 60;
const WHEELED = 10;
/** Nine or ten rows, so that each is once in the window. */
const STEP_PX = 600;
const WALK_MS = 240_000;

function fill(project) {
  const variables = Object.entries({ project, many: MANY }).flatMap(([name, value]) => ["-v", `${name}=${value}`]);
  execFileSync("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", ...variables, process.env.BUGLE_E2E_DATABASE_URL], { input: readFileSync(new URL("../many.sql", import.meta.url)) });
}

/** In the page: looks at each frame which rows are drawn and where, and hears of each task that Chromium calls long: over 50 ms. */
function watch() {
  const places = new Map();
  const watched = { places, moved: [], most: 0, tasks: [], steps: [] };
  window.watched = watched;
  // Whether there was one within a second.
  watched.frame = () => new Promise((resolve) => { requestAnimationFrame(() => resolve(true)); setTimeout(() => resolve(false), 1_000); });
  const look = () => {
    watched.most = Math.max(watched.most, document.querySelectorAll(".issuerow").length);
    for (const slot of document.querySelectorAll(".issueslot")) {
      const name = slot.querySelector(".shortid").textContent;
      const index = Number(slot.getAttribute("aria-posinset"));
      const top = slot.getBoundingClientRect().top + scrollY;
      const before = places.get(name) ?? { index, top };
      const hasMoved = before.index !== index || Math.abs(before.top - top) > 2;
      // The first ones are enough to see what is wrong.
      if (hasMoved && watched.moved.length < 10) watched.moved.push(`${name}: from ${before.index} at ${before.top} to ${index} at ${top}`);
      places.set(name, { index, top });
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  const hear = (list) => { for (const { startTime, duration } of list.getEntries()) watched.tasks.push({ startTime, duration }); };
  new PerformanceObserver(hear).observe({ type: "longtask" });
}

/** The row that is marked, when it is wholly in sight. */
const marked = (page) => page.evaluate(() => {
  const slot = document.querySelector(".issueslot[aria-current=true]");
  const { top = 0, bottom = 0 } = slot?.getBoundingClientRect() ?? {};
  return { at: Number(slot?.getAttribute("aria-posinset") ?? 0), inSight: top >= 0 && bottom <= innerHeight };
});

/** `j` marks one row after the other, beyond the end of the first page. */
async function byKeys(page) {
  for (let wanted = 1; wanted <= KEYED; wanted += 1) {
    await until(`j marks row ${wanted}`, async () => {
      // At the end of what is loaded it marks the last one again, until there is more.
      if ((await marked(page)).at < wanted) await page.keyboard.press("j");
      const { at, inSight } = await marked(page);
      assert.ok(at <= wanted, `j has gone from ${wanted - 1} to ${at}`);
      return at === wanted && inSight;
    });
  }
}

async function byWheel(page) {
  await page.mouse.move(700, 500);
  for (let turn = 0; turn < WHEELED; turn += 1) {
    const before = await page.evaluate(() => scrollY);
    await page.mouse.wheel(0, STEP_PX);
    await until("the list follows the wheel", () => page.evaluate((from) => scrollY > from, before));
  }
  // What the last turn began is over.
  await page.evaluate(async () => {
    for (let last = -1, still = 0; still < 10; still = scrollY === last ? still + 1 : 0) {
      last = scrollY;
      await window.watched.frame();
    }
  });
}

/** In the page: goes down by somewhat less than a window, again and again, until the last row is in sight; a step is over when the window is full of rows. */
async function walkDown({ last, by }) {
  const { watched } = window;
  const isFull = () => [0.2, 0.5, 0.85].every((part) => document.elementFromPoint(700, innerHeight * part)?.closest(".issuerow, .skeleton"));
  const isAtEnd = () => (document.querySelector(`.issueslot[aria-posinset="${last}"]`)?.getBoundingClientRect().bottom ?? Infinity) <= innerHeight;
  while (!isAtEnd()) {
    const [before, begun] = [scrollY, performance.now()];
    scrollBy({ top: by, behavior: "instant" });
    do if (!(await watched.frame())) return false; while (!isFull());
    await watched.frame();
    if (scrollY < before || scrollY > before + by + 1) watched.moved.push(`the page: from ${before} to ${scrollY}`);
    // At the end of what is loaded there is nothing to scroll: that is no step, it waits for more.
    if (scrollY > before) watched.steps.push(begun);
  }
  return true;
}

/** Has the page drawn. */
const draw = (page) => page.screenshot({ clip: { x: 0, y: 0, width: 1, height: 1 } });

async function toTheEnd(page) {
  await until(`the last of ${MANY} issues is in sight`, async () => (await page.evaluate(walkDown, { last: MANY, by: STEP_PX })) || (await draw(page), false), WALK_MS);
}

/** From the one end to the other at once. */
async function byEnds(page) {
  const shows = (index) => page.evaluate((wanted) => {
    const { top = -1, bottom = Infinity } = document.querySelector(`.issueslot[aria-posinset="${wanted}"]`)?.getBoundingClientRect() ?? {};
    return top >= 0 && bottom <= innerHeight;
  }, index);
  for (const [key, index] of [["Home", 1], ["End", MANY], ["Home", 1]]) {
    await page.keyboard.press(key);
    await until(`${key} leads to row ${index}`, async () => (await shows(index)) || (await draw(page), false));
  }
}

/** Says how long the page could not answer in a step. How fast a machine is decides no test. */
function tellBlocked({ steps, tasks }) {
  const sums = steps.map((begun, index) => {
    const next = steps[index + 1] ?? Infinity;
    return tasks.filter(({ startTime }) => startTime >= begun && startTime < next).reduce((sum, { duration }) => sum + duration, 0);
  });
  sums.sort((a, b) => a - b);
  const at = (part) => Math.round(sums[Math.floor((sums.length - 1) * part)]);
  console.log(`${sums.length} steps of ${STEP_PX} px: blocked for ${at(0.5)} ms (half of them), ${at(0.95)} ms (19 of 20), ${at(1)} ms (all)`);
}

function check({ places, moved, most, ...times }, prefix) {
  assert.deepEqual(moved, [], "what was drawn has moved");
  assert.ok(most < MOST_ROWS, `${most} rows were drawn at once`);
  // The first is the newest and the list begins with it, so an issue's number is its place: none is missing, and none is there twice.
  const wrong = places.filter(([name, index]) => name !== `${prefix}-${index}`);
  assert.deepEqual(wrong.slice(0, 10), [], "issues are not in their places");
  assert.equal(places.length, MANY);
  tellBlocked(times);
}

async function scrolled(page, prefix) {
  await page.goto("/issues?project=many");
  await page.locator(".issuerow").first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.evaluate(watch);
  await byKeys(page);
  await byWheel(page);
  await toTheEnd(page);
  await byEnds(page);
  const seen = await page.evaluate(() => ({ ...window.watched, frame: undefined, places: [...window.watched.places].map(([name, { index }]) => [name, index]) }));
  check(seen, prefix);
}

export async function rows(walk) {
  const { system } = walk;
  // Of no team: nobody is on call for it.
  const { id, prefix } = await system.api("POST", "/projects", { name: "many" });
  const entered = await enter(walk);
  try {
    fill(id);
    await entered.page.goto("/");
    await signIn(entered.page, "ann@example.com");
    await entered.page.getByRole("navigation", { name: "Main" }).waitFor();
    await scrolled(entered.page, prefix);
  } finally {
    await leave(walk, entered);
    await system.api("DELETE", `/projects/${id}`);
  }
}
