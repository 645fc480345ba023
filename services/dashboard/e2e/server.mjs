// Serves dist/ as the api service does: one origin, strict content security policy, unknown paths are the app's.
import { createReadStream, existsSync, statSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { standIn } from "./standin.mjs";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";

function file(request, response) {
  const wanted = path.join(DIST, path.normalize(new URL(request.url, "http://x").pathname));
  const found = wanted.startsWith(DIST) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : path.join(DIST, "index.html");
  response.writeHead(200, { "Content-Type": TYPES[path.extname(found)] ?? "application/octet-stream", "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff" });
  createReadStream(found).pipe(response);
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

/** Passes a request on to Bugle; the stand-in answers what that server does not know, when it is wanted. */
async function pass(request, response, { server, token, stand }) {
  const body = await bodyOf(request);
  const headers = { "Content-Type": request.headers["content-type"] ?? "application/json", Authorization: request.headers.authorization ?? (stand ? `Bearer ${token}` : "") };
  const before = stand ? standIn(request.method, request.url, body, "first") : null;
  const answer = before === null ? await fetch(server + request.url, { method: request.method, headers, ...(body.length > 0 ? { body } : {}) }).catch(() => null) : null;
  let status = before?.status ?? answer?.status ?? 502;
  let text = before === null ? ((await answer?.text()) ?? "") : JSON.stringify(before.body);
  if (stand && before === null) {
    const instead = standIn(request.method, request.url, text, status === 404 || status === 405 ? "absent" : "after");
    if (instead !== null) {
      status = instead.status;
      text = JSON.stringify(instead.body);
    }
  }
  response.writeHead(status, { "Content-Type": answer?.headers.get("content-type") ?? "application/json" });
  response.end(status === 204 ? undefined : text);
}

/** Starts it on a free port. `stand`: with the accounts and statistics of `standin.mjs`. */
export async function serve(options) {
  const server = http.createServer((request, response) => {
    if (/^\/(api|health)\b/.test(request.url)) void pass(request, response, options);
    else file(request, response);
  });
  await new Promise((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
