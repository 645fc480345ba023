// A Bugle with something in it: the shop's errors and their past, and a team that works with them.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Mailbox } from "./mail.mjs";
import { belongings, payment, traced } from "./payment.mjs";
import { ERRORS, event, idOf, person, releaseAt, SERVICES } from "./shop.mjs";
import { until, webhook } from "./system.mjs";

export const OWNER = { email: "ann@example.com", name: "Ann Example", password: "a long walk along the river" };
/** The customer of the payment that is looked at, and the minutes since. */
const [CUSTOMER, SINCE] = [728, 1];

/** Somebody takes the invitation that their mail has. */
export async function join({ system, mail }, name, role, team, teamRole) {
  const email = `${name.split(" ")[0].toLowerCase()}@example.com`;
  await system.api("POST", "/invitations", { email, role, ...(team === undefined ? {} : { team, team_role: teamRole }) });
  const token = new URL(await mail.link(email), system.url).searchParams.get("token");
  await fetch(`${system.url}/api/v1/invitations/${token}/accept`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name, password: OWNER.password }) });
}

async function asked(answer) {
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** The API as somebody who has signed in: what they do has their name. */
async function signedIn(system, email) {
  const headers = { "Content-Type": "application/json" };
  const ask = (method, where, body) => fetch(`${system.url}/api/v1${where}`, { method, headers, body: JSON.stringify(body) }).then(asked);
  const answer = await ask("POST", "/session", { email, password: OWNER.password });
  headers.Cookie = answer.headers.getSetCookie()[0].split(";")[0];
  headers["X-CSRF-Token"] = (await answer.json()).csrf;
  return ask;
}

/** How many errors have an outcome. */
async function outcomes(system) {
  let sum = 0;
  for (const { id } of (await system.api("GET", "/projects?limit=100")).items) {
    for (const { category, quantity } of (await system.api("GET", `/outcomes?project=${id}`)).items) if (category === "error") sum += quantity;
  }
  return sum;
}

const COMMITS = {
  "checkout@2.7.1": ["Round taxes by the line, not by the sum", "Keep the cart when a voucher is refused"],
  "checkout@2.8.0": ["Send the address to the gateway, which checks it now", "Books have the reduced rate", "Reserve stock in the order of its ids"],
};

/** What a build would tell of each release, the oldest first. */
async function releases(system, projects) {
  const ago = (hours) => new Date(Date.now() - hours * 3_600_000).toISOString();
  for (const [project, service] of Object.entries(SERVICES)) {
    for (const [version, age] of service.releases) {
      const commits = (COMMITS[version] ?? []).map((message, index) => ({ id: idOf(message), message, author_name: ["Cleo Example", "Bob Example"][index % 2], author_email: ["cleo@example.com", "bob@example.com"][index % 2] }));
      await system.api("POST", "/releases", { project, version, ref: `v${version.split("@")[1]}`, released_at: ago(age), commits });
      const path = `/releases/${encodeURIComponent(`${projects[project].id}:${version}`)}/deploys`;
      for (const [environment, later] of [["staging", 0.2], ["production", 0]]) await system.api("POST", path, { environment, finished_at: ago(age + later) });
    }
  }
}

/** Each in a project of its name, with whom to tell; before there are errors, so that they are told. */
async function services(system, teams, hook) {
  const projects = {};
  for (const [name, { team }] of Object.entries(SERVICES)) {
    projects[name] = await system.api("POST", "/projects", { name, team: teams[team] });
    await system.api("POST", `/projects/${projects[name].id}/destinations`, { channel: "webhook", target: hook.url, min_priority: "high" });
  }
  for (const [channel, target] of [["email", "checkout-team@example.com"], ["slack", hook.url]]) await system.api("POST", `/projects/${projects.checkout.id}/destinations`, { channel, target, min_priority: "high" });
  await releases(system, projects);
  return projects;
}

const eventOf = (error, number, minutes) => (error.main ? payment : event)(error, number, minutes);

/** One event of each error, one after the other, so that issues have the same numbers each time. Answers the errors with their issues. */
async function firstEvents(system, projects) {
  const known = [];
  for (const error of ERRORS) {
    const id = idOf(error.project, error.value);
    await system.send(projects[error.project].dsn, { ...eventOf(error, 1, error.age * 60), event_id: id });
    const find = () => system.api("GET", `/projects/${error.project}/events/${id}`).then(({ issue }) => issue, () => null);
    known.push({ ...error, issue: await until(`${error.project} has recorded ${error.value}`, find) });
  }
  return known;
}

/** The later ones, the oldest first; of the payment so many that they are of two releases. */
async function laterEvents(system, projects, known) {
  let sent = known.length;
  for (const [index, error] of known.entries()) {
    const [count, apart] = error.main ? [24, 70] : [2 + (index % 5), 45];
    for (let number = count; number > 1; number -= 1) {
      await system.send(projects[error.project].dsn, eventOf(error, number, Math.min(error.last + number * apart, error.age * 60)));
      sent += 1;
    }
  }
  await until("every error has ended somehow", async () => (await outcomes(system)) >= sent);
}

/** What was resolved is seen again. */
async function comeBack(system, bob, projects, known) {
  for (const error of known.filter(({ shape }) => shape === "back")) {
    await bob("PATCH", `/issues/${error.issue}`, { status: "resolved" });
    await system.send(projects[error.project].dsn, event(error, 7, error.last));
    await until(`${error.type} has come back`, async () => (await system.api("GET", `/issues/${error.issue}`)).regressions === 1);
  }
}

/** The payment that is looked at, and what other services said of the same request. */
async function lastPayment(system, projects, known) {
  for (const error of known.filter(({ trace }) => trace)) {
    const made = event(error, 0, SINCE);
    await system.send(projects[error.project].dsn, { ...made, user: person(CUSTOMER), contexts: { ...made.contexts, ...traced(error.project) } });
  }
  const id = idOf("the payment");
  await system.send(projects.checkout.dsn, { ...payment(null, 0, SINCE), event_id: id }, ...belongings(id));
  const parts = ["attachments", "feedback"];
  await until("the payment is recorded", () => Promise.all(parts.map((part) => system.api("GET", `/events/${id}/${part}`))).then((found) => found.every(({ items }) => items.length === 1), () => false));
}

/** What people do with errors all day. */
async function triage(bob, cleo, known) {
  for (const { project, issue, status, who } of known) {
    if (who !== undefined) await bob("PATCH", `/issues/${issue}`, { assigned_to: who });
    // Cleo is of one team only; Bob is an admin.
    const closes = SERVICES[project].team === "Shop" ? cleo : bob;
    if (status !== undefined) await closes("PATCH", `/issues/${issue}`, status);
  }
  const { issue } = known.find(({ main }) => main);
  await cleo("POST", `/issues/${issue}/comments`, { text: "Since 2.8.0 the gateway gets the address, too, and takes 4 to 6 s to check it. We wait 5." });
  await bob("POST", `/issues/${issue}/comments`, { text: "They have confirmed it, and nobody was charged twice. 2.8.1 waits 15 s; it is on staging." });
}

/** All that goes wrong, and what is done about it, until nothing is on its way any more. */
async function errors(system, projects) {
  const bob = await signedIn(system, "bob@example.com");
  const known = await firstEvents(system, projects);
  await laterEvents(system, projects, known);
  await comeBack(system, bob, projects, known);
  await lastPayment(system, projects, known);
  await triage(bob, await signedIn(system, "cleo@example.com"), known);
  const waiting = async (state) => (await system.api("GET", `/notifications?state=${state}&limit=1`)).items.length > 0;
  await until("everybody is told", async () => !(await waiting("pending")) && !(await waiting("sending")));
  return known;
}

/** Gives the errors the past that the shop's list tells of. */
function past(known) {
  const told = known.map(({ issue, age, rate, users, last, shape }) => ({ issue, age, rate, users, last, shape }));
  const versions = Object.values(SERVICES).flatMap((service) => service.releases.map(([version, age]) => ({ version, age })));
  const variables = Object.entries({ told, versions }).flatMap(([name, value]) => ["-v", `${name}=${JSON.stringify(value)}`]);
  const done = spawnSync("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", ...variables, process.env.BUGLE_E2E_DATABASE_URL], { input: readFileSync(new URL("history.sql", import.meta.url)), encoding: "utf8" });
  if (done.status !== 0) throw new Error(`history.sql: ${done.error ?? done.stderr}`);
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
  const fatal = (type, value, line) => ({ level: "fatal", platform: "python", environment: "production", release: releaseAt("checkout", 0), exception: { values: [{ type, value, stacktrace: { frames: [{ filename: "checkout/gateway.py", function: "charge", in_app: true, lineno: line }] } }] } });
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
  const projects = await services(system, { Shop: shop, Platform: platform }, hook);
  const known = await errors(system, projects);
  past(known);
  const issue = await system.api("GET", `/issues/${known.find(({ main }) => main).issue}`);
  const others = await oncall(system, shop, projects.checkout.dsn);
  hook.close();
  const { short_id: paged } = await system.api("GET", `/incidents/${others.incident}`);
  const answer = Mailbox.answer(await mail.take(OWNER.email, paged), "Acknowledge");
  return { issue: issue.short_id, project: projects.checkout.id, name: "checkout", release: issue.releases?.[0], answer, ...others };
}
