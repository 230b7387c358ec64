//! What is told is true: rules that are said never to match do not, and rules that are said to be covered can go without a trace.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::facts::{ApprovalFacts, Facts, OperationFacts, TaskFacts};
use crate::world::{self, NOW_MS};
use crate::{Outcome, PolicySource, Request, Shape, Verb, evaluate};

fn known() -> Known {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Known {
        environments: words(&["development", "production"]),
        classes: words(&["act", "code", "read"]),
        ..Known::default()
    }
}

fn leaf() -> impl Strategy<Value = String> {
    let number = (0..5_usize, 0..6_usize, -2..5_i64).prop_map(|(fact, operator, number)| {
        let fact =
            ["principal.autonomy", "resource.data", "resource.risk", "principal.task.data", "principal.data"][fact];
        let operator = ["<", "<=", ">", ">=", "==", "!="][operator];
        format!("{fact} {operator} {number}")
    });
    let turned = (0..4_usize, 0..4_i64)
        .prop_map(|(operator, number)| format!("{number} {} resource.risk", ["<", "<=", ">", ">="][operator]));
    let others = prop::sample::select(vec![
        "principal.class == \"read\"",
        "principal.class != \"act\"",
        "[\"act\", \"code\"].contains(principal.class)",
        "principal in Class::\"code\"",
        "principal.environment == \"production\"",
        "resource.external",
        "resource.irreversible",
        "principal has grant",
        "principal has grant && principal.grant.exact",
        "action in Action::\"write\"",
        "action in [Action::\"read\", Action::\"send\"]",
        "resource.verb == \"read\"",
        "resource == Operation::\"helpdesk/refund_order\"",
        "resource in Connector::\"helpdesk\"",
        "resource.connector == Connector::\"helpdesk\"",
        "principal.task.labels.contains(\"untrusted\")",
        "principal.task.labels.containsAll([\"untrusted\", \"sensitive\"])",
        "principal.task.labels.containsAny([\"untrusted\", \"sensitive\"])",
        "context has approval",
        "context has approval && context.approval.roles.contains(\"owner\")",
        "context has approval && context.approval.count >= 2",
        "principal.autonomy + 9223372036854775806 > 1",
        "principal.task.purpose like \"a*\"",
    ]);
    prop_oneof![number, turned, others.prop_map(str::to_owned)]
}

fn condition() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} && {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} || {right})")),
            inner.clone().prop_map(|inner| format!("!({inner})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(test, then, otherwise)| format!("(if {test} then {then} else {otherwise})")),
        ]
    })
}

fn policy(id: usize) -> impl Strategy<Value = String> {
    let scopes = prop::sample::select(vec![
        "principal, action, resource",
        "principal in Class::\"read\", action, resource",
        "principal == Agent::\"refunds\", action, resource",
        "principal, action in Action::\"write\", resource",
        "principal, action == Action::\"helpdesk/refund_order\", resource",
        "principal, action in [Action::\"read\", Action::\"helpdesk/refund_order\"], resource",
        "principal, action, resource in Connector::\"helpdesk\"",
        "principal, action, resource == Operation::\"helpdesk/read_ticket\"",
    ]);
    let unless = proptest::option::of(condition());
    (any::<bool>(), any::<bool>(), scopes, condition(), unless).prop_map(move |(permits, asks, scope, when, unless)| {
        let asks = if asks && !permits { "@approvers(\"owner\")" } else { "" };
        let effect = if permits { "permit" } else { "forbid" };
        let unless = unless.map_or_else(String::new, |unless| format!(" unless {{ {unless} }}"));
        format!("@id(\"p{id}\") {asks} {effect} ({scope}) when {{ {when} }}{unless};")
    })
}

