use crate::world::World;
use crate::{Outlook, Reach, outlook};

/// What stands in the way of a refund, by these rules.
fn condition(rules: &str) -> Option<String> {
    let world = World::with(rules);
    outlook(&world.set, &world.schema, &world.facts).condition
}

fn forbid(when: &str) -> Option<String> {
    condition(&format!(
        "@id(\"x\") forbid(principal, action == Action::\"helpdesk/refund_order\", resource) when {{ {when} }};"
    ))
}

#[test]
fn what_is_known_is_worked_in() {
    let limit = forbid("context.arguments.amount > principal.autonomy * 100");
    assert_eq!(limit.as_deref(), Some("context.arguments.amount <= 300"));
    let who = forbid("principal.autonomy > 2 && (resource.risk > 5 || context.arguments.amount > 7)");
    assert_eq!(who.as_deref(), Some("context.arguments.amount <= 7"));
    let branch = forbid("(if resource.risk > 1 then context.arguments.amount else 0) > 7");
    assert_eq!(branch.as_deref(), Some("context.arguments.amount <= 7"));
}

#[test]
fn what_cannot_matter_is_left_out() {
    // Whatever the amount, the rest is false.
    assert_eq!(forbid("context.arguments.amount > 7 && principal.autonomy > 3"), None);
    // But where the first part can fail, the call can.
    let overflow = forbid("context.arguments.amount + 1 > 7 && principal.autonomy > 3");
    assert_eq!(overflow.as_deref(), Some("context.arguments.amount + 1 <= 7 || true"));
}

#[test]
fn what_the_operation_has_or_has_not_is_known() {
    // A refund has an amount always, a share perhaps, and no such part as `to`.
    let rule = |name: &str| {
        format!(
            "@id(\"x\") forbid(principal, action, resource) when {{ context.arguments has {name} && context.arguments.{name} > 5 }};"
        )
    };
    assert_eq!(condition(&rule("amount")).as_deref(), Some("context.arguments.amount <= 5"));
    let share = forbid("context.arguments has share && context.arguments.share.lessThan(decimal(\"0.5\"))");
    assert_eq!(
        share.as_deref(),
        Some("!(context.arguments has share) || !context.arguments.share.lessThan(decimal(\"0.5\"))")
    );
    let city = forbid("context.arguments has address.city && context.arguments.address.city == \"X\"");
    assert_eq!(
        city.as_deref(),
        Some("!(context.arguments has address.city) || context.arguments.address.city != \"X\"")
    );
    assert_eq!(
        forbid("context.arguments has address.street || context.arguments has to || principal.autonomy > 3"),
        None
    );
}

#[test]
fn whoever_could_be_asked_is_named() {
    let asks = r#"@id("asks") @approvers("owner, support") @quorum("2") forbid(principal, action, resource)
        when { resource.risk > 1 } unless { context has approval && context.approval.count >= 2 };"#;
    let world = World::with(asks);
    let Outlook { reach, condition, asks } = outlook(&world.set, &world.schema, &world.facts);
    assert_eq!(reach, Reach::Depends);
    assert_eq!(condition.as_deref(), Some("context has approval && context.approval.count >= 2"));
    let [ask] = &asks[..] else { panic!("one ask: {asks:?}") };
    assert_eq!((ask.policies.as_slice(), ask.quorum), (&["asks".to_owned()][..], 2));
    assert_eq!(ask.approvers, [["owner", "support"]]);
}

#[test]
fn deep_conditions_are_left_as_they_are() {
    let deep = format!("context.arguments.amount > 1 {}", "&& principal.autonomy < 9 ".repeat(400));
    assert!(forbid(&deep).is_some());
}
