// What the first page costs: the entry with everything that it imports at once, and the page of issues, compressed.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
const sizes = new Map(readdirSync(new URL("assets/", dist)).filter((f) => f.endsWith(".js")).map((f) => [f, readFileSync(new URL(`assets/${f}`, dist))]));

function reach(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, other] of sizes.get(name).toString().matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) if (sizes.has(other)) reach(other, seen);
  return seen;
}

const kb = (names) => [...names].reduce((sum, name) => sum + gzipSync(sizes.get(name), { level: 9 }).length, 0) / 1024;
const entry = /src="\/assets\/([^"]+)"/.exec(readFileSync(new URL("index.html", dist), "utf8"))[1];
const first = reach(entry);
const LIMIT = 250;
for (const page of ["signin", "overview", "issues", "issue", "project", "admin"]) {
  const file = [...sizes.keys()].find((f) => new RegExp(`^${page}-`).test(f));
  const total = kb(new Set([...first, ...reach(file)]));
  console.log(`${page.padEnd(10)} ${total.toFixed(1)} KiB`);
  if (total > LIMIT) throw new Error(`${page} is over ${LIMIT} KiB`);
}
console.log(`all        ${kb(sizes.keys()).toFixed(1)} KiB`);
