// Another tool's alerts, what keeps them silent, and incidents that several people deal with.
import assert from "node:assert/strict";
import { until } from "../system.mjs";

const tell = async (url, alert) => {
  const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(alert) });
  assert.ok(answer.ok, `${answer.status}`);
  return (await answer.json()).incident;
};

const more = async (page, item) => {
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: item }).click();
};

/** A source, whose key is shown once with what to do with it. */
async function source(page) {
  await page.goto("/on-call?tab=sources");
  await page.getByRole("button", { name: "New alert source" }).click();
  await page.getByLabel("Name").fill("backups");
  await page.getByLabel("What it is").selectOption("generic");
  await page.getByRole("button", { name: "Make it" }).click();
  const command = await page.getByRole("group", { name: "It fires" }).innerText();
  const url = /https?:\S+/.exec(command)[0];
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Edit backups" }).click();
  await page.getByLabel("Priority of alerts that do not say").selectOption("low");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".rows li", { hasText: "low unless it says otherwise" }).waitFor();
  return url;
}

/** What is like an incident is silent from now on. */
async function silence(page, url, first) {
  await page.goto(`/incidents/${first}`);
  await more(page, "Silence this");
  assert.equal(await page.getByLabel("Value of label 1").inputValue(), "db1");
  await page.getByLabel("Why").fill("disks are changed");
  await page.getByRole("button", { name: "Make the silence" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const second = await tell(url, { title: "Backup is late", key: "late", labels: { host: "db1" } });
  await page.goto(`/incidents/${second}`);
  await page.locator(".tag.incident.silenced").waitFor();
  await page.goto("/on-call?tab=silences");
  const row = page.locator(".rows li", { hasText: "disks are changed" });
  await row.filter({ hasText: "host = db1" }).getByRole("button", { name: /^End silence/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End it" }).click();
  await row.waitFor({ state: "detached" });
  return second;
}

export async function dealtWith(walk) {
  const { system } = walk;
  const { page } = walk.owner;
  const url = await source(page);
  const first = await tell(url, { title: "Backup failed", key: "failed", labels: { host: "db1" } });
  const second = await silence(page, url, first);
  await page.goto(`/incidents/${second}`);
  await page.locator(".tag.incident.triggered").waitFor();
  await page.getByRole("button", { name: "Acknowledge", exact: true }).click();
  await page.locator(".tag.incident.acknowledged").waitFor();
  await more(page, "Ask somebody to help");
  await page.getByLabel("Whom").selectOption({ label: "Ann Example (ann@example.com)" });
  await page.getByRole("button", { name: "Page them" }).click();
  await page.getByRole("button", { name: "I help" }).click();
  await page.locator(".told", { hasText: "Ann Example helps" }).waitFor();
  await more(page, "Merge into another incident");
  await page.getByLabel("Into which").selectOption(String(first));
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await page.waitForURL(`**/incidents/${first}`);
  await page.locator(".told", { hasText: "made another incident part of it" }).getByRole("link", { name: `#${second}` }).click();
  await page.locator(".tag.incident.merged").waitFor();
  assert.equal(await tell(url, { title: "Backup is late", key: "late", labels: { host: "db1" } }), first);
  await system.api("POST", `/incidents/${first}/resolve`);
  await until("both are over", async () => (await system.api("GET", "/incidents?state=triggered")).items.every(({ id }) => id !== first && id !== second));
}
