// A Bugle with something in it: the demo's errors, and a team that works with them.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Mailbox } from "./mail.mjs";
import { until, webhook } from "./system.mjs";

export const OWNER = { email: "ann@example.com", name: "Ann Example", password: "a long walk along the river" };
const DEMO_SECONDS = process.env.DEMO_SECONDS ?? "45";

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { stdio: ["pipe", "pipe", "inherit"], encoding: "utf8", ...options });
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${done.error ?? done.status}`);
  return done.stdout;
}

/** Somebody takes the invitation that their mail has. */
export async function join({ system, mail }, name, role, team, teamRole) {
  const email = `${name.split(" ")[0].toLowerCase()}@example.com`;
  await system.api("POST", "/invitations", { email, role, ...(team === undefined ? {} : { team, team_role: teamRole }) });
  const token = new URL(await mail.link(email), system.url).searchParams.get("token");
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

/** Two people who take turns, one who helps out, and two incidents: one that waits, one that somebody deals with. */
async function oncall(system, team, dsn) {
  const people = Object.fromEntries((await system.api("GET", "/users?limit=100")).items.map(({ name, id }) => [name.split(" ")[0], id]));
  await system.api("PUT", `/teams/${team}/members/${people.Bob}`, { role: "manager" });
  const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  // Nobody has one day of the week: there is a gap, and not today.
  const free = new Date(`${day(4)}T00:00:00Z`).getUTCDay();
  const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"].filter((_, index) => index !== free);
  const layer = (participants, rotation, restrictions = []) => ({ participants, rotation: { start: `${day(-3)}T09:00`, ...rotation }, restrictions });
  const schedule = await system.api("POST", "/schedules", {
    team, name: "Shop, first line", zone: "Europe/Vienna",
    layers: [
      layer([people.Ann, people.Cleo], { unit: "weekly" }, [{ weekdays, from: "00:00", to: "00:00" }]),
      layer([people.Bob], { unit: "daily" }, [{ weekdays: ["wed"], from: "18:00", to: "08:00" }]),
    ],
  });
  await system.api("POST", `/schedules/${schedule.id}/overrides`, { kind: "cover", who: people.Bob, from: `${day(8)}T08:00:00Z`, to: `${day(10)}T08:00:00Z` });
  const content = { steps: [{ targets: [{ type: "schedule", schedule: schedule.id }], delay_minutes: 10 }, { targets: [{ type: "person", user: people.Bob }, { type: "person", user: people.Ann }], delay_minutes: 15, min_priority: "high" }], repeat: 2, acknowledgement_timeout_minutes: 120, fallback: [{ type: "person", user: people.Ann }] };
  const policy = await system.api("POST", "/escalation-policies", { team, name: "Shop", content });
  await system.api("POST", "/routing-rules", { team, policy: policy.id, place: 1, min_priority: "critical" });
  await system.api("POST", "/routing-rules", { team, policy: policy.id, place: 2, environments: ["production"], kinds: ["regression", "events_1000"], tags: [{ key: "area", value: "pay*" }] });
  await system.api("POST", "/alert-sources", { team, name: "prometheus", kind: "alertmanager", policy: policy.id });
  await system.api("POST", "/silences", { team, comment: "Disks are changed", ends_at: `${day(90)}T00:00:00Z`, matchers: { labels: [{ name: "instance", op: "=~", value: "db[0-9]+:.*" }], max_priority: "high" }, recurrence: { zone: "Europe/Vienna", windows: [{ weekdays: ["sun"], from: "02:00", to: "04:00" }] } });
  await system.api("POST", "/inhibition-rules", { team, name: "databases", source: { title: "Database*", min_priority: "critical" }, target: { max_priority: "high" }, equal: ["zone", "project"] });
  const fatal = (type, value, line) => ({ level: "fatal", platform: "python", environment: "production", release: "checkout@1.4.2", exception: { values: [{ type, value, stacktrace: { frames: [{ filename: "checkout/gateway.py", function: "charge", in_app: true, lineno: line }] } }] } });
  await system.send(dsn, fatal("GatewayUnreachable", "no answer from pay.example.com within 30 s", 41));
  await until("the first incident is open", async () => (await system.api("GET", "/incidents")).items.length === 1);
  await system.send(dsn, fatal("LedgerCorrupt", "the sum of postings of order 81723 is not zero", 88));
  const [incident, other] = await until("both incidents are open", async () => {
    const { items } = await system.api("GET", "/incidents");
    return items.length === 2 && items;
  });
  await until("the first step has paged", async () => (await system.api("GET", `/incidents/${incident.id}/timeline`)).items.length > 1);
  await system.api("POST", `/incidents/${other.id}/acknowledge`);
  await system.api("POST", `/incidents/${other.id}/notes`, { text: "The gateway's provider has confirmed it." });
  return { incident: incident.id, schedule: schedule.id, policy: policy.id };
}

/** Fills it, and answers the names that pages need, and where an incident is answered from its mail. */
export async function seed(place) {
  const { system, mail } = place;
  const token = new URL(system.bugle("user", "setup-link")).searchParams.get("token");
  await fetch(`${system.url}/api/v1/setup`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...OWNER, token, team: "Shop" }) });
  const shop = (await system.api("GET", "/teams")).items[0].id;
  const platform = (await system.api("POST", "/teams", { name: "Platform" })).id;
  await join(place, "Bob Example", "admin");
  await join(place, "Cleo Example", "member", shop, "member");
  await join(place, "Dan Example", "member", platform, "manager");
  await system.api("POST", "/invitations", { email: "eve@example.com", role: "member", team: shop, team_role: "viewer" });
  await system.api("POST", "/tokens", { name: "ci", scopes: ["read", "triage"], expires_at: new Date(Date.now() + 90 * 86_400_000).toISOString() });
  const hook = await webhook();
  // Made first, so that they have somebody to tell.
  const dsns = {};
  for (const name of ["shop-web", "shop-api", "checkout", "backoffice", "pricing", "jobs"]) {
    const { id, dsn } = await system.api("POST", "/projects", { name, team: ["pricing", "jobs"].includes(name) ? platform : shop });
    dsns[name] = dsn;
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
  const others = await oncall(system, shop, dsns.checkout);
  hook.close();
  const project = (await system.api("GET", "/projects/checkout")).id;
  const release = (await system.api("GET", `/issues/${issue.id}`)).releases?.[0];
  const { short_id: paged } = await system.api("GET", `/incidents/${others.incident}`);
  const answer = Mailbox.answer(await mail.take(OWNER.email, paged), "Acknowledge");
  return { issue: issue.short_id, project, name: "checkout", release, answer, ...others };
}
