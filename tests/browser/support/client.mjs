// A stock MCP client, the official one that `tests/clients` drives, as a process that stays connected.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const DRIVER = fileURLToPath(new URL("../../clients/ts_client.mjs", import.meta.url));

export class Client {
  /** `options` say where it connects: `--url URL`, or `--stdio` and a `command`. */
  constructor(options, { command = [], environment = process.env, cwd } = {}) {
    const arguments_ = [DRIVER, "--generation", "2025-11-25", ...options, "-", ...(command.length ? ["--", ...command] : [])];
    this.process = spawn(process.execPath, arguments_, { env: environment, cwd, stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** What it says next. */
  async read() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the client ended with ${this.process.exitCode}`);
    return JSON.parse(value);
  }

  /** Does one step, and says what came of it. */
  async step(step) {
    this.process.stdin.write(`${JSON.stringify(step)}\n`);
    return this.read();
  }

  async close() {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.stdin.end();
    await ended;
  }
}
