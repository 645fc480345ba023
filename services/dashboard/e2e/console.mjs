// The dashboard in a real browser, on a real Bugle: `make e2e`. One walk: each test begins where the one before has left the system.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";
import { Mailbox } from "./mail.mjs";
import { provider } from "./provider.mjs";
import * as alerts from "./steps/alerts.mjs";
import * as doors from "./steps/doors.mjs";
import * as many from "./steps/many.mjs";
import * as snippets from "./steps/snippets.mjs";
import * as start from "./steps/start.mjs";
import * as oncall from "./steps/oncall.mjs";
import * as overview from "./steps/overview.mjs";
import * as pages from "./steps/pages.mjs";
import * as paging from "./steps/paging.mjs";
import * as triage from "./steps/triage.mjs";
import * as roles from "./steps/roles.mjs";
import * as settings from "./steps/settings.mjs";
import * as places from "./steps/places.mjs";
import { System } from "./system.mjs";

/** What the tests share: the system and what it talks to, the browser, who is signed in, and what they made. */
const walk = { visitors: [] };

before(async () => {
  walk.mail = await Mailbox.open();
  walk.system = await System.start(async (url) => {
    walk.provider = await provider(url);
    return { ...walk.mail.settings, ...walk.provider.settings };
  });
  walk.browser = await launch();
});

after(async () => {
  await walk.browser?.close();
  await walk.system?.stop();
  walk.provider?.close();
  await walk.mail?.close();
});

/** Far more than a step takes, also on a machine that does other things. */
const STEP_MS = 600_000;
const STEPS = [
  ["the set-up link makes the owner", start.setUp],
  ["a project, its snippet, and the first event arrives in the open page", start.firstEvent],
  ["signing out closes every page; signing in leads back", start.signOutAndIn],
  ["a second factor, and a token against forgery that another tab renewed", start.secondFactor],
  ["signing in with a provider", doors.provider],
  ["a forgotten password is reset by mail", doors.forgotten],
  ["triage by keys alone", triage.byKeys],
  ["search completes, finds, and says what it does not understand", triage.search],
  ["what is resolved comes back by itself", triage.regress],
  ["the overview tells what is worth a look, and how Bugle is", overview.worthALook],
  ["attachments are kept, feedback and grouping are shown", triage.attached],
  ["two issues are merged, and come apart again", triage.merged],
  ["a schedule, a policy, a routing rule, and how one is told", oncall.setUp],
  ["an error opens an incident, which is answered", oncall.answered],
  ["alerts of another tool are silenced, helped with and merged", alerts.dealtWith],
  ["a schedule over a change of clocks, an override, and a policy of two steps", paging.setUp],
  ["a critical error pages step 1", paging.firstStep],
  ["a destination is switched off, changed, and on again", settings.destination],
  ["a viewer sees, and cannot change", roles.viewer],
  ["another team sees nothing", roles.outsider],
  ["the connection breaks and comes back", places.connection],
  ["hostile content is text on every page", places.hostile],
  ["a release tells what it brought, and where it runs", pages.released],
  ["outcomes are counted as the API counts them", pages.outcomes],
  ["every project has its room in the storage", pages.storage],
  ["grouping rules are tried before they are saved", pages.rulesTried],
  ["other services' events of the same trace", pages.traced],
  ["a secret link shows an issue to strangers, until it is revoked", pages.shared],
  ["the API describes itself", pages.api],
  // By now its minute is over or nearly so, and Bugle was restarted meanwhile.
  ["a critical error pages step 2, which answers it from the mail", paging.secondStep],
  ["pages stay where they are while they load", overview.steady],
  ["every page passes axe, by day and by night", places.accessible],
  ["on a screen of a phone every page passes axe, and nothing scrolls sideways", places.phone],
  ["what the set-up page shows is run as it stands there", snippets.run],
];

/** Only when it is asked for: in a virtual machine Chromium now and then draws nothing more after some hundred frames. */
const ON_DEMAND = [["a list of five thousand issues is walked through, and nothing jumps", many.rows]];

async function take(step) {
  // What follows stands on what has failed; whoever mends the steps may want to see all of them all the same.
  assert.ok(walk.failed === undefined || process.env.E2E_GO_ON !== undefined, "a step before has failed");
  try {
    await step(walk);
    const trouble = walk.visitors.flatMap((visitor) => visitor.trouble.splice(0));
    assert.deepEqual(trouble, [], "errors in the browser's console");
  } catch (error) {
    walk.failed = error;
    const folder = process.env.E2E_PICTURES;
    for (const [index, { page }] of walk.visitors.entries()) {
      console.error(`visitor ${index} is at ${page.url()}`);
      if (folder !== undefined) await page.screenshot({ path: `${folder}/failed-${index}.png` }).catch(() => undefined);
    }
    throw error;
  }
}

// Whoever makes a step runs the first and theirs, if it stands on no other.
const only = process.env.E2E_ONLY;
const chosen = only === undefined ? STEPS : [...STEPS, ...ON_DEMAND].filter(([name], place) => place === 0 || new RegExp(only).test(name));
for (const [name, step] of chosen) test(name, { timeout: STEP_MS }, () => take(step));
