// Other ways in than an address and its password.
import assert from "node:assert/strict";
import { PASSWORD, signIn } from "../browser.mjs";
import { goThere, NAME, signInThere } from "../provider.mjs";
import { enter, leave } from "./start.mjs";

const roleOf = async ({ system }, email) => (await system.api("GET", "/users")).items.find((user) => user.email === email)?.role;

export async function provider(walk) {
  const ann = await enter(walk);
  await ann.page.goto("/issues?query=level%3Aerror");
  await ann.page.waitForURL(/\/signin\?next=/);
  await signInThere(ann.page, "ann@example.com");
  await ann.page.waitForURL("**/issues?query=level%3Aerror");
  await ann.page.getByRole("button", { name: "Account: Ann Example" }).waitFor();
  await leave(walk, ann);
  await newcomer(walk);
}

/** Somebody whom the provider knows, and Bugle does not yet. */
async function newcomer(walk) {
  const email = "pia@example.com";
  const pia = await enter(walk);
  const { page } = pia;
  await page.goto("/signin");
  await goThere(page);
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByText("The sign-in was refused or broken off.").waitFor();
  await signInThere(page, email);
  await page.getByText("Nobody with this address has an account here.").waitFor();
  assert.equal((await page.request.get("/api/v1/issues")).status(), 401);
  assert.equal(await roleOf(walk, email), undefined);
  await walk.system.api("POST", "/invitations", { email, role: "admin" });
  // The provider knows her by now, and asks nothing.
  await goThere(page);
  await page.getByRole("button", { name: `Account: pia of ${NAME}` }).waitFor();
  assert.equal(await roleOf(walk, email), "admin");
  assert.equal((await walk.system.api("GET", "/invitations")).items.some((open) => open.email === email), false);
  await leave(walk, pia);
}

export async function forgotten(walk) {
  const other = "a longer walk along the sea";
  const { page: old } = walk.owner;
  await old.goto("/issues");
  await old.locator(".issuerow").first().waitFor();
  const entered = await enter(walk);
  const { page } = entered;
  await page.goto("/signin");
  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await page.getByLabel("Email").fill("ann@example.com");
  await page.getByRole("button", { name: "Send the link" }).click();
  await page.getByText("is on its way to it").waitFor();
  const link = await walk.mail.link("ann@example.com");
  const set = async () => {
    await page.goto(link);
    await page.getByLabel("New password").fill(other);
    await page.getByRole("button", { name: "Set the password" }).click();
  };
  await set();
  await page.getByRole("heading", { name: "Your password is set" }).waitFor();
  // Whoever had the old one is out.
  await old.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal((await old.request.get("/api/v1/issues")).status(), 401);
  await set();
  await page.getByText("This link was used").waitFor();
  await leave(walk, entered);
  await signIn(old, "ann@example.com");
  await old.getByText("do not belong together").waitFor();
  await signIn(old, "ann@example.com", other);
  await old.locator(".issuerow").first().waitFor();
  await restore(old, other);
}

/** The password that the other steps know. */
async function restore(page, current) {
  await page.goto("/account");
  await page.getByLabel("Current password").fill(current);
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByRole("button", { name: "Change it" }).click();
  await page.getByText("Your password is changed").waitFor();
}
