use crate::world::World;
use crate::{Distinctions, Effect};

fn of(text: &str) -> Distinctions {
    let world = World::with(text);
    world.set.distinctions(&world.schema, None)
}

#[test]
fn what_no_policy_reads_or_names_is_not_told_apart() {
    let found = of("");
    assert!(found.reads("grant"), "the permit asks for it");
    for attribute in ["environment", "owner", "purpose", "expires_at", "class"] {
        assert!(!found.reads(attribute), "{attribute}");
    }
    assert!(!found.names_agent("refunds") && !found.names_operation("helpdesk/refund_order") && !found.by_class());
}

#[test]
fn names_are_told_apart_wherever_they_stand() {
    let found = of(r#"
        @id("a") forbid(principal == Agent::"refunds", action, resource);
        @id("b") forbid(principal, action == Action::"helpdesk/refund_order", resource)
            when { principal.owner in Group::"leads" || principal.owner == Person::"prs_1" };
        @id("c") forbid(principal in Class::"read", action in Action::"write", resource in Connector::"helpdesk");
    "#);
    assert!(found.names_agent("refunds") && !found.names_agent("other"));
    assert!(found.names_operation("helpdesk/refund_order") && !found.names_operation("helpdesk/read_ticket"));
    assert!(found.names_group("leads") && found.names_person("prs_1") && found.names_connector("helpdesk"));
    assert!(found.by_class() && found.reads("owner"));
}

#[test]
fn permits_alone_tell_less_apart() {
    let world = World::with(r#"@id("a") forbid(principal, action, resource) when { principal.autonomy > 3 };"#);
    assert!(world.set.distinctions(&world.schema, None).reads("autonomy"));
    let permits = world.set.distinctions(&world.schema, Some(Effect::Permit));
    assert!(permits.reads("grant") && !permits.reads("autonomy"));
}

#[test]
fn a_rule_over_all_operations_that_looks_at_arguments_makes_their_shapes_matter() {
    let narrow = r#"@id("a") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.amount > 3 };"#;
    assert!(!of(narrow).by_arguments(), "no other operation meets it");
    let wide = r#"@id("a") forbid(principal, action, resource)
        when { action == Action::"helpdesk/refund_order" && context.arguments.amount > 3 };"#;
    assert!(of(wide).by_arguments());
}
