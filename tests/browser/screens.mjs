// Pictures of every page, light and dark, on a phone and on a desk, one sheet for each page: `node screens.mjs ../../docs/screens`.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { enrolled, launch } from "./support/browser.mjs";
import { estate } from "./support/estate.mjs";
import { Remit } from "./support/remit.mjs";
import { scene } from "./support/scene.mjs";

const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 860 };
const SHOTS = [[WIDE, "light"], [PHONE, "light"], [PHONE, "dark"], [WIDE, "dark"]];

const out = resolve(process.argv[2] ?? "screens");
mkdirSync(out, { recursive: true });

/** The four pictures of one page, side by side. */
async function sheet(page, sheets, name, address) {
  const shots = [];
  for (const [viewport, colorScheme] of SHOTS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const answer = await page.goto(address);
    if (answer.status() !== 200) throw new Error(`${address}: ${answer.status()}`);
    const shot = await page.screenshot({ type: "jpeg", quality: 80 });
    shots.push(`<img src="data:image/jpeg;base64,${shot.toString("base64")}" width="${viewport.width / 2}" height="${viewport.height / 2}">`);
  }
  await sheets.setViewportSize({ width: 1720, height: 450 });
  await sheets.setContent(`<body style="margin:10px;display:flex;gap:10px;background:#888">${shots.join("")}</body>`);
  writeFileSync(join(out, `${name}.jpg`), await sheets.screenshot({ type: "jpeg", quality: 60 }));
}

const browser = await launch();
const [empty, remit] = [await new Remit().start(), await estate()];
try {
  for (const file of readdirSync(out)) if (file.endsWith(".jpg")) rmSync(join(out, file));
  const sheets = await (await browser.newContext()).newPage();
  const first = await enrolled(browser, empty, "root");
  await sheet(first.page, sheets, "first-run", "/");

  // Somebody for whom every page has something.
  const { change } = await remit.cli(["person", "groups", "mia", "administrators", "support-leads", "auditors"]);
  await remit.cli(["change", "approve", change], "noa");
  const { context, page } = await enrolled(browser, remit, "mia");
  const pages = await scene(remit);
  for (const [name, address] of Object.entries(pages)) await sheet(page, sheets, name, address);
  await context.clearCookies();
  await sheet(page, sheets, "sign-in", "/sign-in");
} finally {
  await Promise.all([browser.close(), empty.stop(), remit.stop()]);
}
