// The shop of the pictures: its services, and what goes wrong in them. Nothing of it is by chance, so that pictures of two days can be
// compared; `history.sql` gives it a past.
import { createHash } from "node:crypto";

/** An id that is the same each time. */
export const idOf = (...words) => createHash("md5").update(words.join(" ")).digest("hex");

/** Their teams, and what they are written in. Releases with how many hours ago they came, the oldest first. */
export const SERVICES = {
  "shop-web": { team: "Shop", platform: "javascript", sdk: ["sentry.javascript.react", "10.22.0"], releases: [["shop-web@5.19.0", 700], ["shop-web@5.20.0", 101], ["shop-web@5.20.1", 18]] },
  "shop-app": { team: "Shop", platform: "dart", sdk: ["sentry.dart.flutter", "9.8.0"], releases: [["shop-app@3.2.0", 700], ["shop-app@3.3.0", 230]] },
  "shop-api": { team: "Shop", platform: "node", sdk: ["sentry.javascript.node", "10.22.0"], releases: [["shop-api@8.4.2", 700], ["shop-api@8.5.0", 66]] },
  checkout: { team: "Shop", platform: "python", sdk: ["sentry.python.django", "2.46.0"], releases: [["checkout@2.7.0", 700], ["checkout@2.7.1", 171], ["checkout@2.8.0", 17]] },
  backoffice: { team: "Shop", platform: "php", sdk: ["sentry.php.laravel", "4.19.0"], releases: [["backoffice@1.31.0", 700], ["backoffice@1.32.0", 140]] },
  pricing: { team: "Platform", platform: "rust", sdk: ["sentry.rust", "0.45.0"], releases: [["pricing@0.14.0", 700], ["pricing@0.15.0", 43]] },
  jobs: { team: "Platform", platform: "python", sdk: ["sentry.python", "2.46.0"], library: "celery", releases: [["jobs@4.0.3", 700], ["jobs@4.1.0", 122]] },
  settlement: { team: "Platform", platform: "java", sdk: ["sentry.java.spring-boot", "8.26.0"], releases: [["settlement@3.11.2", 700], ["settlement@3.12.0", 75]] },
  search: { team: "Platform", platform: "go", sdk: ["sentry.go", "0.40.0"], releases: [["search@1.9.0", 700], ["search@1.9.1", 52]] },
};

/**
 * Project, type, message, where, and [hours since the first, events an hour by day, users for each event, minutes since the last]; besides:
 * `shape` (how it went: `worse`, `back`, `burst`), `unhandled`, `level`, `status` and `who` (what the team has done with it), `trace` (it is of
 * the same request as the payment), `main` (the one that is looked at).
 */
