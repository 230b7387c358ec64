// Somebody who lost every passkey gets back in over the machine itself, on record; nobody gets in by a link beside it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { enrolled, launch, person } from "./support/browser.mjs";
import { estate } from "./support/estate.mjs";

let browser, remit;
before(async () => ([browser, remit] = await Promise.all([launch(), estate()])));
after(async () => Promise.all([browser?.close(), remit?.stop()]));

test("a passkey signs in, links do not any more, and a recovery does, on record", async () => {
  const ben = await enrolled(browser, remit, "ben");
  await ben.page.getByRole("button", { name: "Sign out" }).click();
  await ben.page.waitForURL("**/sign-in");
  await ben.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await ben.page.waitForURL(`${remit.console}/`);

  // An administrator elsewhere makes no link for him.
  await assert.rejects(remit.cli(["person", "sign-in", "ben"], "mia"), /recover/);

  const { link } = await remit.cli(["person", "recover", "ben"]);
  const again = await person(browser, remit);
  await again.page.goto(link.replace("127.0.0.1", "localhost"));
  await again.page.getByRole("button", { name: "Sign in with this link" }).click();
  await again.page.goto("/passkeys");
  await again.page.getByLabel("What you call it").fill("new phone");
  await again.page.getByRole("button", { name: "Enrol a passkey" }).click();
  await again.page.getByText("new phone").waitFor();
  // The lost one signs in nobody any more.
  await ben.page.goto("/sign-in");
  await ben.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await ben.page.getByRole("alert").waitFor();
  const offered = await remit.cli(["ledger", "query", "--kind", "SignInOffered"]);
  assert.ok(offered.items.some((item) => item.record.event.recovery === true));
});

test("who is recovered in the browser that has the old passkey enrols there again", async () => {
  const { page, context } = await enrolled(browser, remit, "cleo");
  await context.clearCookies();
  const { link } = await remit.cli(["person", "recover", "cleo"]);
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in with this link" }).click();
  await page.goto("/passkeys");
  await page.getByLabel("What you call it").fill("laptop, again");
  await page.getByRole("button", { name: "Enrol a passkey" }).click();
  await page.getByText("laptop, again").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.waitForURL(`${remit.console}/`);
});

test("an address of this machine leads to its name, where passkeys are", async () => {
  const { page } = await person(browser, remit, { passkeys: false });
  assert.equal(new URL(remit.addresses.control).hostname, "127.0.0.1");
  await page.goto(`${remit.addresses.control}/agents`);
  assert.equal(page.url(), `${remit.console}/sign-in?next=%2Fagents`);
});
