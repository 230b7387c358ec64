// A correct MCP server for the conformance suite: everything that its server scenarios ask for, in both generations of
// the protocol, on nothing but node:http. The suite runs against it directly and through Remit; what passes directly and
// not through Remit is lost.
//
//   node fixture.mjs [--port PORT] [--speak both|2025-11-25|2026-07-28]
//
// Prints its address once it listens. Listens on the loopback only.

import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { Catalog } from "./fixture/catalog.mjs";
import { Sessions } from "./fixture/sessions.mjs";
import { Stateless } from "./fixture/stateless.mjs";
import { HANDSHAKE_VERSIONS, STATELESS_VERSION, readMessage, sendError } from "./fixture/wire.mjs";

const LOOPBACK_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);

const { values: options } = parseArgs({
  options: { port: { type: "string", default: "0" }, speak: { type: "string", default: "both" } },
});
const speaks = {
  handshake: options.speak === "both" || HANDSHAKE_VERSIONS.includes(options.speak),
  stateless: options.speak === "both" || options.speak === STATELESS_VERSION,
};
if (!speaks.handshake && !speaks.stateless) {
  console.error(`\`--speak ${options.speak}\` is not known: say both, ${HANDSHAKE_VERSIONS[0]} or ${STATELESS_VERSION}`);
  process.exit(2);
}

const catalog = new Catalog();
const sessions = new Sessions(catalog);
const stateless = new Stateless(catalog);

// A page whose name resolves to the loopback must not reach this server (DNS rebinding).
function isLocal(request) {
  const host = request.headers.host?.replace(/:\d+$/, "").toLowerCase();
  const origin = request.headers.origin;
  if (!LOOPBACK_NAMES.has(host)) return false;
  return origin === undefined || (URL.canParse(origin) && LOOPBACK_NAMES.has(new URL(origin).hostname));
}

// Who sends a version of the handshake, or none, is of the older generation; anything else is held against the newer one.
function isHandshake(request) {
  const version = request.headers["mcp-protocol-version"];
  if (!speaks.stateless) return true;
  return speaks.handshake && (version === undefined || HANDSHAKE_VERSIONS.includes(version));
}

async function answer(request, response) {
  if (!isLocal(request)) return sendError(response, 403, null, -32600, "this host or origin is not served");
  if (new URL(request.url, "http://localhost").pathname !== "/mcp") return response.writeHead(404).end();
  if (isHandshake(request)) return sessions.answer(request, response);
  if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
  const message = await readMessage(request);
  if (message === undefined) return sendError(response, 400, null, -32700, "the body is not JSON");
  return stateless.answer(request, response, message);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.headersSent ? response.end() : sendError(response, 500, null, -32603, "internal error");
  });
});
server.listen(Number(options.port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
