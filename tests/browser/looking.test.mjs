// What people look at: every page answers, has nothing that axe finds, and says what is asked of it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { enrolled, launch } from "./support/browser.mjs";
import { call, estate, question, task } from "./support/estate.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = [
  "/", "/approvals", "/changes", "/agents", "/agents/support", "/tasks", "/connectors", "/connectors/desk", "/policies",
  "/policies/refunds", "/preview?agent=support", "/who?ask=call&about=desk%2Frefund_order", "/ledger", "/ledger?agent=support",
  "/records/3", "/people", "/people/ben", "/keys", "/connect", "/settings", "/passkeys",
];

let browser, remit, mia, asked;
before(async () => {
  [browser, remit] = await Promise.all([launch(), estate()]);
  mia = await enrolled(browser, remit, "mia");
  const started = await task(remit);
  call(remit, started.token, "refund_order", { order_id: "O-5011", amount_cents: 5301, reason: "broken" }).catch(() => {});
  asked = await question(remit, started);
});
after(async () => Promise.all([browser?.close(), remit?.stop()]));

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing on any page, ${colorScheme}`, async () => {
    const { page } = mia;
    await page.emulateMedia({ colorScheme });
    const found = [];
    for (const address of [...PAGES, `/approvals/${asked}`]) {
      const answer = await page.goto(address);
      assert.equal(answer.status(), 200, address);
      // The console's own policy lets no script in; the DevTools protocol is not bound by it.
      const { violations } = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
      for (const one of violations) found.push(`${address}: ${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`);
    }
    assert.deepEqual(found, []);
  });
}

test("no page asks anything of another site, and the whole console is small", async () => {
  const { context } = mia;
  const page = await context.newPage();
  const [origins, sizes, sized] = [new Set(), new Map(), []];
  page.on("requestfinished", (request) => {
    origins.add(new URL(request.url()).origin);
    sized.push(request.sizes().then(({ responseBodySize }) => sizes.set(new URL(request.url()).pathname, responseBodySize)));
  });
  await page.goto("/");
  await page.waitForLoadState("load");
  await Promise.all(sized);
  assert.deepEqual([...origins], [remit.console]);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  assert.ok(total < 150_000, `${total} bytes were transferred`);
});

test("a preview says of each operation what would be said, with the line that says so", async () => {
  const { page } = mia;
  await page.goto("/preview");
  await page.getByLabel("Agent").fill("support");
  await page.getByRole("button", { name: "Look ahead" }).click();
  const row = (operation) => page.getByRole("row").filter({ hasText: operation });
  await assert.doesNotReject(row("desk/refund_order").getByText("ask", { exact: true }).waitFor());
  await assert.doesNotReject(row("desk/show_order").getByText("allow", { exact: true }).waitFor());
  const line = row("desk/refund_order").getByRole("link", { name: /refunds:\d+/ }).first();
  await line.click();
  assert.match(page.url(), /\/policies\/refunds#line-\d+$/);
});
