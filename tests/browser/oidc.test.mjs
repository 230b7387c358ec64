// Somebody signs in at the organisation's identity provider, which is another site: the browser holds back what it should, and no
// more. The provider is npm's `oidc-provider`, which `tests/clients` has.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch, person } from "./support/browser.mjs";
import { Remit } from "./support/remit.mjs";

let browser, remit, provider, issuer;

/** A port that was free a moment ago: the console and the provider each have to know the other's address. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

async function realm() {
  const port = await freePort();
  const program = fileURLToPath(new URL("../clients/oidc_provider.mjs", import.meta.url));
  const callback = `http://localhost:${port}/sign-in/oidc/callback`;
  provider = spawn(process.execPath, [program, callback], { stdio: ["ignore", "pipe", "ignore"] });
  issuer = String((await once(provider.stdout, "data"))[0]).trim();
  remit = new Remit({ more: `[sign_in.oidc]\nname = "Acme"\nissuer = "${issuer}"\nclient_id = "public"\n` });
  const text = readFileSync(remit.config, "utf8");
  writeFileSync(remit.config, text.replace('[control]\nlisten = "127.0.0.1:0"', `[control]\nlisten = "127.0.0.1:${port}"`));
  await remit.start();
  await remit.cli(["person", "add", "anna"]);
  await remit.cli(["person", "link", "anna", "--issuer", issuer, "--subject", "anna"]);
}

before(async () => ([browser] = await Promise.all([launch(), realm()])));
after(async () => {
  await Promise.all([browser?.close(), remit?.stop()]);
  provider?.kill();
});

/** From here on the provider takes every browser for that of `account`. */
const known = async (account) => assert.equal(await (await fetch(`${issuer}/as/${account}`)).text(), account);

for (const javaScriptEnabled of [true, false]) {
  test(`from a page to the provider and back to that page, with${javaScriptEnabled ? "" : "out"} scripts`, async () => {
    await known("anna");
    const { context, page } = await person(browser, remit, { passkeys: false, javaScriptEnabled });
    await page.goto("/agents");
    await page.getByRole("link", { name: "Sign in with Acme" }).click();
    await page.waitForURL(`${remit.console}/agents`);
    await page.getByRole("heading", { name: "Agents", exact: true }).waitFor();
    const cookies = await context.cookies(remit.console);
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite })),
      [{ name: "remit_session", httpOnly: true, sameSite: "Strict" }],
    );
  });
}

test("who is linked to nobody reads what to ask for, and is not signed in", async () => {
  await known("bert");
  const { page } = await person(browser, remit, { passkeys: false });
  await page.goto("/sign-in");
  await page.getByRole("link", { name: "Sign in with Acme" }).click();
  await page.getByRole("alert").getByText("remit person link NAME").waitFor();
  await page.goto("/agents");
  await page.waitForURL("**/sign-in?next=*");
});

test("a link on another site begins no sign-in", async () => {
  await known("anna");
  const { page } = await person(browser, remit, { passkeys: false });
  await page.route("http://evil.example/", (route) =>
    route.fulfill({ contentType: "text/html", body: `<a href="${remit.console}/sign-in/oidc?next=/agents">a prize</a>` }),
  );
  await page.goto("http://evil.example/");
  await page.getByRole("link", { name: "a prize" }).click();
  await page.waitForURL(`${remit.console}/sign-in?next=%2Fagents`);
});
