// What the set-up page shows is run as it stands there: whoever pastes it has to see their error.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort, until } from "../system.mjs";

/** Far more than a registry takes that can be reached. */
const INSTALL_MS = 150_000;
/** What is of this walk and none of the apps' business. Where npm's registry is, and how it is reached, stays. */
const OURS = /^(BUGLE_|SENTRY_|NODE_(OPTIONS|TEST_)|npm_(?!config_(registry|userconfig|cafile|cache|proxy|https_proxy|noproxy|strict_ssl)$))/;
const LOCAL = [process.env.NO_PROXY ?? process.env.no_proxy, "localhost", "127.0.0.1"].filter(Boolean).join(",");
const ENVIRONMENT = { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name))), NO_PROXY: LOCAL, no_proxy: LOCAL, PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1" };

/** The step that a pattern finds by its title, and what of the title the pattern holds. */
function step(steps, pattern) {
  const found = steps.find(({ title }) => pattern.test(title));
  assert.ok(found, `none of the steps is ${pattern}: ${steps.map(({ title }) => title).join("; ")}`);
  return { code: found.code, words: pattern.exec(found.title).slice(1) };
}

/** Begins a command as a terminal would, together with whatever that starts. */
function begin(command, { folder, env }) {
  const child = spawn("sh", ["-c", command], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const begun = { command, said: "", code: null, ended: once(child, "close").then(([code]) => { begun.code = code ?? "a signal"; }) };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => { begun.said = (begun.said + part).slice(-3_000); });
  begun.kill = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  return begun;
}

/** Runs a command to its end, and answers what it ended with. */
async function finish(command, place, within = INSTALL_MS) {
  const begun = begin(command, place);
  const timer = setTimeout(begun.kill, within);
  await begun.ended;
  clearTimeout(timer);
  return begun;
}

async function succeed(command, place, why = "") {
  const { code, said } = await finish(command, place);
  if (code !== 0) throw new Error(`\`${command}\` ended with ${code}. ${why}\n${said}`);
}

const install = (command, place) => succeed(command, place, "This step needs the registries of npm and PyPI: can they be reached?");

/** Runs a server until the event is there that a request to it makes. */
async function serve(command, place, ask, arrived) {
  const begun = begin(command, place);
  try {
    await until(`${command} answers`, () => {
      if (begun.code !== null) throw new Error(`\`${command}\` ended with ${begun.code}.\n${begun.said}`);
      return fetch(`http://127.0.0.1:${place.port}/`).catch(() => null);
    });
    await ask();
    await arrived();
  } finally {
    begun.kill();
    await begun.ended;
  }
}

/**
 * An environment of Python with what the snippet installs. Each app has its own: the SDK names itself after the first framework that
 * it finds installed, used or not.
 */
async function python(steps, place) {
  await succeed("python3 -m venv .venv", place);
  place.env = { ...place.env, PATH: `${place.folder}/.venv/bin:${place.env.PATH}`, VIRTUAL_ENV: `${place.folder}/.venv` };
  await install(step(steps, /^Install$/).code, place);
}

/** An app whose file is shown in two parts, with the command and the path in a title. */
async function pythonServer(steps, place, arrived) {
  await python(steps, place);
  const { code: top, words: [file] } = step(steps, /^(\w+\.py): before /);
  const { code: below, words: [command, where] } = step(steps, /^Below it, to try it: (.+), then open (\/\w+)$/);
  writeFileSync(path.join(place.folder, file), `${top}\n\n\n${below}\n`);
  await serve(command, place, () => fetch(`http://127.0.0.1:${place.port}${where}`), arrived);
}

async function flask(steps, place, arrived) {
  place.env.FLASK_RUN_PORT = String(place.port);
  await pythonServer(steps, place, arrived);
}

async function fastapi(steps, place, arrived) {
  place.env.UVICORN_PORT = String(place.port);
  // Whoever has FastAPI has a server for it; the SDK does not bring one.
  const withServer = steps.map(({ title, code }) => ({ title, code: title === "Install" ? `${code} && pip install uvicorn` : code }));
  await pythonServer(withServer, place, arrived);
}

