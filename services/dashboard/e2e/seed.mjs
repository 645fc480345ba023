// A Bugle with something in it: the demo's errors, and a team that works with them.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { until, webhook } from "./system.mjs";

export const OWNER = { email: "ann@example.com", name: "Ann Example", password: "a long walk along the river" };
const DEMO_SECONDS = process.env.DEMO_SECONDS ?? "45";

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { stdio: ["pipe", "pipe", "inherit"], encoding: "utf8", ...options });
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${done.error ?? done.status}`);
  return done.stdout;
}

/** Somebody takes an invitation. */
async function join(system, name, role, team, teamRole) {
  const email = `${name.split(" ")[0].toLowerCase()}@example.com`;
  const { link } = await system.api("POST", "/invitations", { email, role, ...(team === undefined ? {} : { team, team_role: teamRole }) });
  const token = new URL(link).searchParams.get("token");
  await fetch(`${system.url}/api/v1/invitations/${token}/accept`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name, password: OWNER.password }) });
}

async function demo(system) {
  const folder = path.join(system.data, "demo");
  mkdirSync(folder);
  const { dsn } = JSON.parse(system.bugle("project", "create", "settlement", "--json"));
  writeFileSync(path.join(folder, "access.json"), JSON.stringify({ dsn, token: system.token() }));
  const told = run(process.env.BUGLE_XTASK, ["demo", "--seconds", DEMO_SECONDS], { env: { ...process.env, BUGLE_DATA_DIR: folder } });
  const sent = Number(/sent (\d+) errors/.exec(told)?.[1]);
  await until("every error has ended somehow", async () => (await outcomes(system)) >= sent);
}

/** How many errors have an outcome. */
async function outcomes(system) {
  let sum = 0;
  for (const { id } of (await system.api("GET", "/projects?limit=100")).items) {
    for (const { category, quantity } of (await system.api("GET", `/outcomes?project=${id}`)).items) if (category === "error") sum += quantity;
  }
  return sum;
}

/** Fills it, and answers the names that pages need. */
export async function seed(system) {
  const token = new URL(system.bugle("user", "setup-link")).searchParams.get("token");
  await fetch(`${system.url}/api/v1/setup`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...OWNER, token, team: "Shop" }) });
  const shop = (await system.api("GET", "/teams")).items[0].id;
  const platform = (await system.api("POST", "/teams", { name: "Platform" })).id;
  await join(system, "Bob Example", "admin");
  await join(system, "Cleo Example", "member", shop, "member");
  await join(system, "Dan Example", "member", platform, "manager");
  await system.api("POST", "/invitations", { email: "eve@example.com", role: "member", team: shop, team_role: "viewer" });
  await system.api("POST", "/tokens", { name: "ci", scopes: ["read", "triage"], expires_at: new Date(Date.now() + 90 * 86_400_000).toISOString() });
  const hook = await webhook();
  // Made first, so that they have somebody to tell.
  for (const name of ["shop-web", "shop-api", "checkout", "backoffice", "pricing", "jobs"]) {
    const { id } = await system.api("POST", "/projects", { name, team: ["pricing", "jobs"].includes(name) ? platform : shop });
    await system.api("POST", `/projects/${id}/destinations`, { channel: "webhook", target: hook.url, min_priority: "high" });
  }
  await demo(system);
  run("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", process.env.BUGLE_E2E_DATABASE_URL], { input: readFileSync(new URL("history.sql", import.meta.url)) });
  const { items } = await system.api("GET", "/issues?project=checkout&limit=20");
  const issue = items.find((candidate) => candidate.users > 1) ?? items[0];
  await system.api("PATCH", `/issues/${issue.id}`, { assigned_to: "cleo@example.com" });
  await system.api("POST", `/issues/${issue.id}/comments`, { text: "The gateway was slow between 9 and 10; they have confirmed it." });
  const all = (await system.api("GET", "/issues?limit=100")).items;
  for (const other of all.filter((_, index) => index % 7 === 3)) await system.api("PATCH", `/issues/${other.id}`, { status: "resolved" });
  for (const other of all.filter((_, index) => index % 5 === 2)) await system.api("PATCH", `/issues/${other.id}`, { assigned_to: "ann@example.com" });
  hook.close();
  const project = (await system.api("GET", "/projects/checkout")).id;
  const release = (await system.api("GET", `/issues/${issue.id}`)).releases?.[0];
  return { issue: issue.short_id, project, name: "checkout", release };
}
