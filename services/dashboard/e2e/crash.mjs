// An app with Sentry's own SDK in it that dies of an error which nobody catches: `SENTRY_DSN=… node crash.mjs`.
import * as Sentry from "@sentry/node";

Sentry.init({ environment: "production", release: "checkout@1.5.0" });

class LedgerCorrupt extends Error {
  name = "LedgerCorrupt";
}

function settle(order) {
  throw new LedgerCorrupt(`the postings of order ${order} do not add up`);
}

// As in an app that has started: what is thrown while modules are loaded takes another way.
setImmediate(settle, 81_723);
