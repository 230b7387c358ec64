// A realm at work: people, the agent `support`, the help desk that the program ships as a sample, and calls of the agent.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { Remit, program, until } from "./remit.mjs";

const TOOLS = ["find_customer", "show_customer", "list_orders", "show_order", "refund_order", "send_message"];
export const RULE = `@id("refunds-ask")
@approvers("support-leads")
@reason("somebody who leads support looks at this first")
@within("15m")
forbid (principal, action == Action::"desk/refund_order", resource)
unless { context has approval && context.approval.roles.contains("support-leads") };

@id("messages-ask-two")
@approvers("support-leads")
@quorum("2")
@reason("two people look at what goes out")
@within("15m")
forbid (principal, action == Action::"desk/send_message", resource)
unless { context has approval && context.approval.count >= 2 };
`;

/** ana owns the agent, ben and cleo lead support, mia and noa administer too, carla is the customer acted for. */
export async function estate(options) {
  const remit = await new Remit(options).start();
  await remit.agreed("person", "add", "ana");
  await remit.agreed("person", "add", "ben", "--group", "support-leads");
  await remit.agreed("person", "add", "cleo", "--group", "support-leads");
  await remit.agreed("person", "add", "mia", "--group", "administrators");
  await remit.agreed("person", "add", "noa", "--group", "administrators");
  await remit.agreed("person", "add", "carla");
  const profile = ["--owner", "ana", "--approver", "ben", "--purpose", "answers customers", "--class", "act"];
  const limits = ["--autonomy", "A3", "--data-class", "D1,D2", "--environment", "production", "--review-in", "90d"];
  await remit.agreed("agent", "register", "support", ...profile, ...limits, "--activate");
  await remit.agreed("connector", "add", "desk", "--stdio", "--", program(), "sample", "helpdesk");
  const tools = TOOLS.flatMap((tool) => ["--tool", tool]);
  await remit.agreed("connector", "approve-tools", "desk", ...tools, "--risk", "1", "--data-class", "D1", "--external", "false");
  const rules = join(remit.directory, "refunds.cedar");
  writeFileSync(rules, RULE);
  const change = await remit.cli(["policy", "propose", rules, "--reason", "refunds are looked at"]);
  await remit.cli(["policy", "activate", change.id], "mia");
  const grant = ["grant", "request", "support", ...TOOLS.map((tool) => `desk/${tool}`), "--reason", "first line", "--for", "30d"];
  const asked = await remit.cli(grant, "ana");
  await remit.cli(["grant", "approve", asked.id], "ben");
  return remit;
}

/** A task of the agent for carla, with its token, started on the machine itself: nobody who answers has started it. */
export async function task(remit, purpose = "ticket 17") {
  return remit.cli(["task", "start", "support", "--purpose", purpose, "--for", "carla"]);
}

/** Calls a tool as the agent does, and gives the result of the protocol. It is held where a person is asked. `door` is where it calls. */
export async function call(remit, token, tool, arguments_, door = "/mcp/desk") {
  const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: tool, arguments: arguments_ } };
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    authorization: `Bearer ${token}`,
    "mcp-protocol-version": "2025-11-25",
  };
  const answer = await fetch(`${remit.addresses.gateway}${door}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  const data = text.startsWith("{") ? text : text.split("\n").filter((line) => line.startsWith("data:")).at(-1)?.slice(5);
  if (!data) throw new Error(`${answer.status}: ${text}`);
  const message = JSON.parse(data);
  return message.result ?? message;
}

/** The approval that waits about a task. */
export async function question(remit, started) {
  const waiting = async () => {
    const { items } = await remit.cli(["approval", "list", "--status", "pending"]);
    return items.find((one) => one.task === started.task)?.id;
  };
  return until(waiting, 10_000, "somebody is asked");
}
