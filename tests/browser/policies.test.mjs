// A rule in the browser: written, checked, proposed by one person, agreed to by another, and obeyed by the very next call.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { enrolled, gravely, launch } from "./support/browser.mjs";
import { call, estate, task } from "./support/estate.mjs";

const WRONG = `@id("orders-stay")
forbid (principal, action == Action::"desk/show_ordr", resource);
`;
const RIGHT = `@id("orders-stay")
@reason("orders are not shown this week")
forbid (principal, action == Action::"desk/show_order", resource);
`;

let browser, remit, mia, noa, change;
before(async () => {
  [browser, remit] = await Promise.all([launch(), estate()]);
  [mia, noa] = [await enrolled(browser, remit, "mia"), await enrolled(browser, remit, "noa")];
});
after(async () => Promise.all([browser?.close(), remit?.stop()]));

test("a text that does not hold says where, and keeps what was typed", async () => {
  const { page } = mia;
  await page.goto("/policies/new");
  await page.getByLabel("Name", { exact: true }).fill("orders");
  await page.getByLabel("Text, in Cedar").fill(WRONG);
  await page.getByLabel(/^Why/).fill("stocktaking");
  await page.getByRole("button", { name: "Check" }).click();
  const checks = page.locator("#checked");
  await checks.getByText("does not hold").waitFor();
  assert.match(await checks.innerText(), /line \d/);
  assert.match(await checks.innerText(), /show_ordr/);
  assert.equal(await page.getByLabel("Text, in Cedar").inputValue(), WRONG);
  assert.equal(await page.getByLabel(/^Why/).inputValue(), "stocktaking");
});

test("what is proposed by one and agreed to by another decides the next call", async () => {
  const started = await task(remit);
  assert.notEqual((await call(remit, started.token, "show_order", { order_id: "O-5007" })).isError, true);
  const { page } = mia;
  await page.getByLabel("Text, in Cedar").fill(RIGHT);
  await page.getByRole("button", { name: "Check" }).click();
  await page.locator("#checked").getByText("holds", { exact: true }).waitFor();
  // The call just now would have been refused.
  assert.match(await page.locator("main").innerText(), /desk\/show_order/);
  await page.getByRole("button", { name: "Propose" }).click();
  await page.getByRole("button", { name: "Confirm and propose" }).click();
  await page.waitForURL("**/changes/chg_*");
  change = new URL(page.url()).pathname;
  assert.ok(await page.getByRole("button", { name: /^Approve/ }).isDisabled(), "who proposed it approves it");
  assert.notEqual((await call(remit, started.token, "show_order", { order_id: "O-5007" })).isError, true, "a proposal decides nothing");

  await noa.page.goto(change);
  const text = await noa.page.locator("main").innerText();
  for (const shown of ["orders-stay", "stocktaking", "mia"]) assert.ok(text.includes(shown), `the page does not say ${shown}`);
  await gravely(noa.page, () => noa.page.getByRole("button", { name: /^Approve/ }).click());
  await noa.page.goto("/policies/orders");
  await noa.page.getByText("orders are not shown this week").first().waitFor();
  const refused = await call(remit, started.token, "show_order", { order_id: "O-5007" });
  assert.equal(refused.isError, true);
  assert.match(refused.content[0].text, /orders are not shown this week/);
});

test("a policy has a history, and a difference between two of its texts", async () => {
  const { page } = mia;
  await page.goto("/policies/orders");
  await page.getByRole("link", { name: "History" }).click();
  assert.match(await page.locator("main").innerText(), /mia/);
  assert.match(await page.locator("main").innerText(), /noa/);
});

test("a preview says of each operation what would be said, with the line that says so", async () => {
  const { page } = mia;
  await page.goto("/preview");
  await page.getByLabel("Agent").fill("support");
  await page.getByRole("button", { name: "Look ahead" }).click();
  const row = (tool) => page.getByRole("row").filter({ hasText: tool });
  await row("refund_order").getByText("ask", { exact: true }).waitFor();
  await row("list_orders").getByText("allow", { exact: true }).waitFor();
  await row("refund_order").getByRole("link", { name: /refunds:\d+/ }).first().click();
  assert.match(page.url(), /\/policies\/refunds#L\d+$/);
  // Where it leads is there.
  assert.ok(await page.locator(new URL(page.url()).hash).isVisible());
});
