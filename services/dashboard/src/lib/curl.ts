import type { HttpRequest, Json } from "../api/types.ts";

/** A word for a POSIX shell. What is not plain is quoted, and a quote inside is taken apart. */
export function quote(word: string): string {
  const clean = word.replaceAll("\u0000", "");
  return /^[\w@%+=:,./-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", `'\\''`)}'`;
}

// curl makes these itself, and a wrong one breaks the request.
const OWN = new Set(["host", "content-length", "connection", "transfer-encoding", "accept-encoding", "cookie"]);

/** The address with its query, as one would type it. */
export function fullUrl(request: HttpRequest): string {
  const query = (request.query ?? []).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  const base = request.url ?? "";
  return query === "" ? base : `${base}${base.includes("?") ? "&" : "?"}${query}`;
}

function bodyOf(data: Json | undefined): string | null {
  if (data === undefined || data === null || data === "") return null;
  return typeof data === "string" ? data : JSON.stringify(data);
}

/** A command that sends the request again. What was scrubbed stays `[Filtered]`. */
export function curl(request: HttpRequest): string {
  const method = (request.method ?? "GET").toUpperCase();
  const body = bodyOf(request.data);
  const parts = [`curl ${quote(fullUrl(request))}`];
  if (method !== (body === null ? "GET" : "POST")) parts.push(`-X ${quote(method)}`);
  for (const [name, value] of request.headers ?? []) {
    if (!OWN.has(name.toLowerCase())) parts.push(`-H ${quote(`${name}: ${value}`)}`);
  }
  const cookies = (request.cookies ?? []).map(([name, value]) => `${name}=${value}`).join("; ");
  if (cookies !== "") parts.push(`-b ${quote(cookies)}`);
  if (body !== null) parts.push(`--data-raw ${quote(body)}`);
  return parts.join(" \\\n  ");
}
