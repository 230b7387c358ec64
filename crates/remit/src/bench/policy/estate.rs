//! Agents, operations and policies from numbers.
//!
//! Of the policies, two in five give one agent one operation, others several operations at a time; some ask for an approval. Classes of
//! agents have a rule for each connector, and operations one for everybody, as long as there are any left. A few guardrails are about
//! everything, as in any realm, and every decision has to ask them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Context;
use remit_policy::{
    AgentFacts, Attribution, Facts, GrantFacts, OperationFacts, OperationShape, PersonFacts, PolicySet, PolicySource,
    Problem, Request, Schema, Shape, TaskFacts, Verb,
};
use serde_json::{Value, json};

/// A moment in November 2026.
const NOW_MS: i64 = 1_795_000_000_000;
/// Operations of one connector.
const PER_CONNECTOR: usize = 50;
/// Bytes of one text of policies, more or less.
const TEXT_BYTES: usize = 48 * 1024;
/// The condition of a rule that asks.
const APPROVED: &str = "when { context.arguments.amount > 60 } unless { context has approval && context.approval.roles.contains(\"owner\") }";
/// Different requests that are asked in turn.
const REQUESTS: usize = 4_096;

/// Numbers as good as drawn by lot.
pub const fn drawn(number: usize, salt: usize) -> usize {
    let mixed = (number as u64 ^ (salt as u64).rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 32)) >> 8) as usize
}

/// The operations, all with arguments of their own.
pub fn operations(count: usize) -> anyhow::Result<Vec<OperationShape>> {
    (0..count).map(operation).collect()
}

fn operation(number: usize) -> anyhow::Result<OperationShape> {
    let schema = json!({
        "type": "object",
        "properties": {
            "to": {"type": "string"},
            "amount": {"type": "integer", "minimum": 0},
            "note": {"type": "string"},
            format!("own_{number}"): {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}},
        },
        "required": ["to", "amount"],
    });
    let connector = format!("connector-{}", number / PER_CONNECTOR);
    let arguments = Shape::from_json_schema(&schema).context("a shape")?;
    Ok(OperationShape { id: format!("{connector}/tool-{number}"), connector, verb: verb(number), arguments })
}

fn verb(number: usize) -> Verb {
    match number % 5 {
        0 => Verb::Write,
        1 => Verb::Send,
        _ => Verb::Read,
    }
}

/// The arguments of every call.
pub fn arguments() -> Value {
    json!({
        "to": "somebody@example.org", "amount": 70, "note": "as agreed on the telephone", "tags": ["order", "return"],
        "address": {"city": "Ghent", "zip": "9000"},
    })
}

/// What is known of a call of the operation `operation` by the agent `agent`.
pub fn facts(agent: usize, operation: usize) -> Facts {
    let person =
        |number: usize| PersonFacts { id: format!("prs_{number}"), groups: vec![format!("team-{}", number % 40)] };
    let connector = format!("connector-{}", operation / PER_CONNECTOR);
    Facts {
        agent: AgentFacts {
            name: format!("agent-{agent}"),
            class: class(agent).to_owned(),
            environment: "production".to_owned(),
            autonomy: 1 + u8::try_from(drawn(agent, 3) % 4).unwrap_or_default(),
            data: u8::try_from(drawn(agent, 4) % 4).unwrap_or_default(),
            attribution: Attribution::Proven,
        },
        owner: person(drawn(agent, 5) % 20_000),
        task: TaskFacts {
            id: format!("tsk_{agent}"),
            purpose: "settle what customers returned".to_owned(),
            labels: BTreeSet::new(),
            calls: 3,
            approved_data: -1,
            data: 0,
            chain: Vec::new(),
            names: false,
        },
        acting_for: None,
        acting_for_entitled: None,
        grant: Some(GrantFacts {
            id: format!("grt_{agent}"),
            reason: "its daily work".to_owned(),
            expires_at_ms: NOW_MS + 3_600_000,
            exact: true,
        }),
        operation: OperationFacts {
            id: format!("{connector}/tool-{operation}"),
            connector,
            verb: verb(operation),
            risk: u8::try_from(drawn(operation, 1) % 4).unwrap_or_default(),
            data: u8::try_from(drawn(operation, 2) % 4).unwrap_or_default(),
            external: verb(operation) == Verb::Send,
            sandbox: false,
            irreversible: false,
        },
    }
}

fn class(agent: usize) -> &'static str {
    ["read", "transform", "act", "code"].get(agent % 4).copied().unwrap_or("read")
}

/// A schema, a set of policies, and calls that they decide.
pub struct Estate {
    pub operations: Vec<OperationShape>,
    pub schema: Schema,
    pub sources: Vec<PolicySource>,
    pub set: PolicySet,
    pub agents: usize,
}

impl Estate {
    /// `policies` over `agents` and `operations`.
    ///
    /// # Errors
    /// If they do not compile.
    pub fn of(policies: usize, agents: usize, operations: usize) -> anyhow::Result<Self> {
        let operations = self::operations(operations)?;
        let schema = Schema::generate(operations.iter())?;
        let sources = sources(policies, agents, operations.len());
        let set = PolicySet::compile(&sources, &schema).map_err(|problems| told(&problems))?;
        Ok(Self { operations, schema, sources, set, agents })
    }

