// What somebody would try who wants an answer that no person gave. Each is refused.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { enrolled, launch, person } from "./support/browser.mjs";
import { call, estate, question, task } from "./support/estate.mjs";

let browser, remit, ben, evil;
before(async () => {
  [browser, remit] = await Promise.all([launch(), estate()]);
  ben = await enrolled(browser, remit, "ben");
  evil = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(evil.page);
  });
  await new Promise((listening) => evil.listen(0, "127.0.0.1", listening));
  evil.address_ = `http://127.0.0.1:${evil.address().port}/`;
});
after(async () => {
  evil?.close();
  await Promise.all([browser?.close(), remit?.stop()]);
});

async function waiting(arguments_ = { order_id: "O-5011", amount_cents: 5301, reason: "broken" }) {
  const started = await task(remit);
  const called = call(remit, started.token, "refund_order", arguments_);
  called.catch(() => {});
  return { approval: await question(remit, started), called, started };
}

const status = async (approval) => (await remit.cli(["approval", "show", approval])).status;

test("a form on another site answers nothing (CSRF)", async () => {
  const { approval } = await waiting();
  const address = `${remit.console}/approvals/${approval}/approve`;
  evil.page = `<form method=post action="${address}"><input name=digest value=x></form><script>document.forms[0].submit()</script>`;
  const page = await ben.context.newPage();
  await page.goto(evil.address_);
  await page.waitForLoadState("networkidle");
  assert.equal(await status(approval), "pending");
});

test("no other site frames a page (clickjacking)", async () => {
  const { approval } = await waiting();
  evil.page = `<iframe src="${remit.console}/approvals/${approval}"></iframe>`;
  const page = await ben.context.newPage();
  await page.goto(evil.address_);
  await page.waitForLoadState("networkidle");
  const framed = page.frames().find((frame) => frame !== page.mainFrame());
  assert.ok(!framed || !(await framed.content()).includes("Approve exactly this"));
});

test("what an agent writes never runs (stored script)", async () => {
  const reason = `</pre><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`;
  const { approval } = await waiting({ order_id: "O-5011", amount_cents: 5301, reason });
  for (const address of [`/approvals/${approval}`, "/approvals", "/", "/ledger?agent=support"]) {
    await ben.page.goto(address);
    assert.notEqual(await ben.page.title(), "owned", address);
  }
});

test("a session that somebody else chose is never anybody's (fixation)", async () => {
  const { context, page } = await person(browser, remit);
  await context.addCookies([{ name: "remit_session", value: "ses_planted", url: remit.console }]);
  await page.goto(await remit.link("cleo"));
  await page.getByRole("button", { name: "Sign in with this link" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  const cookies = await context.cookies();
  const session = cookies.filter((cookie) => cookie.name === "remit_session");
  assert.equal(session.length, 1);
  assert.notEqual(session[0].value, "ses_planted");
  assert.ok(session[0].httpOnly && session[0].sameSite === "Strict");
});

test("signing in leads to no other site (open redirect)", async () => {
  for (const next of ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]) {
    const { page } = await person(browser, remit);
    await page.goto(`${await remit.link("cleo")}&next=${encodeURIComponent(next)}`);
    await page.getByRole("button", { name: "Sign in with this link" }).click();
    await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
    assert.equal(new URL(page.url()).origin, remit.console, next);
  }
});

test("an answer that was sent once is not good a second time (replay)", async () => {
  const { approval, called } = await waiting();
  const { page } = ben;
  let sent;
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/approve")) sent = request.postData();
  });
  await page.goto(`/approvals/${approval}`);
  await page.getByRole("button", { name: /Approve exactly this/ }).click();
  await page.getByText("Said yes").first().waitFor();
  assert.notEqual((await called).isError, true);
  const other = await waiting();
  const headers = { "content-type": "application/x-www-form-urlencoded", origin: remit.console };
  for (const target of [approval, other.approval]) {
    const answer = await page.request.post(`/approvals/${target}/approve`, { data: sent, headers, maxRedirects: 0 });
    assert.ok(answer.status() >= 400, `${target}: ${answer.status()}`);
  }
  assert.equal(await status(other.approval), "pending");
});

test("what is signed is what was shown, and nothing that was put in its place", async () => {
  const [one, other] = [await waiting(), await waiting({ order_id: "O-5011", amount_cents: 999_999, reason: "broken" })];
  const { page } = ben;
  await page.goto(`/approvals/${one.approval}`);
  // Somebody swaps where the answer goes between showing and signing.
  await page.evaluate(([from, to]) => {
    const form = document.querySelector(`form[action="/approvals/${from}/approve"]`);
    form.action = `/approvals/${to}/approve`;
  }, [one.approval, other.approval]);
  await page.getByRole("button", { name: /Approve exactly this/ }).click();
  await page.waitForLoadState("networkidle");
  assert.equal(await status(other.approval), "pending");
  assert.equal(await status(one.approval), "pending");
});
