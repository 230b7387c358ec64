// A person without scripts says no, and the agent hears why.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, person } from "./support/browser.mjs";
import { call, estate, question, task } from "./support/estate.mjs";

let browser, remit;
before(async () => ([browser, remit] = await Promise.all([launch(), estate()])));
after(async () => Promise.all([browser?.close(), remit?.stop()]));

test("without scripts a question is denied with a note that the agent receives", async () => {
  const { page } = await person(browser, remit, { passkeys: false, javaScriptEnabled: false });
  await page.goto(await remit.link("ben"));
  await page.getByRole("button", { name: "Sign in with this link" }).click();
  const started = await task(remit);
  const called = call(remit, started.token, "refund_order", { order_id: "O-5011", amount_cents: 5301, reason: "dead pixels" });
  const approval = await question(remit, started);
  await page.goto("/approvals");
  await page.getByRole("link", { name: "desk/refund_order" }).first().click();
  assert.equal(new URL(page.url()).pathname, `/approvals/${approval}`);
  await page.getByLabel("What the agent is told").fill("no photo of the damage");
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByText("no photo of the damage").first().waitFor();
  const result = await called;
  assert.equal(result.isError, true);
  assert.match(result.content[0].text, /no photo of the damage/);
});
