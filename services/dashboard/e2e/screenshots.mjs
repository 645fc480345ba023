// Looks at every page as a reader would, light and dark, desktop and phone; checks it with axe; keeps pictures in docs/screenshots/.
//   make e2e ARGS=screenshots        or ARGS="screenshots issue issues" for some, with VIEW=phone-dark for one of the four views
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findings, launch, overflow, PHONE, signIn, watch } from "./browser.mjs";
import { Mailbox } from "./mail.mjs";
import { doors, open, pages } from "./pages.mjs";
import { OWNER, seed } from "./seed.mjs";
import { System } from "./system.mjs";

const out = process.env.OUT ?? fileURLToPath(new URL("../../../docs/screenshots/", import.meta.url));
const MAX_BYTES = 150 * 1024;
const WIDE = { width: 1280, height: 780 };
const VIEWS = [
  { name: "desktop-light", viewport: WIDE, colorScheme: "light" },
  { name: "desktop-dark", viewport: WIDE, colorScheme: "dark" },
  { name: "phone-light", ...PHONE, colorScheme: "light" },
  { name: "phone-dark", ...PHONE },
].filter(({ name }) => process.env.VIEW === undefined || name === process.env.VIEW);
const wanted = process.argv.slice(2);
const trouble = [];
mkdirSync(out, { recursive: true });

async function look(page, view, spec) {
  const say = (what) => trouble.push(`${spec.name} (${view.name}): ${what}`);
  watch(page, say);
  try {
    await open(page, spec);
    await page.waitForLoadState("networkidle", { timeout: 8_000 }).catch(() => undefined);
    const wide = await overflow(page);
    if (wide > 0) say(`wider than the window by ${wide}`);
    const file = `${out}${spec.name}-${view.name}.png`;
    await page.screenshot({ path: file });
    // A third of the size, and no difference to the eye.
    spawnSync("pngquant", ["--force", "--strip", "--skip-if-larger", "--quality=70-95", "--output", file, file]);
    if (statSync(file).size > MAX_BYTES) say(`${file} has ${statSync(file).size} bytes`);
    for (const finding of await findings(page)) say(`axe ${finding}`);
  } catch (error) {
    say(String(error).split("\n")[0]);
  }
  page.removeAllListeners();
}

const mail = await Mailbox.open();
const system = await System.start(() => mail.settings);
const browser = await launch();
try {
  const seeded = await seed({ system, mail });
  const inside = pages(seeded);
  await system.api("POST", "/invitations", { email: "fay@example.com", role: "member", team: 1, team_role: "member" });
  const { url: shared } = await system.api("POST", `/issues/${seeded.issue}/share`);
  const outside = doors({ setup: "/setup?token=example", invitation: await mail.link("fay@example.com"), answer: seeded.answer, share: new URL(shared).pathname });
  const chosen = (spec) => wanted.length === 0 || wanted.includes(spec.name);
  for (const view of VIEWS) {
    const context = await browser.newContext({ baseURL: system.url, ...view });
    const page = await context.newPage();
    for (const spec of outside.filter(chosen)) await look(page, view, spec);
    await page.goto("/signin");
    await signIn(page, OWNER.email, OWNER.password);
    await page.getByRole("button", { name: /Account: |Menu/ }).first().waitFor();
    for (const spec of inside.filter(chosen)) await look(page, view, spec);
    await context.close();
  }
} finally {
  await browser.close();
  await system.stop();
  await mail.close();
}
console.log(trouble.length === 0 ? "no findings" : trouble.join("\n"));
process.exitCode = trouble.length === 0 ? 0 : 1;
