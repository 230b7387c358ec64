// Debian's Chromium, and people in it who each have a browser and an authenticator of their own.

import { existsSync } from "node:fs";

import { chromium } from "playwright-core";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const WAIT_MS_MAX = 15_000;

export async function launch() {
  const executablePath = process.env.CHROMIUM ?? BROWSERS.find((path) => existsSync(path));
  if (!executablePath) throw new Error("there is no Chromium; install it (Debian: `chromium`) or set CHROMIUM");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A person's own browser window. With `passkeys` it has an authenticator that verifies who is there. */
export async function person(browser, remit, { passkeys = true, javaScriptEnabled = true, ...options } = {}) {
  const context = await browser.newContext({ baseURL: remit.console, javaScriptEnabled, ...options });
  context.setDefaultTimeout(WAIT_MS_MAX);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  if (passkeys) await authenticator(page);
  return { context, page, errors };
}

/** Gives the page a platform authenticator (WebDriver BiDi has none yet; the DevTools protocol has). */
export async function authenticator(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { devtools, authenticatorId };
}

/** Signs somebody in by a one-time link and enrols their first passkey. */
export async function enrolled(browser, remit, name, options) {
  const known = await person(browser, remit, options);
  const { page } = known;
  await page.goto(await remit.link(name));
  await page.getByRole("button", { name: "Sign in with this link" }).click();
  await enrolPasskey(page);
  return known;
}

/** On the page to which a first link leads: a passkey, and what is shown when it is there. */
export async function enrolPasskey(page) {
  await page.waitForURL("**/passkeys");
  await page.getByLabel("What you call it").fill("laptop");
  await page.getByRole("button", { name: "Enrol a passkey" }).click();
  await page.getByRole("heading", { name: "Enrolled" }).waitFor();
}

/** Does what is grave: `press` sends the form; where the passkey is asked for, it is shown, and what was typed is sent on. */
export async function gravely(page, press) {
  const loaded = (act) => Promise.all([page.waitForEvent("load"), act()]);
  await loaded(press);
  if (new URL(page.url()).pathname !== "/step-up") return false;
  await loaded(() => page.getByRole("button", { name: "Confirm" }).click());
  await loaded(() => page.getByRole("button", { name: /^Continue/ }).click());
  return true;
}
