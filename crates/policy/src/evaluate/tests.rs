use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::world::{World, operations};
use crate::{OperationShape, Shape, Verb};

const ASKS_SUPPORT: &str = r#"
@id("big-refunds-ask") @reason("refunds above 100 need a support lead") @approvers("support-leads") @within("2h")
forbid(principal, action == Action::"helpdesk/refund_order", resource)
when { context.arguments.amount > 100 }
unless { context has approval && context.approval.roles.contains("support-leads") };"#;

#[test]
fn a_live_grant_permits_and_without_one_the_reason_says_so() {
    let mut world = World::with("");
    let decision = world.refund(5);
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(decision.determining, ["granted"]);
    assert!(decision.reasons.is_empty());

    world.facts.grant = None;
    let decision = world.refund(5);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert!(decision.reasons[0].starts_with("no live grant covers `helpdesk/refund_order`"), "{decision:?}");
}

#[test]
fn without_a_permit_the_reason_says_so() {
    let mut world = World::with("");
    world.set = PolicySet::compile(&[], &world.schema).expect("an empty set");
    let decision = world.refund(5);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(decision.reasons, ["no policy permits `helpdesk/refund_order` for the agent `refunds`"]);
}

#[test]
fn what_needs_approval_asks_and_goes_out_once_approved() {
    let world = World::with(ASKS_SUPPORT);
    assert_eq!(world.refund(100).outcome, Outcome::Allow);
    let decision = world.refund(101);
    let ask = Ask {
        policies: vec!["big-refunds-ask".to_owned()],
        approvers: vec![vec!["support-leads".to_owned()]],
        quorums: vec![1],
        quorum: 1,
        within_seconds: 7_200,
    };
    assert_eq!(decision.outcome, Outcome::Ask(ask));
    assert_eq!(decision.reasons, ["refunds above 100 need a support lead"]);
    assert_eq!(World::with(ASKS_SUPPORT).approved(&["support-leads"], 1).refund(101).outcome, Outcome::Allow);
    assert!(matches!(World::with(ASKS_SUPPORT).approved(&["owner"], 1).refund(101).outcome, Outcome::Ask(_)));
}

#[test]
fn nobody_is_asked_for_what_cannot_be_allowed() {
    let mut world = World::with(ASKS_SUPPORT);
    world.facts.grant = None;
    let decision = world.refund(101);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert!(decision.reasons[0].starts_with("no live grant"), "{decision:?}");

    let never = r#"@id("never") @reason("never above 1000") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.amount > 1000 };"#;
    let decision = World::with(&format!("{ASKS_SUPPORT}{never}")).refund(1_001);
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(decision.determining, ["big-refunds-ask", "never"]);

    // The annotation promises an approval that the condition does not honour.
    let broken = r#"@id("broken") @approvers("owner") forbid(principal, action, resource)
        unless { context has approval && context.approval.roles.contains("security") };"#;
    let decision = World::with(broken).refund(1);
    assert_eq!((decision.outcome, decision.determining), (Outcome::Deny, vec!["broken".to_owned()]));
}

#[test]
fn asks_of_several_policies_come_together() {
    let two = r#"@id("two-people") @approvers("security, owner") @quorum("2") @within("15m")
        forbid(principal, action, resource)
        unless { context has approval && context.approval.count >= 2 &&
                 context.approval.roles.containsAny(["security", "owner"]) };"#;
    let text = format!("{ASKS_SUPPORT}{two}");
    let Outcome::Ask(ask) = World::with(&text).refund(500).outcome else { panic!("it asks") };
    assert_eq!(ask.policies, ["big-refunds-ask", "two-people"]);
    assert_eq!(ask.approvers, [vec!["owner".to_owned(), "security".to_owned()], vec!["support-leads".to_owned()]]);
    assert_eq!((ask.quorum, ask.within_seconds), (2, 900));

    let roles = ["security", "support-leads"];
    let Outcome::Ask(ask) = World::with(&text).approved(&roles, 1).refund(500).outcome else { panic!("it asks on") };
    assert_eq!(ask.policies, ["two-people"], "what is satisfied no longer asks");
    assert_eq!(World::with(&text).approved(&roles, 2).refund(500).outcome, Outcome::Allow);
}

#[test]
fn an_error_in_a_forbid_denies() {
    let overflow = r#"@id("overflow") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.amount + 9223372036854775807 < 0 };"#;
    assert_eq!(World::with(overflow).refund(0).outcome, Outcome::Allow);
    let decision = World::with(overflow).refund(1);
    assert_eq!((&decision.outcome, &decision.determining), (&Outcome::Deny, &vec!["overflow".to_owned()]));
    assert!(decision.errors[0].contains("`overflow` could not be evaluated"), "{decision:?}");
    assert!(decision.reasons[0].contains("`overflow`"), "{decision:?}");

    // Even beside a forbid that would have asked, and even if that one is approved.
    let both = format!("{ASKS_SUPPORT}{overflow}");
    assert_eq!(World::with(&both).refund(101).outcome, Outcome::Deny);
    assert_eq!(World::with(&both).approved(&["support-leads"], 1).refund(101).outcome, Outcome::Deny);
}

