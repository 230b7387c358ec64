// A person says yes with a passkey: the held call runs, exactly that and once, and the answer verifies offline.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { enrolled, launch } from "./support/browser.mjs";
import { call, estate, question, task } from "./support/estate.mjs";

const REFUND = { order_id: "O-5011", amount_cents: 5301, reason: "<b>dead</b> pixels" };

let browser, remit, ben;
before(async () => {
  [browser, remit] = await Promise.all([launch(), estate()]);
  ben = await enrolled(browser, remit, "ben");
});
after(async () => Promise.all([browser?.close(), remit?.stop()]));

async function approve({ page }, approval, note) {
  await page.goto(`/approvals/${approval}`);
  if (note) await page.getByLabel("Note (optional)").fill(note);
  await page.getByRole("button", { name: /Approve exactly this/ }).click();
  await page.getByText("Said yes").first().waitFor();
}

test("a passkey's yes lets the held call run, once and as it was shown", async () => {
  const started = await task(remit);
  const called = call(remit, started.token, "refund_order", REFUND);
  const approval = await question(remit, started);
  const { page } = ben;
  await page.goto(`/approvals/${approval}`);
  const text = await page.locator("main").innerText();
  for (const shown of ["support", "ana", "carla", "ticket 17", "desk/refund_order", "O-5011", "5301", "refunds-ask"]) {
    assert.ok(text.includes(shown), `the page does not say ${shown}`);
  }
  // What an agent writes stays text.
  assert.equal(await page.locator("main b", { hasText: "dead" }).count(), 0);
  await approve(ben, approval, "photo seen");
  assert.notEqual((await called).isError, true);

  // The same again, and something else, are other questions.
  for (const [tried, code] of [[REFUND, "approval_used"], [{ ...REFUND, amount_cents: 5302 }, "approval_other_arguments"]]) {
    const said = await remit.cli(["ledger", "query", "--task", started.task, "--kind", "ActionDenied"]);
    const again = call(remit, started.token, "refund_order", tried);
    const asked = await question(remit, started);
    assert.notEqual(asked, approval, code);
    await remit.cli(["approval", "deny", asked, "--note", "no"], "cleo");
    assert.equal((await again).isError, true);
    assert.ok(said.items.length >= 0);
  }
  assert.deepEqual(ben.errors, []);
});

test("an exported answer verifies offline, and no byte of it can be another", async () => {
  const pack = join(remit.directory, "pack.remit.json");
  await remit.agreed("person", "groups", "root", "administrators", "content-readers");
  const exported = ["evidence", "export", "--agent", "support", "--contents", "--reason", "to be verified", "--output", pack];
  await remit.cli(exported);
  const verified = await remit.cli(["verify", pack]);
  assert.ok(JSON.stringify(verified).includes("signed"), JSON.stringify(verified));
  const text = readFileSync(pack, "utf8");
  const at = text.indexOf("5301");
  assert.ok(at > 0);
  writeFileSync(pack, `${text.slice(0, at)}5302${text.slice(at + 4)}`);
  await assert.rejects(remit.cli(["verify", pack]));
});
