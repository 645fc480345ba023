// A Bugle of our own for the tests: the binary, on a free port, on the empty database that `cargo xtask e2e` made.
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const BINARY = process.env.BUGLE_TEST_BINARY ?? fileURLToPath(new URL("../../../target/debug/bugle", import.meta.url));
const READY_MS = 120_000;

/** Asks until there is an answer. Conditions are awaited, never a time. */
export async function until(what, ask, within = 60_000) {
  const end = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${within / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export class System {
  /** Applies the migrations, starts Bugle, waits until it is ready. `more` gives further settings, once its address is known. */
  static async start(more = () => ({})) {
    const database = process.env.BUGLE_E2E_DATABASE_URL;
    if (database === undefined) throw new Error("run it with `make e2e`, or give an empty database: BUGLE_E2E_DATABASE_URL");
    const system = new System();
    system.data = mkdtempSync(path.join(tmpdir(), "bugle-e2e-"));
    const address = `127.0.0.1:${await freePort()}`;
    system.url = `http://${address}`;
    // Bugle refuses settings that it does not know, so those of the tests stay here.
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith("BUGLE_"));
    system.environment = {
      ...Object.fromEntries(others), BUGLE_DATABASE_URL: database, BUGLE_DATA_DIR: system.data, BUGLE_HTTP_ADDR: address, BUGLE_PUBLIC_URL: system.url,
      BUGLE_ALLOW_PRIVATE_NETS: "127.0.0.0/8", BUGLE_API_RATE_LIMIT: "0",
      ...(await more(system.url)),
    };
    system.bugle("migrate");
    await system.up();
    return system;
  }

  /** Runs a command of the binary and returns what it prints. */
  bugle(...args) {
    const done = spawnSync(BINARY, args, { env: this.environment, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`bugle ${args.join(" ")}: ${done.error ?? done.stderr}`);
    return done.stdout.trim();
  }

  async up() {
    this.child = spawn(BINARY, ["run"], { env: this.environment, stdio: ["ignore", "ignore", "pipe"] });
    this.log = "";
    this.child.stderr.on("data", (part) => { this.log = (this.log + part).slice(-20_000); });
    this.ended = once(this.child, "exit");
    await until("Bugle is ready", async () => {
      if (this.child.exitCode !== null) throw new Error(`Bugle ended: ${this.log}`);
      return (await fetch(`${this.url}/health/ready/`).catch(() => null))?.ok;
    }, READY_MS);
  }

  async down() {
    this.child.kill("SIGTERM");
    await this.ended;
  }

  async stop() {
    await this.down();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** A token that may do everything. */
  token() {
    this.secret ??= JSON.parse(this.bugle("token", "create", "e2e", "--json")).token;
    return this.secret;
  }

  /** Asks the API with that token. */
  async api(method, where, body) {
    const headers = { Authorization: `Bearer ${this.token()}`, "Content-Type": "application/json" };
    const answer = await fetch(`${this.url}/api/v1${where}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${where}: ${answer.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  /** Sends what an SDK would: an event, and what belongs to it. `others` are [header, text]. */
  async send(dsn, event, ...others) {
    const { username: key, pathname } = new URL(dsn);
    const id = event.event_id ?? randomUUID().replaceAll("-", "");
    const item = ([header, text]) => `${JSON.stringify({ ...header, length: Buffer.byteLength(text) })}\n${text}\n`;
    const envelope = `${JSON.stringify({ event_id: id })}\n${[[{ type: "event" }, JSON.stringify({ ...event, event_id: id })], ...others].map(item).join("")}`;
    const answer = await fetch(`${this.url}/api${pathname}/envelope/`, { method: "POST", headers: { "X-Sentry-Auth": `Sentry sentry_version=7, sentry_key=${key}` }, body: envelope });
    if (!answer.ok) throw new Error(`the event was refused: ${answer.status} ${await answer.text()}`);
    return id;
  }

  /** The first issue that a query finds, once it is there. */
  async issue(project, query = "") {
    return until(`an issue of ${project}`, async () => (await this.api("GET", `/issues?project=${encodeURIComponent(project)}&query=${encodeURIComponent(query)}`)).items[0]);
  }
}

/** A webhook that accepts everything, and keeps it in `bodies`. */
export async function webhook() {
  const bodies = [];
  const server = http.createServer(async (request, response) => {
    bodies.push(await text(request));
    response.writeHead(200).end("ok");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // Whoever fails before it is closed shall still come to an end.
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}/hook`, bodies, close: () => server.close() };
}
