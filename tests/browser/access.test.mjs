// An agent that lacks something asks for it in band; a person looks at who wants what, for which task, and says yes or no.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { enrolled, gravely, launch } from "./support/browser.mjs";
import { call, estate, task } from "./support/estate.mjs";

const ASK = { operations: ["desk/close_account"], reason: "the customer asked in writing to leave" };
let browser, remit, ben;
before(async () => {
  [browser, remit] = await Promise.all([launch(), estate()]);
  // Known to everybody, and granted to nobody.
  const classes = ["--risk", "1", "--data-class", "D1", "--external", "false"];
  await remit.agreed("connector", "approve-tools", "desk", "--tool", "close_account", ...classes);
  ben = await enrolled(browser, remit, "ben");
});
after(async () => Promise.all([browser?.close(), remit?.stop()]));

const joined = (started, tool, arguments_) => call(remit, started.token, tool, arguments_, "/mcp");
const close = (started) => joined(started, "desk__close_account", { customer_id: "C-1002" });
const text = (result) => result.content.map((part) => part.text).join("\n");

/** Asks in band, and gives the address of the page that this leads somebody to. */
async function asked(started) {
  const refused = await close(started);
  assert.equal(refused.isError, true);
  assert.match(text(refused), /remit__request_access/);
  const said = await joined(started, "remit__request_access", ASK);
  assert.notEqual(said.isError, true, text(said));
  const [id] = /grt_\w+/.exec(JSON.stringify(said));
  return `/grants/${id}`;
}

test("what a task asked for works after a person gave it, in that task alone, and until it ends", async () => {
  const [started, other] = [await task(remit, "ticket 21: wants to leave"), await task(remit, "ticket 22")];
  const address = await asked(started);
  const { page } = ben;
  await page.goto("/");
  await page.locator(`main a[href="${address}"]`).first().waitFor();
  await page.goto("/grants");
  await page.locator(`main a[href="${address}"]`).first().click();
  const shown = await page.locator("main").innerText();
  for (const said of ["support", "ticket 21: wants to leave", "carla", "desk/close_account", ASK.reason]) {
    assert.ok(shown.includes(said), `the page does not say ${said}`);
  }
  await gravely(page, () => page.getByRole("button", { name: /^Approve/ }).click());
  assert.notEqual((await close(started)).isError, true);
  assert.equal((await close(other)).isError, true, "another task has it too");
  await remit.cli(["task", "end", started.task, "--note", "done"]);
  const { items } = await remit.cli(["grant", "list"]);
  assert.ok(!items.some((grant) => address.endsWith(grant.id)), "it outlives its task");
});

test("a no reaches the agent with its note", async () => {
  const started = await task(remit, "ticket 23");
  const { page } = ben;
  await page.goto(await asked(started));
  await page.getByLabel("Note to the agent (optional)").fill("only with a photograph");
  await page.getByRole("button", { name: "Deny" }).click();
  await page.waitForURL("**/grants");
  const said = await joined(started, "remit__request_access", ASK);
  assert.match(text(said), /only with a photograph/);
});