#[test]
fn a_forbid_that_reads_what_is_not_there_denies() {
    // Compiled where every refund has an amount; decided where none has: the schema that decides refuses the context.
    let mut world = World::with(ASKS_SUPPORT);
    let changed: Vec<OperationShape> =
        operations().into_iter().map(|operation| OperationShape { arguments: Shape::empty(), ..operation }).collect();
    world.schema = Schema::generate(changed.iter()).expect("a schema");
    let decision = world.refund(5);
    assert_eq!(decision.outcome, Outcome::Deny, "a context that the schema does not know");

    world.shape = Shape::empty();
    let decision = world.decide(&json!({}));
    assert_eq!(decision.outcome, Outcome::Deny, "a forbid that reads a missing attribute");
    assert_eq!(decision.determining, ["big-refunds-ask"]);
    assert_eq!(decision.errors.len(), 1);
}

#[test]
fn an_error_in_a_permit_only_fails_to_permit() {
    let text = r#"@id("odd") permit(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.amount + 9223372036854775807 > 0 };"#;
    let decision = World::with(text).refund(1);
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(decision.determining, ["granted"]);
    assert_eq!(decision.errors.len(), 1);
}

#[test]
fn arguments_that_do_not_fit_are_denied() {
    let world = World::with("");
    for arguments in [
        json!({ "order_id": "o", "amount": "1" }),
        json!({ "order_id": "o" }),
        json!({ "order_id": "o", "amount": 1, "extra": true }),
        json!(null),
    ] {
        let decision = world.decide(&arguments);
        assert_eq!(decision.outcome, Outcome::Deny, "{arguments}");
        assert_eq!((decision.errors.len(), decision.reasons.len()), (1, 1), "{decision:?}");
    }
}

#[test]
fn operations_that_the_policies_do_not_know_are_denied() {
    let mut world = World::with("");
    world.facts.operation.id = "helpdesk/other".to_owned();
    assert_eq!(world.refund(1).outcome, Outcome::Deny);
    let mut world = World::with("");
    world.facts.operation.verb = Verb::Read;
    assert_eq!(world.refund(1).outcome, Outcome::Deny);
}

#[test]
fn facts_reach_policies() {
    let text = r#"@id("x") forbid(principal, action in Action::"write", resource in Connector::"helpdesk")
        when {
          principal == Agent::"refunds" && principal in Class::"act" && principal.owner in Group::"support" &&
          principal.task has acting_for && principal.task.acting_for == Person::"prs_customer" &&
          principal.task.calls == 4 && principal.grant.id == "grt_1" && principal.attribution == "proven" &&
          principal.environment == "production" && resource.verb == "write" && resource.risk == 2 &&
          resource == Operation::"helpdesk/refund_order" && context.now == 1700000000000 &&
          context.arguments.share.lessThan(decimal("0.5")) && context.arguments.tags.contains("vip") &&
          context.arguments.address.city == "Turin" && !(context.arguments has notify)
        };"#;
    // Validation wants each optional fact asked for first; here they are all there.
    let text = text
        .replace("principal.grant.id", "principal has grant && principal.grant.id")
        .replace("action in Action::\"write\"", "action == Action::\"helpdesk/refund_order\"")
        .replace("context.arguments.share", "context.arguments has share && context.arguments.share")
        .replace("context.arguments.tags", "context.arguments has tags && context.arguments.tags")
        .replace("context.arguments.address", "context.arguments has address && context.arguments.address");
    let world = World::with(&text);
    let arguments = json!({ "order_id": "o", "amount": 1, "share": 0.25, "tags": ["vip"], "notify": null,
        "address": { "city": "Turin" } });
    assert_eq!(world.decide(&arguments).determining, ["x"]);
    assert_eq!(world.refund(1).outcome, Outcome::Allow);
}

#[test]
fn the_owner_may_be_the_person_acted_for() {
    let mut world = World::with("");
    world.facts.acting_for = Some(crate::PersonFacts { id: "prs_owner".to_owned(), groups: Vec::new() });
    assert_eq!(world.refund(1).outcome, Outcome::Allow);
}

#[test]
fn generated_reasons_name_the_policy() {
    let plain = r#"@id("plain") forbid(principal, action, resource);"#;
    assert_eq!(World::with(plain).refund(1).reasons, ["the policy `plain` forbids it"]);
    let asking = r#"@id("asking") @approvers("b,a") forbid(principal, action, resource)
        unless { context has approval && context.approval.roles.containsAny(["a", "b"]) };"#;
    assert_eq!(World::with(asking).refund(1).reasons, ["the policy `asking` asks for the approval of `a` or `b`"]);
}

#[test]
fn where_the_two_ways_differ_nothing_is_allowed() {
    let differs = doubted();
    assert_eq!((&differs.outcome, differs.is_fault), (&Outcome::Deny, true));
    assert_eq!((differs.errors.len(), differs.reasons.len()), (1, 1));
}

#[test]
fn one_decision_in_a_thousand_is_made_twice() {
    let mut world = World::with("");
    let (mut lots, arguments) = (Vec::new(), json!({}));
    for calls in 0..100_000 {
        world.facts.task.calls = calls;
        let now_ms = crate::world::NOW_MS + i64::try_from(calls / 10).expect("small");
        let (facts, shape) = (&world.facts, &world.shape);
        let request = Request { facts, shape, arguments: &arguments, approval: None, now_ms, credential_age_s: 0 };
        lots.extend(sample(&request));
    }
    assert!((50..200).contains(&lots.len()), "{} of 100000", lots.len());
    // Every part of a set of 100 parts is looked at in its turn.
    let parts: BTreeSet<u64> = lots.iter().map(|lot| lot % 100).collect();
    assert!(parts.len() > 30, "{}", parts.len());
}
