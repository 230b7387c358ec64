use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::world::{self, NOW_MS, PERMIT};
use crate::{
    ApprovalFacts, Facts, OperationFacts, PolicySet, PolicySource, Request, Schema, Shape, Verb, evaluate,
    evaluate_plainly,
};

const PRINCIPALS: [&str; 8] = [
    "principal",
    "principal == Agent::\"refunds\"",
    "principal == Agent::\"other\"",
    "principal in Agent::\"refunds\"",
    "principal in Class::\"act\"",
    "principal in Class::\"read\"",
    "principal is Agent",
    "principal is Agent in Class::\"act\"",
];
const ACTIONS: [&str; 7] = [
    "action",
    "action == Action::\"helpdesk/refund_order\"",
    "action == Action::\"helpdesk/read_ticket\"",
    "action in Action::\"write\"",
    "action in [Action::\"read\", Action::\"send\"]",
    "action in [Action::\"write\", Action::\"helpdesk/refund_order\"]",
    "action in [Action::\"helpdesk/refund_order\"]",
];
const RESOURCES: [&str; 6] = [
    "resource",
    "resource == Operation::\"helpdesk/refund_order\"",
    "resource == Operation::\"helpdesk/read_ticket\"",
    "resource in Connector::\"helpdesk\"",
    "resource is Operation",
    "resource is Operation in Connector::\"helpdesk\"",
];
/// Some read what only refunds have, some fail for some calls, some are lifted by an approval.
const CONDITIONS: [&str; 10] = [
    "",
    "when { principal has grant }",
    "when { principal.autonomy + 9223372036854775805 > 0 }",
    "when { resource.risk > 1 } when { resource.data <= principal.data }",
    "when { principal.task.labels.contains(\"untrusted\") }",
    "when { context.arguments.amount > 100 }",
    "when { context.arguments.amount + 9223372036854775807 < 0 }",
    "when { principal.owner in Group::\"support\" && resource in Connector::\"helpdesk\" }",
    "unless { context has approval && context.approval.roles.contains(\"owner\") }",
    "when { context.arguments has share && context.arguments.share.lessThan(decimal(\"0.5\")) }",
];

/// One policy; those that the schema refuses are left out by whoever takes it.
fn policy() -> impl Strategy<Value = (bool, usize, usize, usize, usize)> {
    (any::<bool>(), 0..PRINCIPALS.len(), 0..ACTIONS.len(), 0..RESOURCES.len(), 0..CONDITIONS.len())
}

fn text(
    number: usize,
    (permits, principal, action, resource, condition): (bool, usize, usize, usize, usize),
) -> String {
    let condition = CONDITIONS[condition];
    let (effect, asks) = match permits {
        true => ("permit", ""),
        false if condition.starts_with("unless") => ("forbid", "@approvers(\"owner\") "),
        false => ("forbid", ""),
    };
    let scope = format!("{}, {}, {}", PRINCIPALS[principal], ACTIONS[action], RESOURCES[resource]);
    format!("@id(\"p{number}\") {asks}{effect}({scope}) {condition};\n")
}

fn facts() -> impl Strategy<Value = (Facts, Shape, Value)> {
    let words = (prop::sample::select(vec!["refunds", "other", "third"]), prop::sample::select(vec!["act", "read"]));
    (words, 1..=4u8, 0..=3u8, any::<[bool; 5]>(), prop::sample::select(vec![0, 1, 101, 5_000])).prop_map(
        |((name, class), autonomy, data, [refunds, granted, labelled, helped, shared], amount)| {
            let mut facts = world::facts();
            name.clone_into(&mut facts.agent.name);
            class.clone_into(&mut facts.agent.class);
            (facts.agent.autonomy, facts.agent.data) = (autonomy, data);
            facts.grant = facts.grant.filter(|_| granted);
            facts.acting_for = facts.acting_for.filter(|_| helped);
            facts.task.labels = labelled.then(|| "untrusted".to_owned()).into_iter().collect();
            if refunds {
                let mut arguments = json!({ "order_id": "o-1", "amount": amount });
                if shared {
                    arguments["share"] = json!(0.25);
                }
                return (facts, world::refund_shape(), arguments);
            }
            facts.operation =
                OperationFacts { id: "helpdesk/read_ticket".to_owned(), verb: Verb::Read, risk: 0, ..world::refund() };
            (facts, Shape::empty(), json!({}))
        },
    )
}

