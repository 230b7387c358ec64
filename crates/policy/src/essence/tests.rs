use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::evaluate_plainly;
use crate::world::{self, NOW_MS};

const SCOPES: [&str; 5] = [
    "principal, action, resource",
    "principal == Agent::\"refunds\", action, resource",
    "principal in Class::\"act\", action in Action::\"write\", resource",
    "principal, action == Action::\"helpdesk/refund_order\", resource",
    "principal == Agent::\"other\", action, resource in Connector::\"helpdesk\"",
];
const CONDITIONS: [&str; 17] = [
    "",
    "when { principal has grant }",
    "when { principal has grant && principal.grant.id == \"grt_1\" }",
    "when { principal has grant && principal.grant.expires_at < 1700000000500 }",
    "when { principal has grant && principal.grant == principal.grant && principal.grant.reason like \"b*\" }",
    "when { principal.task.calls > 5 }",
    "when { principal.task.id == \"tsk_1\" }",
    "when { principal.task.purpose like \"*returned\" }",
    "when { principal.task.labels.contains(\"untrusted\") }",
    "when { context.now > 1700000000000 }",
    "when { context.credential_age > 60 }",
    "when { context.credential_age >= (if principal.autonomy > 2 then 50 else 100) }",
    "when { context has approval }",
    "unless { context has approval && context.approval.roles.contains(\"owner\") }",
    "unless { context has approval && context.approval.approved_at > 1699999999000 }",
    "when { resource in Connector::\"helpdesk\" && context.arguments == context.arguments }",
    "when { principal.autonomy > 2 && principal.data >= resource.data }",
];

fn set() -> impl Strategy<Value = (PolicySet, Schema)> {
    let policy = (any::<bool>(), 0..SCOPES.len(), 0..CONDITIONS.len());
    prop::collection::vec(policy, 1..8).prop_map(|policies| {
        let schema = world::schema();
        let texts = policies.iter().enumerate().map(|(number, (permits, scope, condition))| {
            let (scope, condition) = (SCOPES[*scope], CONDITIONS[*condition]);
            let effect = match (permits, condition.starts_with("unless")) {
                (true, _) => "permit",
                (false, true) => "@approvers(\"owner\") forbid",
                (false, false) => "forbid",
            };
            format!("@id(\"p{number}\") {effect}({scope}) {condition};\n")
        });
        let taken: String = texts.filter(|text| PolicySet::compile(&[world::source(text)], &schema).is_ok()).collect();
        (PolicySet::compile(&[world::source(&taken)], &schema).expect("each compiles alone"), schema)
    })
}

#[derive(Debug, Clone)]
struct Call {
    facts: Facts,
    approval: Option<ApprovalFacts>,
    arguments: Value,
    now_ms: i64,
    credential_age_s: i64,
}

impl Call {
    fn request<'a>(&'a self, shape: &'a Shape) -> Request<'a> {
        let Self { facts, approval, arguments, now_ms, credential_age_s } = self;
        let (now_ms, credential_age_s) = (*now_ms, *credential_age_s);
        Request { facts, shape, arguments, approval: approval.as_ref(), now_ms, credential_age_s }
    }
}

/// Calls that differ mostly in what changes from call to call.
fn call() -> impl Strategy<Value = Call> {
    let volatile = (0..10u64, any::<[bool; 8]>(), 0..3i64, 0..3i64, 0..2i64);
    volatile.prop_map(|(calls, [other, task, purpose, label, grant, reason, approved, owner], now, age, amount)| {
        let mut facts = world::facts();
        let pick = |choose: bool, yes: &str, no: &str| if choose { yes.to_owned() } else { no.to_owned() };
        facts.agent.name = pick(other, "other", "refunds");
        facts.task.calls = calls;
        facts.task.id = pick(task, "tsk_1", "tsk_2");
        facts.task.purpose = pick(purpose, "refund what was returned", "look around");
        facts.task.labels = label.then(|| "untrusted".to_owned()).into_iter().collect();
        facts.grant = facts.grant.map(|given| GrantFacts {
            id: pick(grant, "grt_1", "grt_2"),
            reason: pick(reason, "because", "refunds"),
            expires_at_ms: NOW_MS + now * 400,
            ..given
        });
        let approval = approved.then(|| ApprovalFacts {
            roles: BTreeSet::from([pick(owner, "owner", "security")]),
            count: 1,
            approved_at_ms: NOW_MS - now * 700,
            ..ApprovalFacts::default()
        });
        let arguments = json!({"order_id": "o-1", "amount": amount});
        Call { facts, approval, arguments, now_ms: NOW_MS + now - 1, credential_age_s: age * 50 }
    })
}

