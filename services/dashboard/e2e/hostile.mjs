// What somebody sends who wishes us ill. Everything in it has to be text on the page, and no wider than the page.
const SCRIPT = `<script>window.pwned=1;alert(1)</script><img src=x onerror="window.pwned=1;alert(2)"><svg onload=alert(3)>`;
const ANSI = "\u001b[31mred\u001b[0m\u001b]0;title\u0007\u009b2J";
const BIDI = "\u202Egnp.exe\u202C \u2066isolate\u2069 \u200Bzero\uFEFF";
const URL_SCRIPT = "javascript:alert(4)//";
const LONG = "W".repeat(3_000);
export const BAD = `${SCRIPT} ${ANSI} ${BIDI} {{7*7}} \${7*7} %s `;
/** An event may have 1 MiB, with everything around it. */
const HUGE = `${BAD}${"0123456789abcdef".repeat(62_500)}`;

const frame = (text) => ({ filename: `${text}/${LONG}.py`, function: `${text}${LONG}`, module: text, abs_path: URL_SCRIPT, in_app: true, lineno: 3, context_line: text, pre_context: [LONG, text], post_context: [text], vars: { [text]: text, long: LONG, deep: { [text]: [text, { [text]: text }] } } });

/** One with ill will in every field there is. */
export const everywhere = () => ({
  level: "error", platform: "python", release: `${SCRIPT}@1`.slice(0, 200), environment: "prod<b>", transaction: BAD, server_name: BAD, logger: BAD, dist: "<i>", fingerprint: [BAD],
  message: { message: `${BAD} %s`, params: [BAD], formatted: BAD },
  exception: { values: [{ type: `Evil${SCRIPT}`, value: `${BAD}${LONG}`, module: BAD, mechanism: { type: "<u>", handled: false }, stacktrace: { frames: [frame(BAD), frame(URL_SCRIPT), frame("ok")] } }, { type: BAD, value: BAD, stacktrace: { frames: [frame(BAD)] } }] },
  tags: { "evil<b>": BAD, url: URL_SCRIPT, long: LONG, browser: SCRIPT, device: ANSI },
  user: { id: BAD, email: BAD, username: BAD, ip_address: "203.0.113.7", name: BAD, [BAD]: BAD },
  request: { method: "<b>GET", url: `${URL_SCRIPT}${BAD}`, query_string: `a=${encodeURIComponent(BAD)}`, headers: { "User-Agent": BAD, Referer: URL_SCRIPT, [`X-${SCRIPT}`]: BAD }, cookies: { [SCRIPT]: BAD }, data: { [BAD]: BAD }, env: { [BAD]: BAD } },
  contexts: { [BAD]: { name: BAD, [BAD]: BAD }, browser: { name: BAD, version: BAD }, os: { name: BAD }, device: { model: BAD, name: LONG }, trace: { trace_id: "0af7651916cd43dd8448eb211c80319c", span_id: "b7ad6b7169203331" } },
  breadcrumbs: { values: [{ timestamp: 1_790_000_000, category: BAD, message: `${BAD}${LONG}`, type: BAD, data: { url: URL_SCRIPT, [BAD]: LONG } }] },
  extra: { [BAD]: BAD, __proto__x: { constructor: BAD } }, modules: { [BAD]: BAD }, sdk: { name: BAD, version: BAD },
});

/** One whose message is a megabyte. */
export const huge = () => ({ level: "fatal", platform: "javascript", message: HUGE });

/** What comes with it: a file with an ill name and content, and what a user said. */
export const attached = (id) => [
  [{ type: "attachment", filename: `${BAD}.html`, content_type: "text/html", attachment_type: "event.attachment" }, SCRIPT],
  [{ type: "user_report" }, JSON.stringify({ event_id: id, name: BAD, email: "evil@example.com", comments: `${BAD}${LONG}` })],
];
