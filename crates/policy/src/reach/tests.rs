use proptest::prelude::*;
use serde_json::json;

use cedar_policy::{Decision, EntityId, EntityUid, PartialEntities, PartialEntityUid, PartialRequest};

use super::*;
use crate::world::World;
use crate::{Attribution, Outcome};

/// What Cedar's own type-aware partial evaluation (RFC 95) says, with the whole schema at hand.
fn by_cedar(set: &PolicySet, schema: &Schema, facts: &Facts) -> Option<Reach> {
    let Ok(scene) = Scene::set(facts, schema) else { return Some(Reach::Never) };
    let principal = PartialEntityUid::new(schema.kinds.agent.clone(), Some(EntityId::new(&facts.agent.name)));
    let resource = PartialEntityUid::new(schema.kinds.operation.clone(), Some(EntityId::new(&facts.operation.id)));
    let action = EntityUid::from((*scene.action.uid).clone());
    let request = PartialRequest::new(principal, action, resource, None, schema.cedar()).ok()?;
    let entities = PartialEntities::from_concrete(scene.things().ok()?, schema.cedar()).ok()?;
    let candidates = set.part(&set.index().candidates(&scene))?;
    let response = candidates.tpe(&request, &entities, schema.cedar()).ok()?;
    if response.error_forbids().next().is_some() {
        return Some(Reach::Never);
    }
    Some(match response.decision() {
        Some(Decision::Deny) => Reach::Never,
        Some(Decision::Allow) => Reach::Always,
        None => Reach::Depends,
    })
}

fn reach_of(world: &World) -> Reach {
    reach(&world.set, &world.schema, &world.facts)
}

const BIG: &str = r#"@id("big") forbid(principal, action == Action::"helpdesk/refund_order", resource)
    when { context.arguments.amount > 100 };"#;

#[test]
fn what_depends_on_nothing_is_always_or_never() {
    let mut world = World::with("");
    assert_eq!(reach_of(&world), Reach::Always);
    world.facts.grant = None;
    assert_eq!(reach_of(&world), Reach::Never);
    let risky = r#"@id("risk") forbid(principal, action, resource) when { resource.risk > 1 };"#;
    assert_eq!(reach_of(&World::with(risky)), Reach::Never);
    let other = r#"@id("other") forbid(principal, action in Action::"send", resource);"#;
    assert_eq!(reach_of(&World::with(other)), Reach::Always);
}

#[test]
fn what_depends_on_arguments_approvals_or_time_depends() {
    assert_eq!(reach_of(&World::with(BIG)), Reach::Depends);
    let asks = r#"@id("asks") @approvers("owner") forbid(principal, action, resource)
        unless { context has approval && context.approval.roles.contains("owner") };"#;
    assert_eq!(reach_of(&World::with(asks)), Reach::Depends);
    let late = r#"@id("late") forbid(principal, action, resource) when { context.now > 1800000000000 };"#;
    assert_eq!(reach_of(&World::with(late)), Reach::Depends);
}

#[test]
fn a_forbid_that_cannot_be_evaluated_is_out_of_reach() {
    let error = r#"@id("error") forbid(principal, action, resource) when { resource.risk + 9223372036854775807 > 0 };"#;
    let world = World::with(error);
    assert_eq!(world.refund(1).outcome, Outcome::Deny);
    assert_eq!(reach_of(&world), Reach::Never);
}

#[test]
fn an_unknown_operation_is_out_of_reach() {
    let mut world = World::with("");
    world.facts.operation.id = "helpdesk/other".to_owned();
    assert_eq!(reach_of(&world), Reach::Never);
}

/// Rules that depend on facts, arguments, approval and time in many ways; a test takes some of them.
const RULES: [&str; 9] = [
    BIG,
    r#"@id("asks") @approvers("owner") forbid(principal, action, resource) when { resource.risk >= 3 }
        unless { context has approval && context.approval.roles.contains("owner") };"#,
    r#"@id("asks-two") @approvers("security") @quorum("2") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.amount > 50 && principal.autonomy > 2 }
        unless { context has approval && context.approval.count >= 2 };"#,
    r#"@id("ceiling") forbid(principal, action, resource) when { resource.data > principal.data };"#,
    r#"@id("overflow") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.amount + 9223372036854775700 < 0 };"#,
    r#"@id("fact-overflow") forbid(principal, action, resource) when { principal.autonomy + 9223372036854775804 < 0 };"#,
    r#"@id("tags") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments has tags && context.arguments.tags.contains("x") && principal.attribution == "asserted" };"#,
    r#"@id("small") permit(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.amount < 10 && principal.autonomy >= 2 };"#,
    r#"@id("late") forbid(principal, action, resource) when { context.now < 0 };"#,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn reach_agrees_with_evaluate(
        chosen in proptest::collection::vec(any::<bool>(), RULES.len()),
        (granted, proven, risk, data) in (any::<bool>(), any::<bool>(), 0u8..4, 0u8..4),
        (autonomy, own_data) in (1u8..5, 0u8..4),
        amount in prop_oneof![0i64..120, Just(i64::MAX)],
        tags in proptest::option::of(proptest::collection::vec("[xy]", 0..3)),
        approval in proptest::option::of((any::<bool>(), 1u32..3)),
    ) {
        let text: String = RULES.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(rule, _)| *rule).collect();
        let mut world = World::with(&text);
        world.facts.grant = world.facts.grant.filter(|_| granted);
        world.facts.agent.autonomy = autonomy;
        world.facts.agent.data = own_data;
        world.facts.agent.attribution = if proven { Attribution::Proven } else { Attribution::Asserted };
        world.facts.operation.risk = risk;
        world.facts.operation.data = data;
        if let Some((owner, count)) = approval {
            world = world.approved(if owner { &["owner"] } else { &["security"] }, count);
        }
        let mut arguments = json!({ "order_id": "o", "amount": amount });
        if let Some(tags) = tags {
            arguments["tags"] = json!(tags);
        }
        let outcome = world.decide(&arguments).outcome;
        let cedar = by_cedar(&world.set, &world.schema, &world.facts).expect("an answer");
        // What depends on something for Cedar can be told here, because it does not know that arguments always fit the schema.
        prop_assert!(reach_of(&world) == cedar || cedar == Reach::Depends);
        match reach_of(&world) {
            Reach::Never => prop_assert_eq!(outcome, Outcome::Deny),
            Reach::Always => prop_assert_eq!(outcome, Outcome::Allow),
            Reach::Depends => {}
        }
    }
}
