// Two people where a rule wants two, a task that a person ends, and an answer given with the keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { enrolled, gravely, launch } from "./support/browser.mjs";
import { call, estate, question, task } from "./support/estate.mjs";

let browser, remit, ben, cleo, ana;
before(async () => {
  [browser, remit] = await Promise.all([launch(), estate()]);
  [ben, cleo, ana] = [await enrolled(browser, remit, "ben"), await enrolled(browser, remit, "cleo"), await enrolled(browser, remit, "ana")];
});
after(async () => Promise.all([browser?.close(), remit?.stop()]));

const yes = (page) => page.getByRole("button", { name: /Approve exactly this/ });

test("four eyes: one yes is not enough where a rule wants two", async () => {
  const started = await task(remit);
  const called = call(remit, started.token, "send_message", { customer_id: "C-1001", subject: "hello", body: "your refund" });
  const approval = await question(remit, started);
  await ben.page.goto(`/approvals/${approval}`);
  await yes(ben.page).click();
  await ben.page.getByText("Said yes").first().waitFor();
  assert.equal((await remit.cli(["approval", "show", approval])).status, "pending");
  // The same person is not two.
  assert.ok(await yes(ben.page).isDisabled());
  await cleo.page.goto(`/approvals/${approval}`);
  await yes(cleo.page).click();
  await cleo.page.getByText("Said yes").first().waitFor();
  await called;
  assert.equal((await remit.cli(["approval", "show", approval])).status, "used");
});

test("with the keyboard alone a question is found, read and answered", async () => {
  const started = await task(remit);
  const called = call(remit, started.token, "refund_order", { order_id: "O-5011", amount_cents: 5301, reason: "broken" });
  const approval = await question(remit, started);
  const { page } = ben;
  await page.goto("/approvals");
  const press = async (until) => {
    for (let tries = 0; tries < 60; tries += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(until)) return;
    }
    assert.fail(`Tab never leads to ${until}`);
  };
  await press(`document.activeElement.getAttribute("href") === "/approvals/${approval}"`);
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/approvals/${approval}`);
  await press(`document.activeElement.matches("form[action$='/approve'] button[type=submit]")`);
  await page.keyboard.press("Enter");
  await page.getByText("Said yes").first().waitFor();
  assert.notEqual((await called).isError, true);
});

test("a person ends a task, with their passkey, and the next call is refused", async () => {
  const started = await task(remit, "ticket 18");
  const { page } = ana;
  await page.goto(`/tasks/${started.task}`);
  // What is grave asks for the passkey first; what was typed is not lost on the way.
  const asked = await gravely(page, async () => {
    await page.getByText("End this task").first().click();
    await page.getByLabel("Why").first().fill("it went wrong");
    await page.locator("form[action$='/end'] button[type=submit]").first().click();
  });
  assert.ok(asked, "nobody asked for the passkey");
  await page.waitForURL(`**/tasks/${started.task}?receipt=yes`);
  await page.getByText("it went wrong").first().waitFor();
  await page.getByRole("heading", { name: "Receipt of the end" }).waitFor();
  const refused = await call(remit, started.token, "show_order", { order_id: "O-5007" }).catch((error) => error);
  assert.match(JSON.stringify(refused.message ?? refused), /ended|401/);
});
