// The estate in the middle of a day: something of everything that has a page, and the addresses of all pages.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { RULE, call, question, task } from "./estate.mjs";

/** What is proposed, noa agrees to: the others may have passkeys already. */
async function agreed(remit, ...arguments_) {
  const answer = await remit.cli(arguments_);
  const change = answer?.change ?? (answer?.id?.startsWith("chg_") ? answer.id : undefined);
  if (change && answer.status === "pending") await remit.cli(["change", "approve", change], "noa");
  return answer;
}

/** Another text of the rule that asks about refunds, proposed. */
async function proposed(remit, minutes, reason) {
  const rules = join(remit.directory, "refunds.cedar");
  writeFileSync(rules, RULE.replace('@within("15m")', `@within("${minutes}m")`));
  return ["policy", "propose", rules, "--reason", reason];
}

/** A task that is over and one that works, waits for an answer and asks for more. */
async function work(remit) {
  const done = await task(remit, "ticket 16: an order that never came");
  await call(remit, done.token, "show_order", { order_id: "O-5007" });
  await call(remit, done.token, "close_account", { customer_id: "C-1002" });
  await remit.cli(["task", "end", done.task, "--note", "the customer has it"]);
  const started = await task(remit, "ticket 17: a headset that arrived broken");
  await call(remit, started.token, "find_customer", { query: "ada" });
  await call(remit, started.token, "show_order", { order_id: "O-5011" });
  const classes = ["--risk", "2", "--data-class", "D1", "--external", "false"];
  await agreed(remit, "connector", "approve-tools", "desk", "--tool", "close_account", ...classes);
  const more = { operations: ["desk/close_account"], reason: "the customer wants to leave" };
  const said = await call(remit, started.token, "remit__request_access", more, "/mcp");
  const refund = { order_id: "O-5011", amount_cents: 5301, reason: "arrived broken" };
  call(remit, started.token, "refund_order", refund).catch(() => {});
  return { done, started, asked: /grt_\w+/.exec(JSON.stringify(said))?.[0] };
}

/** Makes work for everybody, and gives the name and address of every page that a signed-in person can open. */
export async function scene(remit) {
  await agreed(remit, ...(await proposed(remit, 20, "a quarter of an hour was too short")));
  const change = await remit.cli(await proposed(remit, 30, "twenty minutes are too short at lunch"));
  const { done, started, asked } = await work(remit);
  const approval = await question(remit, started);
  const profile = ["--owner", "ana", "--purpose", "carries parcels", "--class", "act", "--autonomy", "A2", "--data-class", "D1"];
  await remit.cli(["agent", "register", "courier", ...profile, "--environment", "production", "--review-in", "90d", "--activate"]);
  await remit.cli(["task", "start", "courier", "--purpose", "parcel 4"]);
  await remit.cli(["agent", "suspend", "courier", "--reason", "went to the wrong door"]);
  return {
    overview: "/",
    approvals: "/approvals",
    approval: `/approvals/${approval}`,
    grants: "/grants",
    grant: `/grants/${asked}`,
    changes: "/changes",
    change: `/changes/${change.id}`,
    agents: "/agents",
    "agent-new": "/agents/new",
    agent: "/agents/support",
    "agent-timeline": "/agents/support/timeline",
    "agent-tasks": "/agents/support/tasks",
    "agent-grants": "/agents/support/grants",
    "agent-configuration": "/agents/support/configuration",
    "agent-people": "/agents/support/people",
    "agent-findings": "/agents/support/findings",
    "agent-describe": "/agents/support/describe",
    "agent-receipt": "/agents/courier/receipt",
    tasks: "/tasks",
    task: `/tasks/${started.task}`,
    "task-receipt": `/tasks/${done.task}?receipt=yes`,
    connectors: "/connectors",
    connector: "/connectors/desk",
    "connector-review": "/connectors/desk/review",
    operation: "/connectors/desk/operations/refund_order",
    policies: "/policies",
    policy: "/policies/refunds",
    "policy-edit": "/policies/refunds/edit",
    "policy-new": "/policies/new",
    "policy-history": "/policies/refunds/history",
    "policy-diff": "/policies/refunds/diff",
    preview: "/preview?agent=support",
    who: "/who?ask=call&about=desk%2Frefund_order",
    history: "/history",
    "history-one": "/history?artefact=policy:refunds",
    ledger: "/ledger",
    "ledger-filtered": "/ledger?agent=support",
    record: "/records/30",
    people: "/people",
    person: "/people/ana",
    keys: "/keys",
    connect: "/connect?agent=support",
    settings: "/settings",
    passkeys: "/passkeys",
    "step-up": "/step-up?next=/agents",
  };
}
