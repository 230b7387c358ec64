// An empty directory, in the browser: the link that `remit up` prints, the first passkey, and on to the overview.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, person } from "./support/browser.mjs";
import { Remit } from "./support/remit.mjs";

let browser, remit;
before(async () => ([browser, remit] = await Promise.all([launch(), new Remit().start()])));
after(async () => Promise.all([browser?.close(), remit?.stop()]));

test("the first link leads over the first passkey to a console that says what is next", async () => {
  const link = /sign in\s+(\S+)/.exec(remit.said())[1];
  assert.equal(new URL(link).hostname, "localhost", "a passkey needs a name");
  const { page, errors } = await person(browser, remit);
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in with this link" }).click();
  await page.waitForURL("**/passkeys");
  await page.getByLabel("What you call it").fill("laptop");
  await page.getByRole("button", { name: "Enrol a passkey" }).click();
  await page.getByRole("heading", { name: "Enrolled" }).waitFor();
  for (const [name, path] of [["Overview", "/"], ["Agents", "/agents"], ["Connect", "/connect"], ["Policies", "/policies"]]) {
    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name, exact: true }).click();
    await page.waitForURL(`${remit.console}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
  }
  assert.deepEqual(errors, []);
});
