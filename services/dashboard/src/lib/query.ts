/** The search language as far as the browser has to know it: where its words are, and what may come next. */

export interface Token {
  kind: "filter" | "text";
  /** Characters from the start. */
  start: number;
  end: number;
  negated: boolean;
  key: string;
  value: string;
}

const KEY = /^[A-Za-z_][\w.-]*/;

/** Cuts a query into filters (`level:error`, `!browser:Chrome`) and texts (`word`, `"several words"`). */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    if (/\s/.test(query.charAt(at))) {
      at += 1;
      continue;
    }
    const token = one(query, at);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function one(query: string, start: number): Token {
  const negated = query.charAt(start) === "!";
  const from = negated ? start + 1 : start;
  const key = KEY.exec(query.slice(from))?.[0] ?? "";
  if (key !== "" && query.charAt(from + key.length) === ":") {
    const { value, end } = word(query, from + key.length + 1);
    return { kind: "filter", start, end, negated, key, value };
  }
  const { value, end } = word(query, from);
  return { kind: "text", start, end: Math.max(end, start + 1), negated, key: "", value };
}

/** A quoted text with its escapes, or everything up to the next space. An open quote reaches to the end. */
function word(query: string, start: number): { value: string; end: number } {
  if (query.charAt(start) !== '"') {
    let end = start;
    while (end < query.length && !/\s/.test(query.charAt(end))) end += 1;
    return { value: query.slice(start, end), end };
  }
  let value = "";
  let at = start + 1;
  while (at < query.length && query.charAt(at) !== '"') {
    if (query.charAt(at) === "\\" && at + 1 < query.length) at += 1;
    value += query.charAt(at);
    at += 1;
  }
  return { value, end: Math.min(at + 1, query.length) };
}

/** A value as it has to be written. */
export const written = (value: string): string => (/[\s"]/.test(value) || value === "" ? `"${value.replace(/["\\]/g, "\\$&")}"` : value);

/** What `is:` says about the status; its other values leave the status open. */
export const STATUSES = ["unresolved", "resolved", "ignored"];

/** The filters that say which status is searched for. */
export const statusesOf = (query: string): Token[] => tokenize(query).filter((token) => token.key === "is" && STATUSES.includes(token.value));
export const asksStatus = (query: string): boolean => statusesOf(query).length > 0;

export interface Known { key: string; hint: string; values: string[]; /** What values mean that do not say it themselves. */ hints?: Partial<Record<string, string>> }

export const KEYS: Known[] = [
  { key: "is", hint: "where it stands", values: [...STATUSES, "assigned", "unassigned", "bookmarked"], hints: { unresolved: "still open", resolved: "done", ignored: "left alone", assigned: "belongs to somebody", unassigned: "belongs to nobody", bookmarked: "in your bookmarks" } },
  { key: "level", hint: "how bad an event is", values: ["fatal", "error", "warning", "info", "debug"], hints: { fatal: "the app went down", error: "something failed", warning: "may become a problem", info: "worth knowing", debug: "for developers" } },
  { key: "release", hint: "seen in a version", values: [] },
  { key: "environment", hint: "production, staging, …", values: ["production", "staging", "development"] },
  { key: "assigned", hint: "whose it is", values: ["me", "none"], hints: { me: "you", none: "nobody" } },
  { key: "user.email", hint: "who it happened to", values: [] },
  { key: "user.id", hint: "who it happened to", values: [] },
  { key: "user.ip", hint: "who it happened to", values: [] },
  { key: "times_seen", hint: "how often", values: [">10", ">100", ">1000"] },
  { key: "age", hint: "since it was first seen", values: ["-1h", "-24h", "-7d", "+30d"], hints: { "-1h": "new in the last hour", "-24h": "new in the last day", "-7d": "new in the last week", "+30d": "older than a month" } },
  { key: "last_seen", hint: "since it was last seen", values: ["-1h", "-24h", "+7d"], hints: { "-1h": "seen in the last hour", "-24h": "seen in the last day", "+7d": "not seen for a week" } },
  { key: "users", hint: "how many it happened to", values: [">1", ">10", ">100"] },
  { key: "priority", hint: "how urgent it is", values: ["critical", "high", "medium", "low"] },
  { key: "has", hint: "events with this tag", values: [] },
  { key: "trace", hint: "events of one trace, by its id", values: [] },
];

export interface Suggestion { label: string; hint: string; /** The whole query with it taken. */ query: string; /** Where the caret goes. */ caret: number }

/** What may stand at the caret: keys while a word begins, values after a colon. `learned` are values from the page, `tags` names of tags. */
export function suggest(query: string, caret: number, learned: Partial<Record<string, string[]>> = {}, tags: string[] = []): Suggestion[] {
  const token = tokenize(query).find((t) => t.start <= caret && caret <= t.end);
  if (token === undefined) return keys(query, caret, caret, "", "", tags);
  const sign = token.negated ? "!" : "";
  if (token.kind === "text") return query.charAt(token.start + sign.length) === '"' ? [] : keys(query, token.start, token.end, sign, token.value, tags);
  const known = KEYS.find((k) => k.key === token.key);
  const values = [...new Set([...(known?.values ?? []), ...(learned[token.key] ?? [])])];
  const typed = token.value.toLowerCase();
  return values
    .filter((value) => value.toLowerCase().includes(typed) && value !== token.value)
    .sort((a, b) => Number(b.toLowerCase().startsWith(typed)) - Number(a.toLowerCase().startsWith(typed)))
    .slice(0, 8)
    .map((value) => put(query, token.start, token.end, `${sign}${token.key}:${written(value)}`, value, known?.hints?.[value] ?? "", true));
}

function keys(query: string, start: number, end: number, sign: string, typed: string, tags: string[]): Suggestion[] {
  const others = tags.filter((tag) => !KEYS.some(({ key }) => key === tag)).map((key) => ({ key, hint: "a tag" }));
  const fitting = [...KEYS, ...others].filter(({ key }) => key.toLowerCase().startsWith(typed.toLowerCase()));
  return fitting.slice(0, 20).map(({ key, hint }) => put(query, start, end, `${sign}${key}:`, `${key}:`, hint, false));
}

function put(query: string, start: number, end: number, text: string, label: string, hint: string, complete: boolean): Suggestion {
  const rest = query.slice(end);
  const gap = complete && !rest.startsWith(" ") ? " " : "";
  return { label, hint, query: query.slice(0, start) + text + gap + rest, caret: start + text.length + (complete ? 1 : 0) };
}

/** The query with a filter put in, replacing those of its key; for `is`, those about the status, or those that are not. */
export function withFilter(query: string, key: string, value: string | null): string {
  let text = query;
  const isStatus = value === null || STATUSES.includes(value);
  const replaced = (token: Token): boolean => token.kind === "filter" && token.key === key && (key !== "is" || STATUSES.includes(token.value) === isStatus);
  for (const token of tokenize(query).reverse()) {
    if (replaced(token)) text = text.slice(0, token.start) + text.slice(token.end);
  }
  text = text.replace(/\s+/g, " ").trim();
  return value === null ? text : `${text} ${key}:${written(value)}`.trim();
}
