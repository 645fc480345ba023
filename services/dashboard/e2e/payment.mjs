// The error that the README shows: a payment that the gateway did not answer in time, told by the shop's checkout in all detail.
import { idOf, person, releaseAt, SERVICES } from "./shop.mjs";

const TRACE = idOf("the request that failed");
/** What events of that request have in common. */
export const traced = (service) => ({ trace: { trace_id: TRACE, span_id: idOf(service).slice(0, 16), op: "http.server" } });

/** A frame of the app: its source around the line that is marked with `>`, the first of which has the given number. */
function own(file, name, first, source, vars) {
  const lines = source.split("\n").slice(1, -1);
  const at = lines.findIndex((line) => line.startsWith(">"));
  const plain = lines.map((line) => line.slice(2));
  return {
    filename: file, abs_path: `/srv/checkout/${file}`, module: file.replace(/\.py$/, "").replaceAll("/", "."), function: name, in_app: true,
    lineno: first + at, pre_context: plain.slice(0, at), context_line: plain[at], post_context: plain.slice(at + 1), vars,
  };
}

const library = (file, name, line) => ({ filename: file, abs_path: `/srv/checkout/.venv/lib/python3.13/site-packages/${file}`, module: file.replace(/\.py$/, "").replaceAll("/", "."), function: name, lineno: line, in_app: false });

const GATEWAY_CALL = `
  def charge(order, method, attempt=1):
      """Asks the gateway for the money of an order."""
      body = {"order": order.number, "cents": order.cents, "attempt": attempt}
      try:
>         answer = http.post(GATEWAY + "/charges", json=body, timeout=TIMEOUT)
      except requests.ReadTimeout as error:
          # It may have been charged: nobody may simply try again.
          raise PaymentFailed(order, f"no answer within {TIMEOUT} s") from error
`;

const GATEWAY = `
      body = {"order": order.number, "cents": order.cents, "attempt": attempt}
      try:
          answer = http.post(GATEWAY + "/charges", json=body, timeout=TIMEOUT)
      except requests.ReadTimeout as error:
          # It may have been charged: nobody may simply try again.
>         raise PaymentFailed(order, f"no answer within {TIMEOUT} s") from error
      if answer.status_code == 402:
          raise CardDeclined(order, answer.json()["reason"])
      return Charge.of(answer.json())
`;

const ORDERS = `
  def settle(number, method):
      with transaction.atomic():
          order = Order.lock(number)
          order.reserve_stock()
>         order.charge = gateway.charge(order, method)
          order.save(update_fields=["charge", "state"])
      events.publish("order.settled", number)
      return order.receipt()
`;

const VIEWS = `
  @require_POST
  def checkout(request):
      cart = Cart.of(request)
      order = orders.place(cart, customer=request.user)
>     receipt = orders.settle(order.number, cart.method)
      return JsonResponse(receipt.as_dict(), status=201)
`;

/** What differs from one payment to the next. */
function facts(number) {
  const hash = parseInt(idOf("payment", number).slice(0, 6), 16);
  const order = number === 0 ? 81_723 : 81_100 + (hash % 600);
  return {
    order, customer: number === 0 ? 728 : hash % 2_000, cents: number === 0 ? 14_970 : 990 + (hash % 40_000), cart: 60_000 + (hash % 9_000),
    method: ["visa", "visa", "mastercard", "paypal"][hash % 4], region: ["eu-central", "eu-central", "eu-north"][hash % 3], host: `checkout-${1 + (hash % 3)}`,
    browser: [["Firefox Mobile", "145.0"], ["Chrome Mobile", "142.0.0"], ["Chrome Mobile", "142.0.0"]][number % 3], device: [["Google", "Pixel 9"], ["Samsung", "Galaxy S25"], ["Fairphone", "6"]][number % 3],
  };
}

const shownOrder = ({ order, cents }) => `<Order ${order}: 3 items, ${(cents / 100).toFixed(2)} EUR>`;

function cause(fact) {
  const vars = { attempt: 2, body: { order: fact.order, cents: fact.cents, attempt: 2 }, method: { kind: fact.method, card_number: "4111 1111 1111 1111" }, order: shownOrder(fact) };
  return {
    type: "ReadTimeout", module: "requests.exceptions", value: "HTTPSConnectionPool(host='pay.example.com', port=443): Read timed out. (read timeout=5)", mechanism: { type: "chained", handled: false },
    stacktrace: {
      frames: [
        own("checkout/gateway.py", "charge", 86, GATEWAY_CALL, vars),
        library("requests/sessions.py", "post", 637), library("requests/sessions.py", "request", 589), library("requests/sessions.py", "send", 703), library("requests/adapters.py", "send", 713),
      ],
    },
  };
}