fn approval() -> impl Strategy<Value = Option<ApprovalFacts>> {
    prop::option::of(prop::sample::select(vec!["owner", "security"]).prop_map(|role| ApprovalFacts {
        roles: BTreeSet::from([role.to_owned()]),
        count: 1,
        ..ApprovalFacts::default()
    }))
}

/// All of `policies` that the schema takes, as one set.
fn compiled(policies: &[(bool, usize, usize, usize, usize)], schema: &Schema) -> PolicySet {
    let texts = policies.iter().enumerate().map(|(number, policy)| text(number, *policy));
    let taken = texts.filter(|text| PolicySet::compile(&[world::source(text)], schema).is_ok());
    PolicySet::compile(&[world::source(&taken.collect::<String>())], schema).expect("each compiles alone")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_index_decides_as_the_plain_evaluator_does(
        policies in prop::collection::vec(policy(), 1..12),
        calls in prop::collection::vec((facts(), approval()), 1..6),
    ) {
        let schema = world::schema();
        let set = compiled(&policies, &schema);
        for ((facts, shape, arguments), approval) in calls {
            let request = Request {
                facts: &facts, shape: &shape, arguments: &arguments, approval: approval.as_ref(), now_ms: NOW_MS, credential_age_s: 0,
            };
            prop_assert_eq!(evaluate(&set, &schema, &request), evaluate_plainly(&set, &schema, &request));
        }
    }

    #[test]
    fn candidates_are_the_policies_whose_scope_is_fulfilled(
        policies in prop::collection::vec(policy(), 1..12),
        (facts, ..) in facts(),
    ) {
        let schema = world::schema();
        // Without conditions, a permit is determining exactly if its scope is fulfilled.
        let policies: Vec<_> = policies.into_iter().map(|policy| (true, policy.1, policy.2, policy.3, 0)).collect();
        let set = compiled(&policies, &schema);
        let scene = Scene::set(&facts, &schema).expect("a scene");
        let found: Vec<&str> = set.index().candidates(&scene).iter().map(|at| set.rules()[*at].id.as_str()).collect();
        let shape = if facts.operation.verb == Verb::Write { world::refund_shape() } else { Shape::empty() };
        let arguments = if facts.operation.verb == Verb::Write { json!({"order_id": "o", "amount": 1}) } else { json!({}) };
        let request = Request { facts: &facts, shape: &shape, arguments: &arguments, approval: None, now_ms: NOW_MS, credential_age_s: 0 };
        prop_assert_eq!(found, evaluate_plainly(&set, &schema, &request).determining);
    }
}

/// An estate of `count` policies: a few for all, the others each for one agent, one operation or one connector.
fn estate(count: usize) -> Index {
    let schema = world::schema();
    let mut text = format!("{PERMIT}\n@id(\"w\") forbid(principal, action in Action::\"write\", resource);\n");
    for number in 2..count {
        text += &match number % 3 {
            0 => format!("forbid(principal == Agent::\"agent-{number}\", action, resource);\n"),
            1 => format!("forbid(principal in Class::\"act\", action == Action::\"c{number}/tool\", resource);\n"),
            _ => format!("permit(principal, action in Action::\"read\", resource in Connector::\"c{number}\");\n"),
        };
    }
    let policies: cedar_policy::PolicySet = text.parse().expect("policies");
    let scopes: Vec<Scope> = policies.policies().map(|policy| Scope::of(policy, &schema.kinds)).collect();
    Index::of(scopes.iter())
}

#[test]
fn what_a_decision_looks_at_does_not_grow_with_the_estate() {
    let scene = Scene::set(&world::facts(), &world::schema()).expect("a scene");
    for count in [10, 1_000, 10_000] {
        assert_eq!(estate(count).candidates(&scene).len(), 2, "of {count} policies");
    }
}

#[test]
fn a_set_that_names_nothing_of_a_call_has_no_candidates() {
    let text = "@id(\"x\") forbid(principal == Agent::\"other\", action, resource);";
    let set = PolicySet::compile(&[PolicySource { name: "x".to_owned(), text: text.to_owned() }], &world::schema());
    let scene = Scene::set(&world::facts(), &world::schema()).expect("a scene");
    assert!(set.expect("a set").index().candidates(&scene).is_empty());
}
