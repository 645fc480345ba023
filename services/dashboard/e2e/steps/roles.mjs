// What others see.
import assert from "node:assert/strict";
import { PASSWORD } from "../browser.mjs";
import { enter, leave } from "./start.mjs";

/** Somebody new, through the link that an invitation's mail has. */
async function join(walk, email, name, invitation) {
  await walk.system.api("POST", "/invitations", { email, ...invitation });
  const entered = await enter(walk);
  const { page } = entered;
  await page.goto(await walk.mail.link(email));
  await page.getByText(email).waitFor();
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel(/password/i).first().fill(PASSWORD);
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("button", { name: `Account: ${name}` }).waitFor();
  return entered;
}

const teamOf = async ({ system }, name) => (await system.api("GET", "/teams")).items.find((team) => team.name === name)?.id;

export async function viewer(walk) {
  const { system } = walk;
  const shop = await teamOf(walk, "Shop");
  const entered = await join(walk, "vic@example.com", "Vic Viewer", { team: shop, team_role: "viewer" });
  const { page } = entered;
  await page.goto("/issues");
  await page.locator(".issuerow").first().waitFor();
  const before = await system.api("GET", "/issues?limit=100");
  for (const key of ["j", "e", "i", "a"]) await page.keyboard.press(key);
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.locator(".issuerow.current .rowtitle").click();
  await page.locator(".frames, .message").first().waitFor();
  await page.keyboard.press("e");
  assert.equal(await page.locator(".headactions").count(), 0);
  await page.getByRole("tab", { name: "Activity" }).click();
  await page.locator(".activity").waitFor();
  assert.equal(await page.getByLabel("Comment").count(), 0);
  // Keys are heard before the tab: what they would have sent would have been answered by now.
  const status = (list) => list.items.map((issue) => [issue.id, issue.status, issue.assigned_to]).sort();
  assert.deepEqual(status(await system.api("GET", "/issues?limit=100")), status(before));
  await page.goto(`/projects/${walk.project}?tab=filters`);
  await page.getByText("Only managers of the team can change this.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Save", exact: true }).count(), 0);
  await page.goto(`/incidents/${walk.incident}`);
  await page.locator(".told").first().waitFor();
  assert.equal(await page.locator(".headactions, .commentform").count(), 0);
  await page.goto(`/on-call/schedules/${walk.schedule}`);
  await page.locator(".calday").first().waitFor();
  assert.equal(await page.getByRole("button", { name: /^(Override on|New override|Remove)/ }).count(), 0);
  await page.goto("/on-call?tab=rules");
  await page.locator(".rows li").first().waitFor();
  assert.equal(await page.getByRole("button", { name: /rule/ }).count(), 0);
  await page.goto("/admin?tab=audit");
  await page.locator(".empty").waitFor();
  assert.equal(await page.getByRole("tab", { name: "Dead letters" }).count(), 0);
  await leave(walk, entered);
}

export async function outsider(walk) {
  const { system } = walk;
  const blue = (await system.api("POST", "/teams", { name: "Blue" })).id;
  const entered = await join(walk, "oscar@example.com", "Oscar Outside", { team: blue, team_role: "manager" });
  const { page } = entered;
  await page.goto("/issues?status=all");
  await page.locator(".empty").waitFor();
  assert.equal(await page.locator(".issuerow").count(), 0);
  for (const where of ["/issues/CHECKOUT-1", "/issues/1", `/projects/${walk.project}`, "/issues/CHECKOUT-1/events/00000000000000000000000000000abc", `/incidents/${walk.incident}`, `/on-call/schedules/${walk.schedule}`, `/on-call/policies/${walk.policy}/edit`]) {
    await page.goto(where);
    await page.getByRole("heading", { name: "There is no such thing here" }).waitFor();
  }
  await page.goto("/projects");
  await page.locator(".empty").waitFor();
  await page.goto("/admin?tab=storage");
  await page.locator(".empty").waitFor();
  for (const path of ["/attachments/1", "/events/00000000000000000000000000000abc/attachments", "/events/00000000000000000000000000000abc/feedback"]) assert.equal((await page.request.get(`/api/v1${path}`)).status(), 404, path);
  await leave(walk, entered);
}