    /// Which agent and operation the call `number` is of: in seven of ten, ones that some policy brings together.
    pub fn pair(&self, number: usize) -> (usize, usize) {
        let number = drawn(number, 7) % REQUESTS;
        let policies = self.set.rules().len();
        if drawn(number, 8) % 10 < 7 {
            return subject(drawn(number, 9) % policies, self.agents, self.operations.len());
        }
        (drawn(number, 10) % self.agents, drawn(number, 11) % self.operations.len())
    }

    /// The facts of all calls that are asked about in turn.
    pub fn calls(&self) -> Vec<(Facts, usize)> {
        let call = |number| {
            let (agent, operation) = self.pair(number);
            (facts(agent, operation), operation)
        };
        (0..REQUESTS).map(call).collect()
    }

    /// The request of a call.
    pub fn request<'a>(
        &'a self,
        facts: &'a Facts,
        operation: usize,
        arguments: &'a Value,
        number: usize,
    ) -> Option<Request<'a>> {
        let shape = &self.operations.get(operation)?.arguments;
        let now_ms = NOW_MS + i64::try_from(number).unwrap_or_default();
        Some(Request { facts, shape, arguments, approval: None, now_ms, credential_age_s: 30 })
    }
}

/// What is wrong with generated policies.
pub fn told(problems: &[Problem]) -> anyhow::Error {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    anyhow::anyhow!("the generated policies do not compile: {first}")
}

/// The agent and the operation that the policy `number` is about.
fn subject(number: usize, agents: usize, operations: usize) -> (usize, usize) {
    (drawn(number, 20) % agents, drawn(number, 21) % operations)
}

/// How many of `policies` are about everything.
const fn guardrails(policies: usize) -> usize {
    match policies {
        ..=10 => 2,
        11..=100 => 5,
        _ => 20,
    }
}

/// The texts of `count` policies.
pub fn sources(count: usize, agents: usize, operations: usize) -> Vec<PolicySource> {
    let (mut sources, mut text) = (Vec::new(), String::new());
    for number in 0..count {
        if number < guardrails(count) {
            guardrail(&mut text, number)
        } else {
            policy(&mut text, number, agents, operations)
        }
        if text.len() > TEXT_BYTES || number + 1 == count {
            sources.push(PolicySource { name: format!("text-{:04}", sources.len()), text: std::mem::take(&mut text) });
        }
    }
    sources
}

fn guardrail(text: &mut String, number: usize) {
    let condition = match number {
        0 => return text.push_str(
            "@id(\"granted\") permit(principal, action in Action::\"read\", resource) when { principal has grant };\n",
        ),
        1 => "resource.data > principal.data && resource.risk > 2".to_owned(),
        2 => "principal.attribution == \"unknown\"".to_owned(),
        3 => "principal.task.labels.contains(\"untrusted\") && resource.external".to_owned(),
        4 => "context.arguments has amount && context.arguments.amount > 1000000".to_owned(),
        _ => format!(
            "principal.task.calls > {} && principal.autonomy > 3 && principal.task.labels.contains(\"label-{number}\")",
            1_000 + number
        ),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "@id(\"guardrail-{number}\") forbid(principal, action, resource) when {{ {condition} }};");
}

fn policy(text: &mut String, number: usize, agents: usize, operations: usize) {
    let (agent, operation) = subject(number, agents, operations);
    let connectors = operations.div_ceil(PER_CONNECTOR);
    let (round, kind) = (number / 20, number % 20);
    // Rules about many agents are written once for each class and connector, or operation; all others are about one agent.
    let shared = match kind {
        8..=11 => Some(round * 4 + kind - 8).filter(|pair| *pair < 4 * connectors),
        16..=17 => Some(round * 2 + kind - 16).filter(|operation| *operation < operations),
        _ => None,
    };
    let scope = match (kind, shared) {
        (8..=11, Some(pair)) => format!(
            "permit(principal in Class::\"{}\", action in Action::\"read\", resource in Connector::\"connector-{}\")",
            class(pair),
            pair / 4
        ),
        (16..=17, Some(operation)) => {
            format!("permit(principal is Agent, action, resource == Operation::\"{}\")", tool(operation))
        }
        (0..=7, _) => format!(
            "permit(principal == Agent::\"agent-{agent}\", action == Action::\"{}\", resource)",
            tool(operation)
        ),
        (18, _) => format!(
            "@approvers(\"owner\") forbid(principal == Agent::\"agent-{agent}\", action == Action::\"{}\", resource)",
            tool(operation)
        ),
        (19, _) => format!("forbid(principal == Agent::\"agent-{agent}\", action in Action::\"send\", resource)"),
        _ => format!(
            "permit(principal == Agent::\"agent-{agent}\", action in [Action::\"read\", Action::\"send\"], resource in Connector::\"connector-{}\")",
            operation / PER_CONNECTOR
        ),
    };
    let condition = match kind {
        0..=3 => format!("when {{ context.arguments.amount < {} && resource.risk < 4 }}", 50 + number % 100),
        18 => APPROVED.to_owned(),
        19 => "when { resource.data > 2 }".to_owned(),
        _ => "when { principal.data >= resource.data }".to_owned(),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "@id(\"p-{number}\") {scope} {condition};");
}

/// The id of an operation.
fn tool(operation: usize) -> String {
    format!("connector-{}/tool-{operation}", operation / PER_CONNECTOR)
}
