// A person ends an agent: everything under it is over, whatever waited ends, and the receipt says when each place knew.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { enrolled, gravely, launch } from "./support/browser.mjs";
import { call, estate, question, task } from "./support/estate.mjs";

const REFUND = { order_id: "O-5011", amount_cents: 5301, reason: "broken" };
let browser, remit, ana;
before(async () => {
  [browser, remit] = await Promise.all([launch(), estate()]);
  ana = await enrolled(browser, remit, "ana");
});
after(async () => Promise.all([browser?.close(), remit?.stop()]));

/** Presses what is behind `label`, with a reason if one is asked for. */
async function act(page, label, why) {
  return gravely(page, async () => {
    await page.locator("summary", { hasText: label }).click();
    const form = page.locator("details[open]").filter({ has: page.locator("summary", { hasText: label }) });
    if (why) await form.getByLabel("Why").fill(why);
    await form.getByRole("button", { name: label }).click();
  });
}

/** A call that a person is asked about, and the question. */
async function held(purpose) {
  const started = await task(remit, purpose);
  const called = call(remit, started.token, "refund_order", REFUND).catch((error) => error);
  return { started, called, approval: await question(remit, started) };
}

const status = async (approval) => (await remit.cli(["approval", "show", approval])).status;

test("who suspends an agent ends its tasks and its held call, and resumes it for new ones", async () => {
  const { started, called, approval } = await held("ticket 31");
  const { page } = ana;
  await page.goto("/agents/support");
  assert.ok(await act(page, "Suspend", "sends the same mail again and again"), "nobody asked for the passkey");
  await page.waitForURL("**/agents/support/receipt");
  await page.getByRole("heading", { name: "Receipt of the end" }).waitFor();
  assert.match(JSON.stringify(await called), /ended|suspended|401/);
  assert.notEqual(await status(approval), "pending");
  const refused = await call(remit, started.token, "show_order", { order_id: "O-5007" }).catch((error) => error);
  assert.match(JSON.stringify(refused.message ?? refused), /ended|401/);
  await page.goto("/agents/support");
  await act(page, "Resume");
  const again = await task(remit, "ticket 32");
  assert.notEqual((await call(remit, again.token, "show_order", { order_id: "O-5007" })).isError, true);
});

test("who ends an agent reads in the receipt what ended with it, and when that was known where", async () => {
  const { started, called, approval } = await held("ticket 33");
  const { page } = ana;
  await page.goto("/agents/support");
  await act(page, "End for good", "replaced by another");
  await page.getByRole("heading", { name: "Receipt of the end" }).waitFor();
  const receipt = await page.locator("main").innerText();
  for (const said of ["ana", "Where it took effect", "What could not be called back", "ms after the commit"]) {
    assert.ok(receipt.includes(said), `the receipt does not say ${said}:\n${receipt}`);
  }
  assert.match(JSON.stringify(await called), /ended|decommissioned|401/);
  assert.notEqual(await status(approval), "pending");
  const refused = await call(remit, started.token, "show_order", { order_id: "O-5007" }).catch((error) => error);
  assert.match(JSON.stringify(refused.message ?? refused), /ended|401/);
  // What is signed verifies, and there is nothing left to press.
  await page.goto("/agents/support");
  assert.equal(await page.locator("summary", { hasText: "Suspend" }).count(), 0);
  await assert.rejects(task(remit, "ticket 34"), /ended|decommissioned/);
});