function failure(fact) {
  const vars = { TIMEOUT: 5, attempt: 2, body: { order: fact.order, cents: fact.cents, attempt: 2 }, method: { kind: fact.method, card_number: "4111 1111 1111 1111" }, order: shownOrder(fact) };
  return {
    type: "PaymentFailed", module: "checkout.errors", value: `order ${fact.order} was not charged: no answer within 5 s`, mechanism: { type: "django", handled: false },
    stacktrace: {
      frames: [
        library("django/core/handlers/exception.py", "inner", 55), library("django/core/handlers/base.py", "_get_response", 197), library("django/views/decorators/http.py", "inner", 64),
        own("checkout/views.py", "checkout", 26, VIEWS, { cart: `<Cart ${fact.cart}: 3 items>`, order: shownOrder(fact) }),
        own("checkout/orders.py", "settle", 38, ORDERS, { method: { kind: fact.method, card_number: "4111 1111 1111 1111" }, number: fact.order, order: shownOrder(fact) }),
        own("checkout/gateway.py", "charge", 88, GATEWAY, vars),
      ],
    },
  };
}

/** What happened before, by the seconds before. */
const crumbs = (fact, at) => [
  [6.41, { category: "auth", message: `customer ${fact.customer} is signed in` }],
  [6.38, { category: "query", message: `SELECT … FROM carts WHERE id = ${fact.cart}`, data: { rows: 3, duration_ms: 2 } }],
  [6.31, { category: "redis", message: "GET prices:eur", data: { hit: true } }],
  [6.12, { type: "http", category: "httplib", data: { method: "POST", url: "http://pricing:8000/quote", status_code: 200, duration_ms: 141 } }],
  [5.94, { category: "query", message: `INSERT INTO orders (number, cart, cents) VALUES (${fact.order}, ${fact.cart}, ${fact.cents})`, data: { duration_ms: 4 } }],
  [5.71, { category: "stock", message: "3 items are reserved" }],
  [5.68, { category: "gateway", level: "warning", message: "the first attempt was answered with 503: once more" }],
  [0.02, { type: "http", category: "httplib", level: "error", data: { method: "POST", url: "https://pay.example.com/charges", reason: "timed out", duration_ms: 5_004 } }],
].map(([before, crumb]) => ({ level: "info", ...crumb, timestamp: at - before }));

const request = (fact) => ({
  method: "POST", url: "https://shop.example.com/checkout", query_string: "step=pay",
  headers: { "Content-Type": "application/json", "User-Agent": "Mozilla/5.0 (Android 16; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "X-Request-Id": idOf("request", fact.order).slice(0, 16), Authorization: "Bearer what-nobody-needs-to-see" },
  cookies: { session: "what-nobody-needs-to-see" }, data: { cart: fact.cart, method: fact.method, express: true, newsletter: false },
});

/** The event number `number` of the payment, as it was so many minutes ago; 0 is the one that is looked at. */
export function payment(_, number, minutes) {
  const fact = facts(number);
  const at = Date.now() / 1000 - minutes * 60;
  const [name, version] = SERVICES.checkout.sdk;
  const [[browser, browserVersion], [brand, model]] = [fact.browser, fact.device];
  return {
    level: "error", platform: "python", timestamp: at, release: releaseAt("checkout", minutes / 60), environment: "production", transaction: "/checkout", server_name: fact.host, dist: "4107",
    sdk: { name, version }, user: { ...person(fact.customer), username: `customer-${fact.customer}` }, tags: { area: "payments", method: fact.method, region: fact.region, gateway: "pay.example.com" },
    exception: { values: [cause(fact), failure(fact)] }, breadcrumbs: { values: crumbs(fact, at) }, request: request(fact),
    contexts: {
      browser: { name: browser, version: browserVersion }, device: { brand, model }, os: { name: "Android", version: "16" }, runtime: { name: "CPython", version: "3.13.9" },
      order: { number: fact.order, cents: fact.cents, currency: "EUR", items: 3 }, ...(number === 0 ? traced("checkout") : {}),
    },
    extra: { "gateway attempts": 2, "queue ms": 12 }, modules: { Django: "5.2.8", psycopg: "3.2.12", requests: "2.32.5", "sentry-sdk": version },
  };
}

/** What comes with the one that is looked at. */
export const belongings = (id) => [
  [{ type: "attachment", filename: "gateway-request.json", content_type: "application/json" }, JSON.stringify({ order: facts(0).order, cents: facts(0).cents, attempt: 2 }, null, 2)],
  [{ type: "user_report" }, JSON.stringify({ event_id: id, name: "Fay Example", email: "fay@example.com", comments: "I pressed “Pay” and nothing happened for a while, then there was an error. Was I charged?" })],
];
