// Answers for the parts of the API that a server may not have yet, so that their pages can be looked at.
const now = Date.now();
const ago = (minutes) => new Date(now - minutes * 60_000).toISOString();
const TEAMS = [
  { id: 1, name: "Shop", members: 3, projects: 3 },
  { id: 2, name: "Platform", members: 2, projects: 2 },
];
const PEOPLE = [
  { id: 1, email: "ann@example.com", name: "Ann Example", role: "owner", totp: true, disabled: false, teams: [{ ...TEAMS[0], role: "manager" }] },
  { id: 2, email: "bob@example.com", name: "Bob Example", role: "admin", totp: true, disabled: false, teams: [{ ...TEAMS[1], role: "manager" }] },
  { id: 3, email: "cleo@example.com", name: "Cleo Example", role: "member", totp: false, disabled: false, teams: [{ ...TEAMS[0], role: "member" }] },
  { id: 4, email: "dan@example.com", name: "Dan Example", role: "member", totp: false, disabled: true, teams: [] },
];
const list = (items) => ({ status: 200, body: { items, next: null } });
const noise = (seed) => {
  let x = (seed * 2654435761) >>> 0;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
};
const wave = (seed, count, most) => {
  const next = noise(seed + 7);
  return Array.from({ length: count }, (_, i) => Math.floor(most * (0.25 + 0.75 * next()) * (0.45 + 0.55 * Math.sin((i / count) * 9 + seed) ** 2)));
};
const buckets = (period) => {
  const [count, step] = period === "24h" ? [24, 3_600_000] : [parseInt(period, 10), 86_400_000];
  const last = Math.floor(Date.now() / step) * step;
  return Array.from({ length: count }, (_, i) => new Date(last - (count - 1 - i) * step).toISOString());
};

function stats(period) {
  const b = buckets(period);
  const names = ["storefront", "checkout-api", "admin-portal", "mobile-app", "worker"];
  const by_project = names.map((name, i) => ({ project: i + 1, name, counts: wave(i + 1, b.length, [420, 310, 40, 160, 90][i]) }));
  const total = b.map((_, i) => by_project.reduce((sum, p) => sum + p.counts[i], 0));
  const shares = [["fatal", 0.03], ["error", 0.71], ["warning", 0.2], ["info", 0.06]];
  return { buckets: b, total, by_project, by_level: shares.map(([level, share]) => ({ level, counts: total.map((n) => Math.round(n * share)) })), new_issues: 38, regressed_issues: 3, unresolved: 187 };
}

const releases = ["shop@2.4.1", "shop@2.4.0", "node-shop@4.2.0", "rust-shop@0.3.1", "shop@2.3.9"].map((version, i) => ({
  project: [2, 2, 4, 4, 1][i], version, first_seen: ago(60 + i * 4000), last_seen: ago(3 + i * 700), events: 1204 - i * 190, new_issues: 14 - i * 2, resolved_issues: i * 3,
  commits: [{ id: "a1b2c3d", message: "Retry the payment gateway once", author: "ann@example.com" }], deploys: [{ environment: "production", finished_at: ago(50 + i * 4000) }], authors: ["ann@example.com"],
}));

