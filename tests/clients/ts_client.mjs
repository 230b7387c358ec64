// Drives the official TypeScript MCP clients through a list of steps. Same arguments, steps and output as py_client.py.
//
//   node ts_client.mjs --url URL [--token T] --generation 2026-07-28|2025-11-25|auto SCRIPT.json
//   node ts_client.mjs --stdio --generation auto SCRIPT.json -- COMMAND ARGS...
//
// `2025-11-25` uses @modelcontextprotocol/sdk 1.x, which most programs in the field still carry and which speaks nothing
// newer; `2026-07-28` and `auto` use @modelcontextprotocol/client 2.x. `--sdk 1|2` overrides.

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

import { Ears, answers, capabilities, perform as feature } from './ts_features.mjs';
import { SignIn } from './ts_sign_in.mjs';

const OLD = '2025-11-25';
const NEW = '2026-07-28';
const INFO = { name: 'remit-tests-typescript', version: '1' };

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    stdio: { type: 'boolean', default: false },
    token: { type: 'string' },
    'sign-in': { type: 'string' },
    'client-metadata': { type: 'string' },
    generation: { type: 'string', default: 'auto' },
    sdk: { type: 'string' },
    'timeout-seconds': { type: 'string', default: '60' },
    elicit: { type: 'string', default: 'none' },
    content: { type: 'string', default: '{}' },
    sample: { type: 'string' },
    root: { type: 'string' },
    'log-level': { type: 'string' },
    manual: { type: 'boolean', default: false },
  },
});
const [script, ...command] = positionals;
const usageWrong =
  !script || ![NEW, OLD, 'auto'].includes(given.generation) || given.stdio !== command.length > 0 || given.stdio === Boolean(given.url);
if (usageWrong) {
  console.error('give a script and either --url, or --stdio and a command after `--`; --generation is 2026-07-28, 2025-11-25 or auto');
  process.exit(2);
}
const old = given.sdk ? given.sdk === '1' : given.generation === OLD;

const emit = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

function described(error) {
  // The 1.x line puts the code into the message as well.
  const message = String(error?.message ?? error).replace(/^MCP error -?\d+: /, '');
  const code = typeof error?.code === 'number' ? error.code : null;
  const line = { code, message, data: error?.data ?? null };
  return code === null || old ? { ...line, kind: `${error?.constructor?.name}${error?.code ? ` ${error.code}` : ''}` } : line;
}

async function transport() {
  if (given.stdio) {
    const module = old ? '@modelcontextprotocol/sdk/client/stdio.js' : '@modelcontextprotocol/client/stdio';
    const { StdioClientTransport } = await import(module);
    return new StdioClientTransport({ command: command[0], args: command.slice(1), stderr: 'ignore' });
  }
  const module = old ? '@modelcontextprotocol/sdk/client/streamableHttp.js' : '@modelcontextprotocol/client';
  const { StreamableHTTPClientTransport } = await import(module);
  const headers = given.token ? { Authorization: `Bearer ${given.token}` } : {};
  return new StreamableHTTPClientTransport(new URL(given.url), { requestInit: { headers }, authProvider: signIn });
}

async function client() {
  const options = { capabilities: capabilities(given) };
  if (old) {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    return new Client(INFO, options);
  }
  const { Client } = await import('@modelcontextprotocol/client');
  const mode = given.generation === OLD ? 'legacy' : given.generation === NEW ? { pin: NEW } : 'auto';
  return new Client(INFO, { ...options, versionNegotiation: { mode } });
}

async function list(connected) {
  const tools = [];
  let cursor;
  do {
    // Bypass the SDK's cache: each step must show what the server says now.
    const page = await connected.listTools(cursor ? { cursor } : undefined, old ? undefined : { cacheMode: 'refresh' });
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor);
  return { tools: tools.map((tool) => tool.name), definitions: tools };
}

async function call(connected, step) {
  const progress = [];
  const options = { timeout: 1000 * Number(step.timeout_seconds ?? given['timeout-seconds']) };
  if (step.progress) options.onprogress = (event) => progress.push(event);
  const params = { name: step.call, arguments: step.arguments ?? {} };
  if (step.meta) params._meta = step.meta;
  if (given['log-level'] && !old) params._meta = { ...params._meta, 'io.modelcontextprotocol/logLevel': given['log-level'] };
  if (step.input_responses) params.inputResponses = step.input_responses;
  if (step.request_state) params.requestState = step.request_state;
  let result;
  if (given.manual && !old) {
    result = await connected.request({ method: 'tools/call', params }, { ...options, allowInputRequired: true });
    if (result.resultType === 'input_required') return { input_required: result };
  } else {
    result = await (old ? connected.callTool(params, undefined, options) : connected.callTool(params, options));
  }
  const line = { result, is_error: Boolean(result.isError) };
  return step.progress ? { ...line, progress } : line;
}

async function perform(connected, step) {
  const said = await feature(connected, ears, old, step);
  if (said !== undefined) return said;
  if ('list' in step) return list(connected);
  if ('call' in step) return call(connected, step);
  if ('sleep_seconds' in step) {
    await sleep(1000 * step.sleep_seconds);
    return { slept: step.sleep_seconds };
  }
  throw new Error(`${JSON.stringify(step)} is not a step`);
}

async function* steps() {
  if (script !== '-') {
    yield* JSON.parse(await readFile(script, 'utf8'));
    return;
  }
  for await (const line of createInterface({ input: process.stdin })) if (line.trim()) yield JSON.parse(line);
}

const script_steps = steps();
const signIn = given['sign-in'] && new SignIn(given, emit, async () => (await script_steps.next()).value);
let carrier = await transport();
let connected = await client();
if (signIn) {
  // Its first try tells where to sign in; then it begins anew.
  try {
    await connected.connect(carrier);
    throw new Error('nobody had to sign in');
  } catch (error) {
    if (error?.constructor?.name !== 'UnauthorizedError') {
      emit({ connect_error: described(error) });
      process.exit(3);
    }
  }
  try {
    await signIn.finish(carrier);
  } catch (error) {
    emit({ connect_error: described(error) });
    process.exit(3);
  }
  [carrier, connected] = [await transport(), await client()];
}
const ears = new Ears(connected);
await answers(connected, old, given, emit);
// The 1.x line tells only its HTTP transport what was negotiated; over standard streams, listen for it too.
carrier.setProtocolVersion ??= (version) => {
  carrier.protocolVersion = version;
};
try {
  await connected.connect(carrier);
  const protocol = connected.getNegotiatedProtocolVersion?.() ?? carrier.protocolVersion ?? null;
  if (given.generation !== 'auto' && protocol !== null && protocol !== given.generation)
    throw new Error(`negotiated \`${protocol}\`, wanted \`${given.generation}\``);
  if (given['log-level'] && old) await connected.setLoggingLevel(given['log-level']);
  emit({ protocol, server: connected.getServerVersion()?.name ?? null });
} catch (error) {
  emit({ connect_error: described(error) });
  process.exit(3);
}
for await (const step of script_steps) {
  try {
    emit(await perform(connected, step));
  } catch (error) {
    emit({ error: described(error) });
  }
}
// The 1.x line leaves its session open unless told; a polite program ends it.
await carrier.terminateSession?.().catch(() => {});
await connected.close();