fn digest(arguments: &Value) -> Vec<u8> {
    arguments.to_string().into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn requests_of_one_essence_are_decided_alike((set, schema) in set(), calls in prop::collection::vec(call(), 2..24)) {
        let shape = world::refund_shape();
        let mut essences = Essences::of(&set);
        let mut known: HashMap<Essence, Decision> = HashMap::new();
        for call in &calls {
            let request = call.request(&shape);
            let concern = essences.concern(&schema, &call.facts, &shape);
            let needed = concern.needs_arguments();
            let arguments = needed.then(|| digest(&call.arguments));
            let essence = concern.essence(&request, arguments.as_deref());
            let decision = evaluate_plainly(&set, &schema, &request);
            if !needed {
                prop_assert_eq!(&essences.evaluate_unseen(&schema, &request), &decision);
            }
            let before = known.entry(essence).or_insert_with(|| decision.clone());
            prop_assert_eq!(&*before, &decision);
        }
    }
}

fn essences(text: &str) -> (Essences, Schema) {
    let schema = world::schema();
    let set = PolicySet::compile(&[world::source(&format!("{}\n{text}", world::PERMIT))], &schema);
    (Essences::of(&set.expect("the policies hold")), schema)
}

fn alike(text: &str, change: impl FnOnce(&mut Call)) -> bool {
    let (mut essences, schema) = essences(text);
    let shape = world::refund_shape();
    let arguments = json!({"order_id": "o-1", "amount": 1});
    let one = Call { facts: world::facts(), approval: None, arguments, now_ms: NOW_MS, credential_age_s: 0 };
    let mut other = one.clone();
    change(&mut other);
    let mut essence = |call: &Call| essences.concern(&schema, &call.facts, &shape).essence(&call.request(&shape), None);
    essence(&one) == essence(&other)
}

#[test]
fn what_no_policy_reads_makes_no_difference() {
    assert!(alike("", |call| call.facts.task.calls = 99));
    assert!(alike("", |call| call.now_ms += 1));
    assert!(!alike("", |call| call.facts.agent.autonomy = 1));
    assert!(!alike("", |call| call.facts.grant = None));
    let calls = "@id(\"c\") forbid(principal, action, resource) when { principal.task.calls > 5 };";
    assert!(!alike(calls, |call| call.facts.task.calls = 99));
    let others =
        "@id(\"c\") forbid(principal == Agent::\"other\", action, resource) when { principal.task.calls > 5 };";
    assert!(alike(others, |call| call.facts.task.calls = 99), "a rule about another agent does not concern this one");
}

#[test]
fn a_record_that_is_compared_as_a_whole_is_read_as_a_whole() {
    let whole = "@id(\"t\") forbid(principal, action, resource) when { [principal.task].contains(principal.task) };";
    assert!(!alike(whole, |call| call.facts.task.calls = 99));
    let there = "@id(\"t\") forbid(principal, action, resource) when { !(principal has grant) };";
    assert!(alike(there, |call| call.facts.grant.as_mut().expect("a grant").id = "grt_9".to_owned()));
}

#[test]
fn arguments_are_needed_where_a_rule_that_concerns_the_call_reads_them() {
    let shape = world::refund_shape();
    let needs = |text: &str| {
        let (mut essences, schema) = essences(text);
        essences.concern(&schema, &world::facts(), &shape).needs_arguments()
    };
    let refund = "action == Action::\"helpdesk/refund_order\"";
    assert!(!needs(""));
    assert!(needs(&format!(
        "@id(\"a\") forbid(principal, {refund}, resource) when {{ context.arguments.order_id == \"x\" }};"
    )));
    let other = "principal == Agent::\"other\"";
    let text = |argument: &str| {
        format!("@id(\"a\") forbid({other}, {refund}, resource) when {{ context.arguments.{argument} }};")
    };
    assert!(!needs(&text("order_id == \"x\"")));
    assert!(needs(&text("amount == 5")), "a number that a policy compares has to be exact, whoever calls");
}
