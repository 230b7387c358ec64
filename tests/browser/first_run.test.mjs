// An empty directory, in the browser: from the link that `remit up` prints over the first passkey to the first governed call, made by
// a stock MCP client with the settings that the console gives.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { enrolPasskey, gravely, launch, person } from "./support/browser.mjs";
import { Client } from "./support/client.mjs";
import { Remit, program, until } from "./support/remit.mjs";

const run = promisify(execFile);
const REDIRECT = "http://127.0.0.1:9/callback";
let browser, remit, echo, root, ana, client;

before(async () => {
  // Clients that have nothing to show of themselves may register here; everything else is as in an empty directory.
  const started = new Remit({ more: "[oauth]\ndynamic_registration = true\n" }).start();
  [browser, remit] = await Promise.all([launch(), started]);
  echo = spawn(program(), ["sample", "echo", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
  echo.address = String((await once(echo.stdout, "data"))[0]).trim();
  const bin = join(remit.directory, "bin");
  mkdirSync(bin);
  symlinkSync(program(), join(bin, "remit"));
});
after(async () => {
  await client?.close();
  echo?.kill();
  await Promise.all([browser?.close(), remit?.stop()]);
});

/** A terminal on the machine, in the directory where `remit up` runs. */
const terminal = () => ({
  ...remit.environment,
  PATH: `${join(remit.directory, "bin")}:${process.env.PATH}`,
  REMIT_DATA: remit.data,
});

/** What a person has in their clipboard who pressed the button beside `label`. */
async function copied(page, label) {
  const place = page.locator("section, div").filter({ has: page.getByRole("heading", { name: label, exact: true }) }).last();
  await place.getByRole("button", { name: "Copy" }).click();
  return page.evaluate("navigator.clipboard.readText()");
}

test("the first link leads over the first passkey to a console that says what is next", async () => {
  const link = /sign in\s+(\S+)/.exec(remit.said())[1];
  assert.equal(new URL(link).hostname, "localhost", "a passkey needs a name");
  root = await person(browser, remit);
  const { page, errors } = root;
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in with this link" }).click();
  await enrolPasskey(page);
  for (const [name, path] of [["Agents", "/agents"], ["Connect", "/connect"], ["Policies", "/policies"], ["Overview", "/"]]) {
    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name, exact: true }).click();
    await page.waitForURL(`${remit.console}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
  }
  assert.deepEqual(errors, []);
});

test("somebody else is let in by a link that works once", async () => {
  const { page } = root;
  await page.goto("/people");
  await page.getByText("Add a person").first().click();
  await page.locator("form[method=post][action='/people']").getByLabel("Name").fill("ana");
  await gravely(page, () => page.getByRole("button", { name: "Add", exact: true }).click());
  await page.waitForURL("**/people/ana");
  await page.getByText("Sign-in link").click();
  await page.getByRole("button", { name: "Make a link" }).click();
  const link = await page.locator("#link").innerText();
  ana = await person(browser, remit);
  await ana.page.goto(link);
  await ana.page.getByRole("button", { name: "Sign in with this link" }).click();
  await enrolPasskey(ana.page);
});

test("a server is read and its tool pinned, an agent gets an owner, and the owner gives it a grant", async () => {
  const { page } = root;
  // What a connector leads to is said on the machine itself.
  await run("remit", ["connector", "add", "echo", "--http", echo.address], { env: terminal() });
  await page.goto("/");
  await page.getByRole("heading", { name: "From here to the first governed call" }).waitFor();
  await page.getByRole("main").getByRole("link", { name: "Connectors" }).click();
  await page.getByRole("link", { name: "echo" }).first().click();
  await page.getByRole("link", { name: /review/i }).first().click();
  const tool = page.getByRole("article").filter({ has: page.getByRole("heading", { name: /^echo/ }) });
  await tool.getByLabel("Data").selectOption("D0");
  await gravely(page, () => tool.getByRole("button", { name: "Approve, pinned to this definition" }).click());
  await page.getByRole("article").filter({ hasText: /^echo pinned/ }).waitFor();

  await page.goto("/agents/new");
  await page.getByLabel("Name", { exact: true }).fill("first");
  await page.getByLabel("Purpose").fill("tries the console");
  await page.getByLabel("Owner").fill("ana");
  await page.getByLabel("Class").selectOption("read");
  await page.getByLabel("Autonomy").selectOption("1");
  await page.getByLabel("Environment").selectOption("development");
  await page.getByLabel("D0: public").check();
  await gravely(page, () => page.getByRole("button", { name: "Register" }).click());
  await page.waitForURL("**/agents/first");
  await page.locator("summary", { hasText: "Activate" }).click();
  await gravely(page, () => page.getByRole("button", { name: "Activate" }).click());
  await page.getByRole("link", { name: "ask for a grant" }).first().click();
  await page.getByLabel("Operations").fill("echo/echo");
  await page.locator("#ask").getByLabel("Why").fill("a first call");
  await gravely(page, () => page.getByRole("button", { name: "Ask", exact: true }).click());

  await ana.page.goto("/");
  await ana.page.getByRole("main").getByRole("link", { name: "echo/echo" }).first().click();
  await gravely(ana.page, () => ana.page.getByRole("button", { name: /^Approve/ }).click());
  const { items } = await remit.cli(["grant", "list"]);
  assert.equal(items.filter((grant) => JSON.stringify(grant).includes("echo/echo")).length, 1);
});

test("pasted settings and a task's token lead to the first governed call, seen live on the overview", async () => {
  const { context, page } = root;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const overview = await context.newPage();
  await overview.goto("/");
  await overview.evaluate("globalThis.opened = true");
  await page.bringToFront();
  await page.goto("/connect");
  await page.getByRole("combobox", { name: "Agent" }).fill("first");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("link", { name: "The client has a token" }).click();
  const { stdout } = await run("sh", ["-c", `${await copied(page, "A task by hand")}; printf %s "$REMIT_TASK_TOKEN"`], { env: terminal() });
  assert.ok(stdout.length > 40, "there is no token");
  const settings = JSON.parse(await copied(page, "Claude Code")).mcpServers.remit;
  assert.equal(settings.type, "http");
  // A client puts the variables of its environment into its settings.
  const bearer = settings.headers.Authorization.replace("${REMIT_TASK_TOKEN}", stdout);
  assert.match(bearer, /^Bearer \S+$/);
  client = new Client(["--url", settings.url, "--token", bearer.slice("Bearer ".length)]);
  assert.equal((await client.read()).protocol, "2025-11-25");
  await overview.bringToFront();
  const said = await client.step({ call: "echo__echo", arguments: { text: "the first governed call" } });
  assert.equal(said.is_error, false, JSON.stringify(said));
  await overview.getByText(/first was allowed echo\/echo/).first().waitFor();
  assert.equal(await overview.evaluate("globalThis.opened"), true, "the page was loaded again");
  const { items } = await remit.cli(["ledger", "query", "--agent", "first", "--kind", "ActionAllowed"]);
  assert.equal(items.length, 1);
  // What led here is not needed any more.
  await overview.getByText("From here to the first governed call").waitFor({ state: "detached" });
  await client.close();
});

test("a client that starts a process works with the pasted settings, and ends its task with its session", async () => {
  const { page } = root;
  await page.bringToFront();
  await page.goto("/connect?way=run&agent=first");
  const { command, args } = JSON.parse(await copied(page, "Any other client")).mcpServers.remit;
  client = new Client(["--stdio"], { command: [command, ...args], environment: terminal() });
  const opened = await client.read();
  assert.equal(opened.protocol, "2025-11-25", JSON.stringify(opened));
  const said = await client.step({ call: "echo__echo", arguments: { text: "by a process" } });
  assert.equal(said.is_error, false, JSON.stringify(said));
  await client.close();
  const ended = async () => (await remit.cli(["task", "list"])).items.every((task) => !/MCP client/.test(task.purpose) || task.status === "ended");
  await until(ended, 10_000, "the session's task ends");
});

test("a client that knows nothing but the pasted address is let in by its person's passkey", async () => {
  const { context, page } = ana;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto("/connect?agent=first");
  const settings = JSON.parse(await copied(page, "Any other client")).mcpServers.remit;
  client = new Client(["--url", settings.url, "--sign-in", REDIRECT]);
  const { authorize } = await client.read();
  let callback;
  await page.route(`${REDIRECT}*`, (route) => {
    callback = route.request().url();
    return route.fulfill({ contentType: "text/html", body: "<h1>Back in the client</h1>" });
  });
  await page.goto(authorize);
  // Letting an application in is grave: the passkey comes first, and the request is still there afterwards.
  if (new URL(page.url()).pathname === "/step-up") await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: /wants to work in your name/ }).waitFor();
  await page.getByLabel("What for, as the record will say").fill("signs in by itself");
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "Back in the client" }).waitFor();
  const opened = await client.step({ callback });
  assert.equal(opened.protocol, "2025-11-25", JSON.stringify(opened));
  const said = await client.step({ call: "echo__echo", arguments: { text: "once more" } });
  assert.equal(said.is_error, false, JSON.stringify(said));
  const { items } = await remit.cli(["task", "list"]);
  const task = items.find((one) => one.purpose === "signs in by itself");
  assert.equal(task.acting_for.name, "ana");
  assert.equal(task.agent.name ?? task.agent, "first");
});