const LIST = [
  ["checkout", "PaymentFailed", "order 81723 was not charged: no answer within 5 s", "checkout/gateway.py:93 charge", [290, 5, 0.7, 1], { main: true, shape: "worse", unhandled: true, who: "cleo@example.com" }],
  ["checkout", "LockNotAvailable", "could not obtain lock on row in relation \"stock\"", "checkout/stock.py:64 reserve", [505, 3, 0.9, 12], { shape: "back", who: "bob@example.com" }],
  ["checkout", "IntegrityError", "duplicate key value violates unique constraint \"orders_reference_key\"", "checkout/orders.py:57 place", [412, 0.7, 0.9, 94], { unhandled: true }],
  ["checkout", "OperationalError", "SSL connection has been closed unexpectedly", "checkout/db.py:22 connect", [333, 1, 0.4, 251], { shape: "burst" }],
  ["checkout", "AddressRejected", "postcode 8O10 is not one of AT", "checkout/addresses.py:31 check", [640, 4, 0.8, 7], { level: "warning" }],
  ["checkout", "KeyError", "'reduced_rate'", "checkout/totals.py:118 tax_of", [6, 3, 0.9, 4], { unhandled: true, who: "cleo@example.com" }],
  ["checkout", "VoucherExpired", "voucher SPRING ended yesterday", "checkout/vouchers.py:40 redeem", [580, 1.5, 0.9, 130], { level: "info", status: { status: "ignored" } }],
  ["shop-web", "TypeError", "Cannot read properties of undefined (reading 'price')", "src/cart/summary.tsx:48 CartSummary", [377, 9, 0.6, 2], { unhandled: true, who: "ann@example.com" }],
  ["shop-web", "ApiError", "POST /api/checkout answered 502", "src/api/client.ts:71 send", [262, 4, 0.8, 1], { shape: "worse", trace: true }],
  ["shop-web", "ChunkLoadError", "Loading chunk 318 failed", "src/routes/lazy.ts:14 load", [201, 2, 0.9, 36], {}],
  ["shop-web", "RangeError", "Invalid time value", "src/orders/date.ts:9 format", [15, 2, 0.8, 21], { unhandled: true }],
  ["shop-web", "QuotaExceededError", "Setting the value of 'cart' exceeded the quota", "src/cart/store.ts:33 save", [93, 0.6, 1, 148], { level: "warning" }],
  ["shop-web", "NotAllowedError", "play() failed because the user didn't interact with the document first", "src/product/video.tsx:27 start", [488, 1.2, 0.9, 63], { level: "warning", status: { status: "ignored", ignore_until: { escalates: true } } }],
  ["shop-app", "SocketException", "Failed host lookup: 'api.shop.example.com'", "api/client.dart:88 ApiClient.get", [420, 6, 0.5, 3], {}],
  ["shop-app", "FormatException", "Unexpected end of input (at character 1)", "cart/cart.dart:57 Cart.parse", [228, 1.4, 0.8, 17], { unhandled: true }],
  ["shop-app", "StateError", "Bad state: No element", "orders/history_page.dart:112 HistoryPage.latest", [81, 0.8, 0.9, 205], { unhandled: true, status: { status: "resolved", resolved_in: "next" } }],
  ["shop-api", "ConnectionError", "connect ECONNREFUSED 10.0.4.17:6379", "src/cache.ts:19 connect", [355, 2, 0, 310], { shape: "burst", unhandled: true }],
  ["shop-api", "UpstreamError", "checkout did not answer within 10 s", "src/routes/checkout.ts:44 forward", [259, 2, 0.7, 1], { trace: true, shape: "worse" }],
  ["shop-api", "TypeError", "products.map is not a function", "src/routes/search.ts:62 list", [11, 2.5, 0.6, 9], { unhandled: true, who: "ann@example.com" }],
  ["shop-api", "PrismaClientKnownRequestError", "Unique constraint failed on the fields: (`email`)", "src/routes/accounts.ts:85 signUp", [606, 0.7, 1, 57], {}],
  ["shop-api", "PayloadTooLargeError", "request entity too large", "src/routes/photos.ts:20 upload", [133, 0.9, 0.9, 74], { level: "warning" }],
  ["backoffice", "QueryException", "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock", "app/Services/Invoices.php:141 App\\Services\\Invoices::number", [470, 1, 0.2, 44], { unhandled: true }],
  ["backoffice", "ErrorException", "Undefined array key \"vat_id\"", "app/Http/Controllers/SupplierController.php:76 App\\Http\\Controllers\\SupplierController::update", [27, 1.2, 0.3, 33], { unhandled: true, who: "bob@example.com" }],
  ["backoffice", "TransportException", "Connection could not be established with host \"smtp.example.com:587\"", "app/Mail/Outbox.php:52 App\\Mail\\Outbox::flush", [390, 0.9, 0, 187], { shape: "burst" }],
  ["backoffice", "InvalidFormatException", "Could not parse '31.02.2026': Unexpected data found", "app/Imports/PriceList.php:93 App\\Imports\\PriceList::row", [160, 0.5, 0.3, 402], { status: { status: "resolved" } }],
  ["pricing", "RateMissing", "no exchange rate from CHF to SEK", "src/rates.rs:118 pricing::rates::convert", [42, 3, 0, 6], { who: "dan@example.com" }],
  ["pricing", "panic", "called `Option::unwrap()` on a `None` value", "src/rules/bundle.rs:207 pricing::rules::bundle::apply", [20, 1.2, 0, 52], { unhandled: true }],
  ["pricing", "panic", "attempt to subtract with overflow", "src/discount.rs:61 pricing::discount::cap", [511, 0.4, 0, 275], { unhandled: true, status: { status: "resolved", resolved_in: "next" } }],
  ["jobs", "SoftTimeLimitExceeded", "newsletter.send ran for 300 s", "jobs/newsletter.py:71 send", [244, 1.6, 0, 118], { shape: "back" }],
  ["jobs", "ReadTimeout", "HTTPSConnectionPool(host='stock.example.com', port=443): Read timed out. (read timeout=20)", "jobs/stock.py:38 pull", [530, 2.2, 0, 8], {}],
  ["jobs", "UnicodeDecodeError", "'utf-8' codec can't decode byte 0xfc in position 1204: invalid start byte", "jobs/suppliers.py:90 read", [9, 1.5, 0, 26], { unhandled: true, who: "dan@example.com" }],
  ["jobs", null, "Disk usage above 90 % on /var", "jobs/health.py:25 disks", [72, 0.9, 0, 41], { level: "warning" }],
  ["settlement", "SocketTimeoutException", "Read timed out while settling order 48213", "com/shop/settlement/BankClient.java:142 post", [301, 1.7, 0, 16], { shape: "worse" }],
  ["settlement", "OptimisticLockException", "Row was updated or deleted by another transaction", "com/shop/settlement/Settler.java:88 settle", [617, 0.9, 0, 82], {}],
  ["settlement", "NullPointerException", "Cannot invoke \"Account.iban()\" because \"account\" is null", "com/shop/settlement/Payouts.java:54 payout", [13, 0.8, 0, 39], { unhandled: true }],
  ["search", "url.Error", "Get \"http://index:9200/_search\": context deadline exceeded", "index/query.go:77 Query", [365, 2.8, 0, 5], {}],
  ["search", "runtime.boundsError", "index out of range [12] with length 12", "suggest/trie.go:133 (*Trie).Walk", [51, 0.7, 0, 69], { unhandled: true }],
];

