//! Random operations, policies and calls for tests, each from a number.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{self, NOW_MS};
use crate::{ApprovalFacts, Facts, OperationShape, PolicySet, PolicySource, Request, Schema, Shape, Verb};

/// Numbers that follow from one another (splitmix64).
pub(crate) struct Lot(u64);

impl Lot {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("small")
    }

    /// True once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const AGENTS: [&str; 4] = ["refunds", "other", "third", "fourth"];
const CLASSES: [&str; 3] = ["act", "read", "code"];
const GROUPS: [&str; 3] = ["support", "finance", "security"];
const PRINCIPALS: [&str; 10] = [
    "principal",
    "principal",
    "principal == Agent::\"refunds\"",
    "principal == Agent::\"other\"",
    "principal in Agent::\"refunds\"",
    "principal in Class::\"act\"",
    "principal in Class::\"read\"",
    "principal is Agent",
    "principal is Agent in Class::\"act\"",
    "principal is Agent in Agent::\"third\"",
];
const ACTIONS: [&str; 11] = [
    "action",
    "action",
    "action == Action::\"helpdesk/refund_order\"",
    "action == Action::\"mail/send\"",
    "action in Action::\"helpdesk/refund_order\"",
    "action in Action::\"write\"",
    "action in [Action::\"read\", Action::\"send\"]",
    "action in [Action::\"write\", Action::\"helpdesk/refund_order\"]",
    "action in [Action::\"helpdesk/refund_order\", Action::\"mail/search\"]",
    "action in [Action::\"mail/send\"]",
    "action in []",
];
const RESOURCES: [&str; 9] = [
    "resource",
    "resource",
    "resource == Operation::\"helpdesk/refund_order\"",
    "resource == Operation::\"mail/send\"",
    "resource in Connector::\"helpdesk\"",
    "resource in Connector::\"mail\"",
    "resource in Operation::\"mail/search\"",
    "resource is Operation",
    "resource is Operation in Connector::\"mail\"",
];
/// About what is known before the call.
const FACTS: [&str; 13] = [
    "principal has grant",
    "principal has grant && principal.grant.exact",
    "principal.autonomy > 2",
    "principal.data >= resource.data",
    "resource.risk > 1",
    "resource.external",
    "principal.task.labels.contains(\"untrusted\")",
    "principal.owner in Group::\"support\"",
    "principal.task has acting_for && principal.task.acting_for in Group::\"finance\"",
    "resource in Connector::\"mail\"",
    "action in Action::\"send\"",
    "principal.autonomy + 9223372036854775805 > 0",
    "principal.attribution == \"proven\"",
];
/// About what only the call brings.
const CONTEXT: [&str; 17] = [
    "context.arguments.amount > 100",
    "context.arguments.amount + 9223372036854775807 < 0",
    "context.arguments.amount > principal.autonomy * 30",
    "context.arguments has amount && context.arguments.amount < 50",
    "context.arguments has share && context.arguments.share.lessThan(decimal(\"0.5\"))",
    "context.arguments has address.city && context.arguments.address.city like \"*m*\"",
    "context.arguments has tags && context.arguments.tags.contains(\"x\")",
    "context.arguments.to == \"a@x.org\"",
    "context.arguments has to && context.arguments.to like \"*@x.org\"",
    "context has approval && context.approval.roles.contains(\"owner\")",
    "context has approval && context.approval.count >= 2",
    "context has approval.approved_at && context.approval.approved_at + 5 > context.now",
    "context has approval && context.approval.approvers.contains(principal.owner)",
    "context.now > 1700000000000",
    "context.credential_age <= 60",
    "[principal.autonomy, context.credential_age].contains(3)",
    "(if context.now > 1700000000000 then principal.autonomy else 1) > 2",
];

pub(crate) struct Estate {
    pub(crate) schema: Schema,
    pub(crate) set: PolicySet,
    operations: Vec<OperationShape>,
}

pub(crate) struct Call {
    pub(crate) facts: Facts,
    pub(crate) arguments: Value,
    approval: Option<ApprovalFacts>,
    now_ms: i64,
    credential_age_s: i64,
}

impl Call {
    pub(crate) fn shape<'a>(&self, estate: &'a Estate) -> &'a Shape {
        let operation = estate.operations.iter().find(|operation| operation.id == self.facts.operation.id);
        &operation.expect("an operation of the estate").arguments
    }

    pub(crate) fn request<'a>(&'a self, estate: &'a Estate) -> Request<'a> {
        Request {
            facts: &self.facts,
            shape: self.shape(estate),
            arguments: &self.arguments,
            approval: self.approval.as_ref(),
            now_ms: self.now_ms,
            credential_age_s: self.credential_age_s,
        }
    }
}

pub(crate) fn operations() -> Vec<OperationShape> {
    let shape = |properties: Value, required: Value| {
        let schema = json!({"type": "object", "properties": properties, "required": required});
        Shape::from_json_schema(&schema).expect("a shape")
    };
    let operation = |id: &str, verb, arguments| {
        let connector = id.split('/').next().unwrap_or_default().to_owned();
        OperationShape { id: id.to_owned(), connector, verb, arguments }
    };
    vec![
        operation("helpdesk/refund_order", Verb::Write, world::refund_shape()),
        operation("helpdesk/read_ticket", Verb::Read, Shape::empty()),
        operation(
            "mail/send",
            Verb::Send,
            shape(json!({"to": {"type": "string"}, "amount": {"type": "integer"}}), json!(["to"])),
        ),
        operation("mail/search", Verb::Read, shape(json!({"amount": {"type": "integer"}}), json!(["amount"]))),
    ]
}

