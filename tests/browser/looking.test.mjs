// What people look at: every page answers, has nothing that axe finds, fits on a phone, can be used with the keyboard, and has a name.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { enrolled, launch } from "./support/browser.mjs";
import { estate } from "./support/estate.mjs";
import { scene } from "./support/scene.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 360, height: 780 };
const TABS_MAX = 400;

let browser, remit, mia, pages;
before(async () => {
  [browser, remit] = await Promise.all([launch(), estate()]);
  mia = await enrolled(browser, remit, "mia");
  pages = await scene(remit);
});
after(async () => Promise.all([browser?.close(), remit?.stop()]));

/** Opens every page in turn. */
async function* opened(page) {
  for (const [name, address] of Object.entries(pages)) {
    const answer = await page.goto(address);
    assert.equal(answer.status(), 200, address);
    yield { name, address };
  }
}

for (const colorScheme of ["light", "dark"]) {
  for (const [device, viewport] of [["desk", WIDE], ["phone", PHONE]]) {
    test(`axe finds nothing on any page, ${colorScheme}, on a ${device}`, async () => {
      const { page } = mia;
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize(viewport);
      const found = [];
      for await (const { address } of opened(page)) {
        // The console's own policy lets no script in; the DevTools protocol is not bound by it.
        const { violations } = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
        for (const one of violations) found.push(`${address}: ${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`);
      }
      assert.deepEqual(found, []);
    });
  }
}

for (const javaScript of [true, false]) {
  test(`no page is wider than a phone, with${javaScript ? "" : "out"} scripts`, async () => {
    const context = await browser.newContext({
      baseURL: remit.console,
      javaScriptEnabled: javaScript,
      viewport: PHONE,
      storageState: await mia.context.storageState(),
    });
    const page = await context.newPage();
    const found = [];
    for await (const { address } of opened(page)) {
      // Playwright's own evaluation works where the page may run nothing.
      const wide = await page.evaluate(() => {
        const room = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= room) return [];
        const held = (one) => one && (getComputedStyle(one).overflowX !== "visible" || held(one.parentElement));
        const sticks = (one) => one.getBoundingClientRect().right > room + 1 && !held(one.parentElement);
        const beyond = [...document.querySelectorAll("body *")].filter(sticks);
        return beyond.slice(0, 4).map((one) => `${one.tagName.toLowerCase()}.${one.className} ${one.textContent.trim().slice(0, 30)}`);
      });
      if (wide.length > 0) found.push(`${address}: ${wide.join(" | ")}`);
    }
    await context.close();
    assert.deepEqual(found, []);
  });
}

test("the keyboard reaches everything on every page, in sight, and can skip what is on all of them", async () => {
  const { page } = mia;
  await page.setViewportSize(WIDE);
  const found = [];
  for await (const { name, address } of opened(page)) {
    await page.evaluate(watchFocus);
    // The first stop leads past the list of pages.
    if (name !== "step-up") {
      await page.keyboard.press("Tab");
      if (!(await page.getByRole("link", { name: "Skip to the page" }).evaluate(inSight))) found.push(`${address}: the way to skip is not seen`);
    }
    for (let presses = 0; presses < TABS_MAX && !(await page.evaluate("globalThis.rounded()")); presses += 1) await page.keyboard.press("Tab");
    for (const problem of await page.evaluate("globalThis.problems()")) found.push(`${address}: ${problem}`);
  }
  assert.deepEqual(found, []);
});

function inSight(element) {
  const box = element.getBoundingClientRect();
  return document.activeElement === element && box.left >= 0 && box.top >= 0 && box.width > 8 && box.right <= innerWidth;
}

/** In the page: notes where the focus goes, and what would not show that it is there. */
function watchFocus() {
  // A page may begin with its focus somewhere; the keyboard begins at the top.
  document.activeElement?.blur();
  const visited = new Set();
  const said = [];
  const name = (element) => `${element.tagName.toLowerCase()} "${(element.innerText || element.name || element.id).trim().slice(0, 40)}"`;
  let round = false;
  document.addEventListener("focusin", ({ target }) => {
    if (visited.has(target)) round = true;
    visited.add(target);
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    if (outlineStyle === "none" || Number.parseFloat(outlineWidth) < 1) said.push(`nothing shows the focus on ${name(target)}`);
  });
  const stops = () =>
    [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter(
      (one) => !one.disabled && one.type !== "hidden" && one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0,
    );
  const groups = (one) => (one.type === "radio" ? [...visited].some((seen) => seen.name === one.name) : visited.has(one));
  globalThis.rounded = () => round || stops().every(groups);
  globalThis.problems = () => [...said, ...stops().filter((one) => !groups(one)).map((one) => `Tab never reaches ${name(one)}`)];
}

test("every page says what it is, once, and no two pages the same", async () => {
  const { page } = mia;
  const [titles, headings] = [new Map(), new Map()];
  for await (const { address } of opened(page)) {
    const place = address.split("?")[0];
    const all = await page.getByRole("heading", { level: 1 }).allInnerTexts();
    assert.equal(all.length, 1, `${address} has ${all.length} headings of the first level`);
    const title = (await page.title()).replace(/^\(\d+\) /, "");
    for (const [known, said] of [[titles, title], [headings, all[0]]]) {
      assert.ok(said.trim().length > 0, address);
      assert.ok((known.get(said) ?? place) === place, `${address} and ${known.get(said)} are both "${said}"`);
      known.set(said, place);
    }
  }
});

test("no page asks anything of another site, and the whole console is small", async () => {
  // A browser that has seen nothing yet.
  const context = await browser.newContext({ baseURL: remit.console, storageState: await mia.context.storageState() });
  const page = await context.newPage();
  const [origins, sizes, sized] = [new Set(), new Map(), []];
  let closed = false;
  page.on("requestfinished", (request) => {
    origins.add(new URL(request.url()).origin);
    const { pathname } = new URL(request.url());
    // What the browser has already is not transferred again.
    const keep = ({ responseBodySize: size }) => sizes.set(pathname, Math.max(size, sizes.get(pathname) ?? 0));
    sized.push(request.sizes().then(keep, () => assert.ok(closed, `nobody knows how large ${pathname} is`)));
  });
  for await (const _ of opened(page)) await page.waitForLoadState("load");
  await Promise.all(sized);
  closed = true;
  await context.close();
  assert.deepEqual([...origins], [remit.console]);
  // What all pages share, and the largest of them: as much as a first visit transfers.
  const shared = [...sizes].filter(([path]) => path.startsWith("/assets/")).reduce((sum, [, size]) => sum + size, 0);
  const largest = Math.max(...[...sizes].filter(([path]) => !path.startsWith("/assets/")).map(([, size]) => size));
  assert.ok(shared > 0 && shared + largest < 150_000, `${shared} and ${largest} bytes were transferred`);
});