const FIXED = {
  "GET /session": () => ({ status: 200, body: { user: { ...PEOPLE[0], time_zone: "Europe/Berlin" }, csrf: "x", expires_at: ago(-10000) } }),
  "GET /sessions": () => list([
    { id: 1, created_at: ago(6000), last_seen_at: ago(0), address: "203.0.113.7", user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", current: true },
    { id: 2, created_at: ago(20000), last_seen_at: ago(900), address: "198.51.100.20", user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", current: false },
  ]),
  "GET /teams": () => list(TEAMS),
  "GET /users": () => list(PEOPLE),
  "GET /teams/1/members": () => list(PEOPLE.slice(0, 3).map(({ id, name, email }, i) => ({ id, name, email, role: ["manager", "member", "viewer"][i] }))),
  "GET /invitations": () => list([{ id: 1, email: "eve@example.com", role: "member", team: TEAMS[0], team_role: "member", expires_at: ago(-8000) }]),
  "GET /tokens": () => list([
    { id: 1, name: "ci", scopes: ["read", "triage"], team: null, expires_at: ago(-90000), last_used_at: ago(12) },
    { id: 2, name: "grafana", scopes: ["read"], team: TEAMS[1], expires_at: null, last_used_at: null },
  ]),
  "GET /audit": () => list([
    { id: 3, at: ago(14), actor: { kind: "user", id: 1, name: "Ann Example" }, action: "project.updated", target: { kind: "project", id: 2, name: "checkout-api" }, address: "203.0.113.7", before: { retention: 30, name: "checkout" }, after: { retention: 90, name: "checkout-api" } },
    { id: 2, at: ago(120), actor: { kind: "token", id: 1, name: "ci" }, action: "issue.resolved", target: { kind: "issue", id: 4, name: "WORKER-4" }, address: "198.51.100.9", before: { status: "unresolved" }, after: { status: "resolved" } },
    { id: 1, at: ago(2000), actor: { kind: "system", id: null, name: null }, action: "user.created", target: { kind: "user", id: 1, name: "Ann Example" }, address: null, before: null, after: { role: "owner" } },
  ]),
  "GET /releases": () => list(releases),
  "GET /services": () => list(["ingest", "recorder", "notifier", "api"].map((service) => ({ service, instance: "a", version: "0.2.0", started_at: ago(4000), seen_at: ago(0), state: {} }))),
  "POST /account/totp": () => ({ status: 200, body: { secret: "JBSWY3DPEHPK3PXP", uri: "otpauth://totp/Bugle:ann@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Bugle" } }),
  "GET /invitations/example/preview": () => ({ status: 200, body: { email: "eve@example.com", team: "Shop", inviter: "Ann Example" } }),
};

const PATTERNS = [
  [/^GET \/stats$/, (_, q) => ({ status: 200, body: stats(q.get("period") ?? "24h") })],
  [/^GET \/issues\/([^/]+)\/stats$/, (m, q) => ({ status: 200, body: { buckets: buckets(q.get("period") ?? "24h"), counts: wave(m[1].length, q.get("period") === "30d" ? 30 : 24, 5) } })],
  [/^GET \/issues\/[^/]+\/tags$/, () => list([
    { key: "environment", total: 213, values: [{ value: "production", count: 180 }, { value: "staging", count: 33 }] },
    { key: "region", total: 213, values: [{ value: "eu", count: 140 }, { value: "us", count: 61 }, { value: "ap", count: 12 }] },
    { key: "browser", total: 190, values: [{ value: "Chrome 140", count: 120 }, { value: "Firefox 140", count: 44 }, { value: "Safari 18", count: 26 }] },
  ])],
  [/^GET \/issues\/[^/]+\/activity$/, () => list([
    { id: 3, at: ago(3), kind: "comment", actor: { name: "Cleo Example" }, text: "The gateway was slow between 9 and 10; they have confirmed it." },
    { id: 2, at: ago(55), kind: "assigned", actor: { name: "Ann Example" }, data: { assigned_to: "cleo@example.com" } },
    { id: 1, at: ago(300), kind: "opened", actor: null },
  ])],
  [/^GET \/projects\/(\d+)\/keys$/, (m) => list([{ id: 1, label: "backend", key: "4c1116fc0b0841c8bebb1a95ecef0ea9", dsn: `https://4c1116fc0b0841c8bebb1a95ecef0ea9@bugle.example.com/${m[1]}`, enabled: true, per_minute: null, per_hour: 5000, created_at: ago(9000) }, { id: 2, label: "old web app", key: "9", dsn: `https://99d0930a44f1c58b7a21e5c0c1c0b8aa@bugle.example.com/${m[1]}`, enabled: false, per_minute: null, per_hour: null, created_at: ago(90000) }])],
  [/^GET \/releases\/[^/]+\/[^/]+$/, () => ({ status: 200, body: { ...releases[0], project_name: "checkout-api" } })],
];

/** What to answer instead. `when`: "first" before the server is asked, "absent" when it knows nothing of it, "after" to add to what it said. */
export function standIn(method, address, body, when) {
  const url = new URL(address, "http://x");
  const name = `${method} ${url.pathname.replace("/api/v1", "").replace(/\/$/, "")}`;
  if (when === "first") return name === "GET /session" ? FIXED[name]() : null;
  if (when === "absent") {
    if (FIXED[name] !== undefined) return FIXED[name]();
    for (const [pattern, answer] of PATTERNS) {
      const match = pattern.exec(name);
      if (match !== null) return answer(match, url.searchParams);
    }
    return null;
  }
  if (name !== "GET /issues" && name !== "GET /projects") return null;
  const parsed = JSON.parse(body);
  if (!Array.isArray(parsed.items)) return null;
  for (const item of parsed.items) {
    if (name === "GET /projects") item.team ??= TEAMS[item.id <= 3 ? 0 : 1];
    else item.sparkline ??= wave(item.id, 24, Math.max(2, item.count / 14));
  }
  return { status: 200, body: parsed };
}