async function django(steps, place, arrived) {
  await python(steps, place);
  await succeed("django-admin startproject shop .", place);
  const { code, words: [file] } = step(steps, /^(settings\.py), at the top$/);
  const settings = path.join(place.folder, "shop", file);
  writeFileSync(settings, `${code}\n\n${readFileSync(settings, "utf8")}`);
  const tried = await finish(step(steps, /^Try it$/).code, place);
  assert.match(tried.said, /Hello, Bugle/, "the error is raised");
  await arrived();
}

async function express(steps, place, arrived) {
  writeFileSync(path.join(place.folder, "package.json"), JSON.stringify({ name: "shop", private: true, dependencies: { express: "^5.0.0" } }));
  await install(step(steps, /^Install$/).code, place);
  const code = (title) => step(steps, new RegExp(`^${title}$`)).code;
  // Here the port may be somebody else's.
  const moved = (title) => code(title).replaceAll("3000", String(place.port));
  writeFileSync(path.join(place.folder, "instrument.mjs"), code("instrument.mjs"));
  writeFileSync(path.join(place.folder, "app.mjs"), moved("app.mjs"));
  await serve(code("Run it"), place, () => succeed(moved("Try it"), place), arrived);
}

async function curl(steps, place, arrived) {
  await succeed(step(steps, /^Send an error$/).code, place);
  await arrived();
}

/** Platforms as the page calls them, how each is tried, and what has to arrive. */
const APPS = [
  { platform: "Django", run: django, title: "RuntimeError: Hello, Bugle", language: "python", sdk: "sentry.python.django" },
  { platform: "Flask", run: flask, title: "ZeroDivisionError: division by zero", language: "python", sdk: "sentry.python.flask" },
  { platform: "FastAPI", run: fastapi, title: "ZeroDivisionError: division by zero", language: "python", sdk: "sentry.python.fastapi" },
  { platform: "curl", run: curl, title: "FirstError: Hello, Bugle", language: "other", sdk: undefined },
  { platform: "Node / Express", run: express, title: "Error: Hello, Bugle", language: "node", sdk: "sentry.javascript.node" },
];

/** The steps that the page shows for a platform, each with its title. */
async function shown(page, project, platform) {
  await page.goto(`/projects/${project}?tab=setup`);
  const choice = page.getByRole("group", { name: "Platform" });
  await choice.getByRole("button", { name: platform, exact: true }).click();
  await choice.getByRole("button", { name: platform, exact: true, pressed: true }).waitFor();
  return page.locator("ol.steps > li").evaluateAll((steps) => steps.map((one) => ({ title: one.querySelector("h3").textContent, code: one.querySelector("pre").textContent })));
}

/** Waits for the project's event, and looks at what it says of itself. */
async function arrival(system, project, { title, language, sdk }) {
  const issue = await system.issue(project);
  const { event } = await system.api("GET", `/issues/${issue.short_id}/events/last`);
  assert.deepEqual([issue.title, event.platform, event.sdk?.name], [title, language, sdk]);
}

async function tryOut(system, { project, steps, folder, app }) {
  mkdirSync(folder);
  const place = { folder, env: { ...ENVIRONMENT }, port: await freePort() };
  try {
    await app.run(steps, place, () => arrival(system, project, app));
  } catch (error) {
    throw new Error(`${app.platform}: ${error.message}`, { cause: error });
  }
}

export async function run({ system, owner: { page } }) {
  const root = mkdtempSync(path.join(tmpdir(), "bugle-snippets-"));
  const trials = [];
  try {
    for (const app of APPS) {
      const name = `snippet-${app.platform.toLowerCase().replace(/\W+/g, "-")}`;
      // Of no team: nobody is on call for it.
      const { id } = await system.api("POST", "/projects", { name });
      trials.push({ project: id, folder: path.join(root, name), app });
    }
    for (const trial of trials) trial.steps = await shown(page, trial.project, trial.app.platform);
    // All at once: nearly all of the time is spent on waiting for registries.
    const ended = await Promise.allSettled(trials.map((trial) => tryOut(system, trial)));
    assert.deepEqual(ended.filter(({ status }) => status === "rejected").map(({ reason }) => reason.message), []);
    // The page that was left open is the last one's.
    await page.getByText("It works.").waitFor();
  } finally {
    await page.goto("/");
    for (const { project } of trials) await system.api("DELETE", `/projects/${project}`);
    rmSync(root, { recursive: true, force: true });
  }
}
