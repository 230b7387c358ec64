// How long until a question is on an open page, and what the pages weigh: `node measure_visible.mjs [QUESTIONS]`.
//
// The time is from the instant that the record `ApprovalRequested` carries to the first frame of the browser with the question in
// it; program, agent and browser share one machine and its clock. Nothing here fails when a machine is slow.

import { estate, call, question, task } from "./support/estate.mjs";
import { enrolled, launch } from "./support/browser.mjs";
import { scene } from "./support/scene.mjs";

const QUESTIONS = Number(process.argv[2] ?? 100);
const PER_TASK = 8;

/** In the page: notes for every question when the first frame shows it, in milliseconds of the machine's clock. */
function watch() {
  globalThis.seen = {};
  const look = () => {
    const fresh = [...document.querySelectorAll('main a[href^="/approvals/apr_"]')].map((link) => link.getAttribute("href").split("/")[2]);
    const unseen = fresh.filter((id) => !(id in globalThis.seen));
    if (unseen.length === 0) return;
    for (const id of unseen) globalThis.seen[id] = null;
    requestAnimationFrame(() => unseen.forEach((id) => (globalThis.seen[id] = performance.timeOrigin + performance.now())));
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];

function tell(what, milliseconds) {
  const sorted = [...milliseconds].sort((one, other) => one - other);
  const said = [["p50", at(sorted, 0.5)], ["p90", at(sorted, 0.9)], ["p99", at(sorted, 0.99)], ["max", sorted.at(-1)]];
  console.log(`${what.padEnd(12)} n=${sorted.length}  ${said.map(([name, value]) => `${name} ${value.toFixed(0)} ms`).join("  ")}`);
}

async function visible(remit, page, address) {
  await page.goto(address);
  await page.evaluate(watch);
  const asked = [];
  let started;
  for (let nth = 0; nth < QUESTIONS; nth += 1) {
    if (nth % PER_TASK === 0) started = await task(remit, `ticket ${nth}`);
    const called = call(remit, started.token, "refund_order", { order_id: "O-5011", amount_cents: 100 + nth, reason: "measured" });
    const approval = await question(remit, started);
    await page.waitForFunction((id) => globalThis.seen[id], approval, { timeout: 20_000, polling: 50 });
    asked.push(approval);
    await remit.cli(["approval", "deny", approval, "--note", "measured"], "cleo");
    await called;
  }
  const seen = await page.evaluate("globalThis.seen");
  const { items } = await remit.cli(["ledger", "query", "--kind", "ApprovalRequested", "--limit", "1000"]);
  const requested = new Map(items.map(({ record }) => [record.event.approval, record.at]));
  tell(address, asked.map((approval) => seen[approval] - requested.get(approval)));
}

/** What the browser is sent for each page: the document itself, and everything where nothing is kept from before. */
async function weigh(context, pages) {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  const received = new Map();
  devtools.on("Network.responseReceived", ({ requestId, type }) => received.set(requestId, { type, bytes: 0 }));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (received.has(requestId)) received.get(requestId).bytes = encodedDataLength;
  });
  for (const [name, address] of Object.entries(pages)) {
    received.clear();
    await page.goto(address, { waitUntil: "load" });
    await page.waitForTimeout(100);
    const sizes = [...received.values()];
    const sum = (of) => (of.reduce((total, { bytes }) => total + bytes, 0) / 1000).toFixed(1).padStart(6);
    console.log(`${name.padEnd(24)} page ${sum(sizes.filter(({ type }) => type === "Document"))} kB   all ${sum(sizes)} kB   ${address}`);
  }
}

const [browser, remit] = await Promise.all([launch(), estate()]);
try {
  // Who reads every record gets the longest pages.
  await remit.agreed("person", "groups", "ben", "support-leads", "auditors");
  const { context, page } = await enrolled(browser, remit, "ben");
  for (const address of ["/approvals", "/"]) await visible(remit, page, address);
  await weigh(context, await scene(remit));
} finally {
  await Promise.all([browser.close(), remit.stop()]);
}
