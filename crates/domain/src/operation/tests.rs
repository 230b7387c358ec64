use serde_json::json;

use super::*;
use crate::Command;
use crate::tests::world::{World, by, helpdesk, operation, pattern, tool};

fn approve(world: &World, choices: Vec<OperationChoice>) -> Command {
    Command::ApproveOperations { connector: world.helpdesk(), choices }
}

#[test]
fn a_pattern_covers_one_operation_or_a_connector() {
    let (all, one) = (pattern("helpdesk/*"), pattern("helpdesk/read"));
    assert!(all.covers(&operation("helpdesk/read")) && one.covers(&operation("helpdesk/read")));
    assert!(!one.covers(&operation("helpdesk/reads")) && !all.covers(&operation("helpdesk2/read")));
    assert!(all.contains(&one) && all.contains(&all) && !one.contains(&all));
    assert!(!pattern("help/*").contains(&one) && !pattern("billing/read").contains(&one));
    for bad in ["helpdesk", "helpdesk/", "/read", "*/*", "*", "helpdesk/re*", "Help/read", "a__b/read"] {
        assert_eq!(bad.parse::<OperationPattern>().unwrap_err().code, "bad_operation", "{bad}");
    }
    assert!(serde_json::from_value::<OperationPattern>(json!("*/*")).is_err());
}

#[test]
fn a_definition_that_breaks_an_active_policy_is_a_conflict() {
    let mut world = World::with_support();
    world.policy(
        "refunds",
        "@id(\"small-refunds\") forbid (principal, action == Action::\"helpdesk/refund\", resource) \
         when { context.arguments has amount && context.arguments.amount > 100 };",
    );
    let without_amount = tool("refund", Verb::Write, 3, &json!({"id": {"type": "integer"}}));
    let command = approve(&world, vec![without_amount]);
    let refusal = world.refusal(&by(world.root), command);
    assert_eq!(refusal.code, "policy_conflict", "{refusal}");
    assert!(!refusal.fields.is_empty());
}

#[test]
fn a_withdrawn_operation_is_denied_until_it_is_approved_again() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let withdraw =
        Command::WithdrawOperation { operation: operation("helpdesk/read"), reason: "it changed".to_owned() };
    assert_eq!(world.refused(&by(world.named("ana")), withdraw.clone()), "not_permitted");
    world.must(&Actor::Remit, withdraw.clone());
    assert!(world.must(&Actor::Remit, withdraw).is_empty());
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "operation_withdrawn");
    let mut choices = helpdesk();
    choices.truncate(1);
    let command = approve(&world, choices);
    world.must(&by(world.root), command);
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
}

#[test]
fn only_the_connectors_owner_or_an_administrator_approves_its_operations() {
    let mut world = World::with_support();
    let command = approve(&world, helpdesk());
    assert_eq!(world.refused(&by(world.named("ana")), command), "not_permitted");
}

#[test]
fn what_is_approved_is_what_was_shown() {
    let mut world = World::with_support();
    let mut misnamed = tool("read", Verb::Read, 0, &json!({}));
    misnamed.tool = "other".to_owned();
    let large = tool("large", Verb::Read, 0, &json!({"x": {"description": "x".repeat(limits::DEFINITION_BYTES_MAX)}}));
    let wrong = [
        (misnamed, "bad_operation"),
        (tool("*", Verb::Read, 0, &json!({})), "bad_operation"),
        (tool("risky", Verb::Read, 4, &json!({})), "bad_operation"),
        (tool("broken", Verb::Read, 0, &json!("text")), "bad_schema"),
        (large, "definition_too_large"),
    ];
    for (choice, code) in wrong {
        let command = approve(&world, vec![choice]);
        assert_eq!(world.refused(&by(world.root), command), code);
    }
}

#[test]
fn a_reserved_name_is_only_for_a_feature_as_remit_describes_it() {
    let mut world = World::with_support();
    for feature in Feature::all() {
        let own =
            OperationChoice { definition: feature.definition(), ..tool(feature.name(), Verb::Read, 0, &json!({})) };
        let command = approve(&world, vec![own]);
        world.must(&by(world.root), command);
        let foreign = tool(feature.name(), Verb::Read, 0, &json!({}));
        let command = approve(&world, vec![foreign]);
        assert_eq!(world.refused(&by(world.root), command), "bad_operation");
    }
    let command = approve(&world, vec![tool("@other", Verb::Read, 0, &json!({}))]);
    assert_eq!(world.refused(&by(world.root), command), "bad_operation");
}

#[test]
fn what_is_projected_is_declared_with_the_approval_and_decides() {
    let mut world = World::with_support();
    let properties = json!({"to": {"type": "array", "items": {"type": "string"}}});
    let declared = |text: &str| OperationChoice {
        projections: vec![text.parse().unwrap()],
        ..tool("mail", Verb::Write, 1, &properties)
    };
    let wrong = approve(&world, vec![declared("domains = email_domain(recipient)")]);
    let refusal = world.refusal(&by(world.root), wrong);
    assert_eq!(refusal.code, "bad_projection", "{refusal}");
    let command = approve(&world, vec![declared("domains = email_domain(to[])")]);
    world.must(&by(world.root), command);
    world.policy(
        "inside",
        "@id(\"inside\") forbid (principal, action, resource) when { context.projected has domains && \
         !([\"example.org\"].containsAll(context.projected.domains)) };",
    );
    let agent = world.support();
    let task = world.task(agent);
    world.call(task, "helpdesk/mail", json!({"to": ["ana@example.org"]})).allowed();
    world.call(task, "helpdesk/mail", json!({})).allowed();
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
    let outside = world.call(task, "helpdesk/mail", json!({"to": ["ana@example.org", "eve@evil.org"]})).denied();
    assert_eq!(outside.determining, ["inside"]);
    let unclear = world.call(task, "helpdesk/mail", json!({"to": ["ana@example.org, eve@evil.org"]})).denied();
    assert_eq!(unclear.refusal.code, "bad_arguments");
    assert!(unclear.refusal.sentence.contains("`domains`"), "{}", unclear.refusal);
    // Without it, a policy that needs it would not hold any more.
    world.policy(
        "needs",
        "@id(\"needs\") forbid (principal, action == Action::\"helpdesk/mail\", resource) unless \
         { context.projected has domains && context.projected.domains.contains(\"example.org\") };",
    );
    let values = world.state.projected(&operation("helpdesk/mail"), &json!({"to": ["a@B.org"]}));
    assert_eq!(json!(values), json!({"domains": ["b.org"]}));
}

#[test]
fn approving_again_what_is_there_does_not_count_twice() {
    let mut world = World::with_support();
    let many =
        |count: usize| (0..count).map(|n| tool(&format!("tool-{n}"), Verb::Read, 0, &json!({}))).collect::<Vec<_>>();
    let full = limits::CONNECTOR_OPERATIONS_MAX - helpdesk().len();
    let command = approve(&world, many(full));
    world.must(&by(world.root), command.clone());
    world.must(&by(world.root), command);
    for choices in [Vec::new(), many(full + 1), many(limits::CONNECTOR_OPERATIONS_MAX + 1)] {
        let command = approve(&world, choices);
        assert_eq!(world.refused(&by(world.root), command), "bad_selection");
    }
}

#[test]
fn the_digest_is_of_the_meaning_not_of_the_spelling() {
    let one: Definition = serde_json::from_str(r#"{"document":{"name":"read","a":1}}"#).unwrap();
    let other: Definition = serde_json::from_str(r#"{"document":{"a":1.0,"name":"read"}}"#).unwrap();
    assert_eq!(one.digest(), other.digest());
}
