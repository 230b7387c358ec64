// The built program as a running service, and its command line as any of its people.

import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;

/** The program under test: `REMIT_BIN`, else what `cargo build` or `cargo build --release` made. */
export function program() {
  const built = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
  const candidates = process.env.REMIT_BIN
    ? [resolve(process.env.REMIT_BIN)]
    : [join(built, "debug", "remit"), join(built, "release", "remit")];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (!found) throw new Error(`\`${candidates[0]}\` is not there; run \`cargo build -p remit\` or set REMIT_BIN`);
  return found;
}

/** One running `remit up` with a data directory of its own. */
export class Remit {
  constructor({ more = "", production = false } = {}) {
    this.directory = mkdtempSync(join(tmpdir(), "remit-browser-"));
    this.data = join(this.directory, "data");
    this.config = join(this.directory, "remit.toml");
    this.sessions = {};
    writeFileSync(
      this.config,
      `[realm]\nadministrator = "root"\nproduction = ${production}\n` +
        `[gateway]\nlisten = "127.0.0.1:0"\nhold_seconds = 60\n[control]\nlisten = "127.0.0.1:0"\n${more}`,
    );
  }

  get environment() {
    const outside = Object.entries(process.env).filter(([name]) => !name.startsWith("REMIT_"));
    const own = { XDG_STATE_HOME: join(this.directory, "state"), XDG_CONFIG_HOME: join(this.directory, "config") };
    return { ...Object.fromEntries(outside), ...own };
  }

  async start() {
    const ready = join(this.data, "addresses.json");
    rmSync(ready, { force: true });
    const log = openSync(join(this.directory, "remit.log"), "a");
    const command = ["up", "--config", this.config, "--data", this.data];
    this.process = spawn(program(), command, { cwd: this.directory, env: this.environment, stdio: ["ignore", log, log] });
    await until(() => existsSync(ready) || this.process.exitCode !== null, START_MS_MAX, "`remit up` is ready");
    if (this.process.exitCode !== null) throw new Error(`\`remit up\` ended\n${this.said()}`);
    this.addresses = JSON.parse(readFileSync(ready, "utf8"));
    // Passkeys are for names: pages are opened under one.
    this.console = this.addresses.control.replace("127.0.0.1", "localhost");
    return this;
  }

  said() {
    return readFileSync(join(this.directory, "remit.log"), "utf8");
  }

  async stop() {
    if (this.process && this.process.exitCode === null) {
      const ended = new Promise((done) => this.process.once("exit", done));
      this.process.kill("SIGTERM");
      const late = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS_MAX);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Runs `remit ARGUMENTS` and gives its JSON: root by the socket, everybody else by a session from a one-time link. */
  async cli(arguments_, by = "root") {
    const asRoot = by === "root";
    const command = ["--json", ...(asRoot ? ["--data", this.data] : []), ...arguments_];
    const session = asRoot ? {} : { REMIT_URL: this.addresses.control, REMIT_SESSION: await this.session(by) };
    const env = { ...this.environment, ...session };
    try {
      const { stdout } = await run(program(), command, { cwd: this.directory, env, maxBuffer: 64 << 20 });
      return stdout.trim() ? JSON.parse(stdout) : null;
    } catch (error) {
      error.message += `\n${error.stderr}`;
      throw error;
    }
  }

  /** As `cli`; what comes out as a proposal, mia approves. */
  async agreed(...arguments_) {
    const answer = await this.cli(arguments_);
    if (answer?.change && answer.status === "pending") await this.cli(["change", "approve", answer.change], "mia");
    return answer;
  }

  async session(name) {
    this.sessions[name] ??= (async () => {
      const { code } = await this.cli(["person", "sign-in", name]);
      const answer = await fetch(`${this.addresses.control}/v1/sessions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ code }),
      });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()).token;
    })();
    return this.sessions[name];
  }

  /** A link that signs `name` in once. */
  async link(name) {
    const { code } = await this.cli(["person", "sign-in", name]);
    return `${this.console}/sign-in?code=${encodeURIComponent(code)}`;
  }
}

/** Waits until `holds` gives something true, and gives that. */
export async function until(holds, milliseconds, what) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
