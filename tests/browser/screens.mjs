// Pictures of every page, light and dark, on a phone and on a desk, one sheet for each page: `node screens.mjs ../../docs/screens`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { enrolled, launch } from "./support/browser.mjs";
import { call, estate, question, task } from "./support/estate.mjs";

const PAGES = {
  overview: "/", approvals: "/approvals", approval: null, changes: "/changes", agents: "/agents", agent: "/agents/support", tasks: "/tasks",
  task: null, connectors: "/connectors", connector: "/connectors/desk", policies: "/policies", policy: "/policies/refunds",
  preview: "/preview?agent=support", who: "/who?ask=call&about=desk%2Frefund_order", ledger: "/ledger", record: "/records/30",
  people: "/people", person: "/people/ana", keys: "/keys", connect: "/connect", settings: "/settings", passkeys: "/passkeys", "sign-in": "/sign-in",
};
const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 860 };

const out = resolve(process.argv[2] ?? "screens");
mkdirSync(out, { recursive: true });
const [browser, remit] = await Promise.all([launch(), estate()]);
try {
  await remit.agreed("person", "groups", "ben", "support-leads", "auditors");
  const { context, page } = await enrolled(browser, remit, "ben");
  const done = await task(remit, "ticket 16: an order that never came");
  await call(remit, done.token, "show_order", { order_id: "O-5007" });
  const started = await task(remit, "ticket 17: a headset that arrived broken");
  await call(remit, started.token, "show_order", { order_id: "O-5011" });
  call(remit, started.token, "refund_order", { order_id: "O-5011", amount_cents: 5301, reason: "arrived broken" }).catch(() => {});
  PAGES.approval = `/approvals/${await question(remit, started)}`;
  PAGES.task = `/tasks/${started.task}`;
  const sheet = await context.newPage();
  for (const [name, address] of Object.entries(PAGES)) {
    if (name === "sign-in") await context.clearCookies();
    const shots = [];
    for (const [viewport, colorScheme] of [[WIDE, "light"], [PHONE, "light"], [PHONE, "dark"], [WIDE, "dark"]]) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const answer = await page.goto(address);
      if (answer.status() !== 200) throw new Error(`${address}: ${answer.status()}`);
      const shot = await page.screenshot({ type: "jpeg", quality: 80 });
      shots.push(`<img src="data:image/jpeg;base64,${shot.toString("base64")}" width="${viewport.width / 2}" height="${viewport.height / 2}">`);
    }
    await sheet.setViewportSize({ width: 1720, height: 450 });
    await sheet.goto("about:blank");
    await sheet.setContent(`<body style="margin:10px;display:flex;gap:10px;background:#888">${shots.join("")}</body>`);
    writeFileSync(join(out, `${name}.jpg`), await sheet.screenshot({ type: "jpeg", quality: 60 }));
  }
} finally {
  await Promise.all([browser.close(), remit.stop()]);
}