fn facts() -> impl Strategy<Value = (Facts, Option<ApprovalFacts>)> {
    let numbers = (1..5_u8, 0..4_u8, 0..4_u8, 0..4_u8, -1..4_i8);
    let words = (0..3_usize, any::<bool>(), any::<bool>(), 0..3_usize);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 0..4_u32);
    (numbers, words, flags).prop_map(|(numbers, words, flags)| {
        let (autonomy, data, risk, touched, seen) = numbers;
        let (class, production, reads, labels) = words;
        let (external, irreversible, granted, exact, approvals) = flags;
        let mut facts = world::facts();
        facts.agent.class = ["act", "code", "read"][class].to_owned();
        facts.agent.environment = if production { "production" } else { "development" }.to_owned();
        (facts.agent.autonomy, facts.agent.data) = (autonomy, data);
        let labels = ["untrusted", "sensitive"].into_iter().take(labels).map(str::to_owned).collect();
        facts.task = TaskFacts { labels, data: seen, ..facts.task };
        facts.grant = facts.grant.filter(|_| granted).map(|grant| crate::GrantFacts { exact, ..grant });
        let (id, verb) =
            if reads { ("helpdesk/read_ticket", Verb::Read) } else { ("helpdesk/refund_order", Verb::Write) };
        facts.operation =
            OperationFacts { id: id.to_owned(), verb, risk, data: touched, external, irreversible, ..facts.operation };
        let approval = (approvals > 0).then(|| ApprovalFacts {
            roles: BTreeSet::from([if approvals == 1 { "support" } else { "owner" }.to_owned()]),
            count: approvals,
            ..ApprovalFacts::default()
        });
        (facts, approval)
    })
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(world::schema);

fn decide(set: &PolicySet, (facts, approval): &(Facts, Option<ApprovalFacts>)) -> crate::Decision {
    let (shape, arguments) = match facts.operation.verb {
        Verb::Read => (Shape::empty(), json!({})),
        _ => (world::refund_shape(), json!({ "order_id": "o", "amount": 1 })),
    };
    let request = Request {
        facts,
        shape: &shape,
        arguments: &arguments,
        approval: approval.as_ref(),
        now_ms: NOW_MS,
        credential_age_s: 0,
    };
    evaluate(set, &SCHEMA, &request)
}

fn compiled(texts: &[&String]) -> Option<PolicySet> {
    let text = texts.iter().map(|text| text.as_str()).collect::<Vec<_>>().join("\n");
    PolicySet::compile(&[PolicySource { name: "test".to_owned(), text }], &SCHEMA).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_true(
        policies in (policy(0), policy(1), policy(2)).prop_map(|(a, b, c)| [a, b, c]),
        calls in prop::collection::vec(facts(), 12),
    ) {
        // What cannot be compiled is told by somebody else; the others are left.
        let policies: Vec<&String> = policies.iter().filter(|policy| compiled(&[*policy]).is_some()).collect();
        let Some(set) = compiled(&policies) else { return Ok(()) };
        for problem in check(&set, &SCHEMA, &known()) {
            let id = problem.policy.clone().expect("a policy");
            let own = format!("@id(\"{id}\")");
            if problem.sentence.contains("can never match") {
                for call in &calls {
                    prop_assert!(!decide(&set, call).determining.contains(&id), "{problem}\n{policies:#?}");
                }
            }
            if problem.sentence.contains("already") {
                let rest: Vec<&String> = policies.iter().copied().filter(|text| !text.contains(&own)).collect();
                let without = compiled(&rest).expect("the rest compiles");
                for call in &calls {
                    let (before, after) = (decide(&set, call), decide(&without, call));
                    if before.errors.is_empty() {
                        prop_assert_eq!(answer(&before), answer(&after), "{}\n{:#?}", problem, policies);
                    }
                }
            }
        }
    }
}

/// What becomes of the call; who is asked stays the same, since a rule is covered by an ask only if that is the same ask.
fn answer(decision: &crate::Decision) -> &'static str {
    match decision.outcome {
        Outcome::Allow => "allow",
        Outcome::Deny => "deny",
        Outcome::Ask(_) => "ask",
    }
}
