// What managers set: where a project's messages go; and what admins read about it.
import assert from "node:assert/strict";
import { until } from "../system.mjs";

export async function destination(walk) {
  const { system, project } = walk;
  const { page } = walk.owner;
  const all = async () => (await system.api("GET", `/projects/${project}/destinations`)).items.filter(({ channel }) => channel === "email");
  await page.goto(`/projects/${project}?tab=destinations`);
  await page.getByRole("button", { name: "New destination" }).click();
  await page.getByLabel("Address").fill("night@example.com");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const { id } = await until("it is there", async () => (await all()).find(({ target }) => target === "night@example.com"));
  const kept = async () => (await all()).find((one) => one.id === id);
  await page.getByRole("button", { name: `Switch off: email destination ${id}` }).click();
  await page.getByRole("button", { name: `Switch on: email destination ${id}` }).waitFor();
  assert.equal((await kept()).enabled, false);
  await page.getByRole("button", { name: `Change email destination ${id}` }).click();
  await page.getByLabel("Address").fill("nobody");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("expected one mail address such as").waitFor();
  await page.getByLabel("Address").fill("day@example.com");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("day@example.com").waitFor();
  await page.getByRole("button", { name: `Switch on: email destination ${id}` }).click();
  await until("it is on again", async () => { const now = await kept(); return now.enabled && now.target === "day@example.com"; });
  // The log has it, and is narrowed by its filters.
  await page.goto("/admin?tab=audit&action=destination");
  await page.locator("td", { hasText: "destination.updated" }).first().waitFor();
  assert.equal(await page.locator("td", { hasText: "project.created" }).count(), 0);
  await system.api("DELETE", `/projects/${project}/destinations/${id}`);
}