function described([project, type, value, where, [age, rate, users, last], more]) {
  const [, file, line, name] = /^(\S+):(\d+) (.+)$/.exec(where);
  return { project, type, value, file, line: Number(line), name, age, rate, users, last, shape: "steady", level: "error", ...more };
}

/** The longest known first: they get the first numbers. */
export const ERRORS = LIST.map(described).sort((a, b) => b.age - a.age);

/** What runs at a time: the newest release that had come so many hours ago. */
export const releaseAt = (project, hours) => SERVICES[project].releases.findLast(([, age]) => age >= hours)[0];

/** What of a stack is not the app's, the outermost call first. */
const LIBRARIES = {
  javascript: [["node_modules/react-dom/cjs/react-dom-client.production.js", "performWorkOnRoot"], ["node_modules/react-dom/cjs/react-dom-client.production.js", "renderWithHooks"]],
  dart: [["package:flutter/src/widgets/framework.dart", "StatefulElement.build"]],
  node: [["node_modules/express/lib/router/index.js", "next"], ["node_modules/express/lib/router/layer.js", "Layer.handleRequest"]],
  python: [["django/core/handlers/exception.py", "inner"], ["django/core/handlers/base.py", "_get_response"]],
  celery: [["celery/app/trace.py", "trace_task"], ["celery/app/trace.py", "__protected_call__"]],
  php: [["vendor/laravel/framework/src/Illuminate/Pipeline/Pipeline.php", "Illuminate\\Pipeline\\Pipeline::then"]],
  rust: [["tokio/src/runtime/task/harness.rs", "tokio::runtime::task::harness::poll_future"]],
  java: [["DispatcherServlet.java", "doDispatch"]],
  go: [["net/http/server.go", "HandlerFunc.ServeHTTP"]],
};

const RUNTIMES = { node: ["node", "22.21.0"], python: ["CPython", "3.13.9"], php: ["php", "8.4.14"], rust: ["rustc", "1.91.1"], java: ["OpenJDK", "25.0.1"], go: ["go", "1.25.4"] };
const BROWSERS = [["Firefox", "145.0"], ["Chrome", "142.0.0"], ["Safari", "26.1"], ["Edge", "142.0.0"]];
const PHONES = [["Google", "Pixel 9", "Android", "16"], ["Apple", "iPhone 17", "iOS", "26.1"], ["Samsung", "Galaxy S25", "Android", "16"]];
/** What platforms are called in events, where that is something else. */
const PLATFORMS = { rust: "native" };

/** One of a list, by a number. */
const one = (list, number) => list[number % list.length];

function contexts(platform, number) {
  if (platform === "javascript") {
    const [name, version] = one(BROWSERS, number);
    return { browser: { name, version }, os: { name: number % 3 === 0 ? "Linux" : "Windows", ...(number % 3 === 0 ? {} : { version: "11" }) } };
  }
  if (platform === "dart") {
    const [brand, model, name, version] = one(PHONES, number);
    return { device: { brand, model }, os: { name, version } };
  }
  const [name, version] = RUNTIMES[platform];
  return { runtime: { name, version }, os: { name: "Debian", version: "13.2" } };
}

/** Module names as Python and Java have them. */
const moduleOf = (platform, file) => (["python", "java"].includes(platform) ? { module: file.replace(/\.\w+$/, "").replaceAll("/", ".") } : {});

const stack = ({ platform, library = platform }, { file, name, line }) => ({
  frames: [
    ...LIBRARIES[library].map(([filename, fn], index) => ({ filename, function: fn, lineno: 40 + 67 * index, in_app: false })),
    { filename: platform === "java" ? file.split("/").at(-1) : file, function: name, lineno: line, in_app: true, ...moduleOf(platform, file) },
  ],
});

/** People are numbers only. */
export const person = (number) => ({ id: String(number), email: `user-${number}@example.com`, ip_address: `203.0.113.${number % 250}` });

/** The event number `number` of an error, as it was so many minutes ago. */
export function event(error, number, minutes) {
  const { project, type, value, level, unhandled, users } = error;
  const service = SERVICES[project];
  const { platform, sdk: [name, version] } = service;
  const hash = parseInt(idOf(project, value, number).slice(0, 6), 16);
  const stacktrace = stack(service, error);
  return {
    level, platform: PLATFORMS[platform] ?? platform, release: releaseAt(project, minutes / 60), environment: number % 6 === 5 ? "staging" : "production", timestamp: Date.now() / 1000 - minutes * 60,
    sdk: { name, version }, tags: { region: one(["eu-central", "eu-central", "eu-north"], hash) }, contexts: contexts(platform, hash),
    ...(users > 0 ? { user: person(hash % 2_000) } : {}),
    ...(["javascript", "dart"].includes(platform) ? {} : { server_name: `${project}-${1 + hash % 3}` }),
    ...(type === null
      ? { message: value, threads: { values: [{ current: true, stacktrace }] } }
      : { exception: { values: [{ type, value, mechanism: { type: "generic", handled: unhandled !== true }, stacktrace }] } }),
  };
}
