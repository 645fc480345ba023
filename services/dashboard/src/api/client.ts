/** The one way to Bugle's API: JSON in, JSON out, problems as `Problem`. */

export interface FieldError {
  field: string;
  message: string;
  /** Characters from the start of the field, where the server knows it. */
  position?: number;
}

/** What the API answers when it says no (RFC 9457), or `status` 0 when it could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    title: string,
    readonly errors: FieldError[] = [],
    readonly retryAfter: number | null = null,
  ) {
    super(title);
    this.name = "Problem";
  }

  get offline(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  /** This part of the API is not there. */
  get absent(): boolean {
    return this.status === 404 || this.status === 405;
  }

  /** What is wrong with one field. */
  of(field: string): FieldError | undefined {
    return this.errors.find((error) => error.field === field);
  }
}

type Query = Record<string, string | number | boolean | null | undefined>;

interface Options {
  params?: Query;
  /** Parameters that older servers refuse as unknown: then it is asked again without them. */
  optional?: Query;
  body?: unknown;
  /** Asked to find out whether somebody is signed in: a 401 is an answer, and ends nothing. */
  atDoor?: boolean;
  signal?: AbortSignal;
}

const TOKEN = "bugle.token";
let csrf: string | null = null;
const refused = new Set<string>();

export const setCsrf = (value: string | null): void => {
  csrf = value;
};

export const apiToken = {
  get: (): string | null => sessionStorage.getItem(TOKEN),
  set: (token: string): void => sessionStorage.setItem(TOKEN, token),
  clear: (): void => sessionStorage.removeItem(TOKEN),
};

/** Told of every answer, so that the shell can say that Bugle is away. */
export const reachability = {
  listeners: new Set<(reachable: boolean) => void>(),
  tell(reachable: boolean): void {
    for (const listener of this.listeners) listener(reachable);
  },
};

function address(path: string, params: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return (path.startsWith("/health") ? "" : "/api/v1") + path + (text === "" ? "" : `?${text}`);
}

async function problem(response: Response): Promise<Problem> {
  const retry = Number(response.headers.get("Retry-After"));
  const body = (await response.json().catch(() => ({}))) as { code?: string; title?: string; detail?: string; errors?: FieldError[] };
  const title = body.detail ?? body.errors?.[0]?.message ?? body.title ?? `the server answered ${response.status}`;
  return new Problem(response.status, body.code ?? "unknown", title, body.errors ?? [], Number.isFinite(retry) && retry > 0 ? retry : null);
}

async function send(method: string, path: string, params: Query, options: Options): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  const token = apiToken.get();
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  if (method !== "GET" && token === null && csrf !== null) headers.set("X-CSRF-Token", csrf);
  try {
    const response = await fetch(address(path, params), {
      method,
      headers,
      credentials: "same-origin",
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    reachability.tell(![502, 503, 504].includes(response.status));
    return response;
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    reachability.tell(false);
    throw new Problem(0, "unreachable", "Bugle cannot be reached");
  }
}

/** What a success says: some have no more to say than their status. */
async function said(response: Response): Promise<unknown> {
  const text = await response.text();
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}

/** Told when a session has ended under a page that is open. */
export const sessionEnd = { tell: (): void => undefined };

/** Another tab signed in again: its session has another token against forgery. */
async function newCsrf(): Promise<boolean> {
  const response = await send("GET", "/session", {}, {});
  if (!response.ok) return false;
  const before = csrf;
  csrf = ((await response.json()) as { csrf: string }).csrf;
  return csrf !== before;
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const shape = path.replace(/\d+/g, "N");
  const wanted = Object.entries(options.optional ?? {}).filter(([name]) => !refused.has(`${shape} ${name}`));
  const response = await send(method, path, { ...options.params, ...Object.fromEntries(wanted) }, options);
  if (response.ok) return (await said(response)) as T;
  const trouble = await problem(response);
  const unknown = wanted.filter(([name]) => trouble.of(name)?.message === "no such parameter");
  if (unknown.length > 0) {
    for (const [name] of unknown) refused.add(`${shape} ${name}`);
    return call(method, path, options);
  }
  if (trouble.code === "csrf" && (await newCsrf())) return call(method, path, options);
  if (trouble.status === 401 && options.atDoor !== true) sessionEnd.tell();
  throw trouble;
}

export const get = <T>(path: string, options: Options = {}): Promise<T> => call("GET", path, options);

/** As `get`, and null when this part of the API is not there. */
export async function getIfThere<T>(path: string, options: Options = {}): Promise<T | null> {
  try {
    return await get<T>(path, options);
  } catch (error) {
    if (error instanceof Problem && error.absent) return null;
    throw error;
  }
}

/**
 * Has the browser keep what a path answers as a file. It is fetched here, since a link would carry no API token; the bytes
 * have no type, so that nothing opens them on this origin.
 */
export async function download(path: string, name: string, params: Query = {}): Promise<void> {
  const response = await send("GET", path, params, {});
  if (!response.ok) throw await problem(response);
  const url = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** What to tell a person of a failure. */
export function explain(error: unknown): string {
  if (!(error instanceof Problem)) return "Something went wrong here. Reload the page.";
  return error.code === "unauthorized" ? "You are signed out. Sign in again." : error.message;
}