fn condition(lot: &mut Lot, depth: usize) -> String {
    let facts = lot.once_in(2);
    let atom = if facts { lot.one(&FACTS) } else { lot.one(&CONTEXT) };
    if depth == 0 || lot.once_in(2) {
        return atom.to_owned();
    }
    let (one, other) = (condition(lot, depth - 1), condition(lot, depth - 1));
    match lot.below(4) {
        0 => format!("({one}) && ({other})"),
        1 => format!("({one}) || ({other})"),
        2 => format!("!({one})"),
        _ => format!("if {one} then {other} else {atom}"),
    }
}

/// A policy named `p` and its number; the schema may refuse it.
pub(crate) fn policy(lot: &mut Lot, number: usize) -> String {
    let scope = format!("{}, {}, {}", lot.one(&PRINCIPALS), lot.one(&ACTIONS), lot.one(&RESOURCES));
    let asks = r#"unless { context has approval && context.approval.roles.contains("owner") }"#;
    let conditions = match lot.below(4) {
        0 => String::new(),
        1 => format!("unless {{ {} }}", condition(lot, 2)),
        _ => format!("when {{ {} }}", condition(lot, 2)),
    };
    match lot.below(5) {
        0 | 1 => format!("@id(\"p{number}\") permit({scope}) {conditions};\n"),
        2 => format!("@id(\"p{number}\") forbid({scope}) {conditions};\n"),
        _ => format!("@id(\"p{number}\") @approvers(\"owner\") forbid({scope}) {conditions} {asks};\n"),
    }
}

impl Estate {
    /// Some policies, of those that the schema takes.
    pub(crate) fn random(lot: &mut Lot) -> Self {
        let operations = operations();
        let schema = Schema::generate(operations.iter()).expect("a schema");
        let mut policies: Vec<(String, String)> =
            (0..3 + lot.below(24)).map(|number| (format!("p{number}"), policy(lot, number))).collect();
        loop {
            let half = policies.len() / 2;
            let text = |part: &[(String, String)]| part.iter().map(|(_, text)| text.as_str()).collect::<String>();
            let (one, other) = policies.split_at(half);
            let sources = [("one", text(one)), ("other", text(other))]
                .map(|(name, text)| PolicySource { name: name.to_owned(), text });
            match PolicySet::compile(&sources, &schema) {
                Ok(set) => return Self { schema, set, operations },
                Err(problems) => {
                    let wrong: BTreeSet<String> = problems.into_iter().filter_map(|problem| problem.policy).collect();
                    assert!(!wrong.is_empty(), "every problem has its policy");
                    policies.retain(|(id, _)| !wrong.contains(id));
                }
            }
        }
    }

    pub(crate) fn call(&self, lot: &mut Lot) -> Call {
        let operation = &self.operations[lot.below(self.operations.len())];
        let mut facts = world::facts();
        lot.one(&AGENTS).clone_into(&mut facts.agent.name);
        lot.one(&CLASSES).clone_into(&mut facts.agent.class);
        facts.agent.autonomy = 1 + u8::try_from(lot.below(4)).expect("small");
        facts.agent.data = u8::try_from(lot.below(4)).expect("small");
        facts.owner.groups = vec![lot.one(&GROUPS).to_owned()];
        facts.grant = facts.grant.filter(|_| lot.once_in(2));
        facts.acting_for = facts.acting_for.filter(|_| lot.once_in(2)).map(|mut person| {
            person.groups = vec![lot.one(&GROUPS).to_owned()];
            person
        });
        facts.task.labels = lot.once_in(3).then(|| "untrusted".to_owned()).into_iter().collect();
        facts.task.calls = lot.next() % 100;
        operation.id.clone_into(&mut facts.operation.id);
        operation.connector.clone_into(&mut facts.operation.connector);
        facts.operation.verb = operation.verb;
        facts.operation.risk = u8::try_from(lot.below(4)).expect("small");
        facts.operation.data = u8::try_from(lot.below(4)).expect("small");
        facts.operation.external = lot.once_in(3);
        let approval = lot.once_in(2).then(|| ApprovalFacts {
            roles: BTreeSet::from([lot.one(&["owner", "security"]).to_owned()]),
            approvers: BTreeSet::from([lot.one(&["prs_owner", "prs_other"]).to_owned()]),
            count: 1 + u32::try_from(lot.below(2)).expect("small"),
            approved_at_ms: if lot.once_in(9) {
                i64::MAX
            } else {
                NOW_MS - 5 + i64::try_from(lot.below(9)).expect("small")
            },
        });
        let now_ms = NOW_MS - 1 + i64::try_from(lot.below(5)).expect("small");
        let credential_age_s = i64::try_from(lot.below(120)).expect("small");
        Call { arguments: arguments(&operation.id, lot), facts, approval, now_ms, credential_age_s }
    }
}

/// Arguments that fit, most often.
fn arguments(operation: &str, lot: &mut Lot) -> Value {
    let amount = [0, 1, 40, 70, 101, 5_000, i64::MAX][lot.below(7)];
    let to = lot.one(&["a@x.org", "b@x.org", "c@y.org"]);
    let mut arguments = match operation {
        "helpdesk/refund_order" => json!({"order_id": "o-1", "amount": amount}),
        "mail/send" => json!({"to": to}),
        "mail/search" => json!({"amount": amount}),
        _ => json!({}),
    };
    let more = match operation {
        "helpdesk/refund_order" => vec![
            ("share", json!(0.25)),
            ("tags", json!(["x", "y"])),
            ("address", json!({"city": lot.one(&["Rome", "Bonn"])})),
        ],
        "mail/send" => vec![("amount", json!(amount))],
        _ => Vec::new(),
    };
    for (name, value) in more {
        if lot.once_in(2) {
            arguments[name] = value;
        }
    }
    if lot.once_in(50) {
        arguments["amount"] = json!("many");
    }
    arguments
}
