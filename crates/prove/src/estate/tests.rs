use remit_policy::Verb;

use super::*;
use crate::world::{helpdesk, operations, source, starter_estate};

fn singled_out(text: &str, verb: Verb) -> Vec<String> {
    helpdesk(text).singled_out(verb).map(|one| one.id.clone()).collect()
}

#[test]
fn operations_are_singled_out_by_name_or_by_their_arguments() {
    assert_eq!(singled_out(r#"@id("a") permit (principal, action, resource);"#, Verb::Write), [""; 0]);
    let named = r#"@id("a") permit (principal, action == Action::"helpdesk/refund", resource) when { context.arguments.amount < 5 };"#;
    assert_eq!(singled_out(named, Verb::Write), ["helpdesk/refund"]);
    let by_resource = r#"@id("a") permit (principal, action, resource == Operation::"helpdesk/close");"#;
    assert_eq!(singled_out(by_resource, Verb::Write), ["helpdesk/close"]);
    let any = r#"@id("a") permit (principal, action, resource) when { context.arguments has amount && context.arguments.amount < 5 };"#;
    assert_eq!(singled_out(any, Verb::Write), ["helpdesk/refund", "helpdesk/close"]);
    let time = r#"@id("a") permit (principal, action, resource) when { context.now > 5 && context has approval && context.approval.count > 1 };"#;
    assert_eq!(singled_out(time, Verb::Write), [""; 0]);
}

#[test]
fn the_starter_policies_name_only_classes() {
    let literals = &starter_estate().literals;
    assert!(literals.operations.is_empty() && literals.people.is_empty() && literals.agents.is_empty());
    assert!(literals.classes.contains("read"));
}

#[test]
fn policies_concern_the_actions_of_their_scope() {
    let estate = helpdesk(
        r#"@id("a") permit (principal, action in Action::"write", resource);
           @id("b") permit (principal, action == Action::"helpdesk/refund", resource);
           @id("c") permit (principal, action, resource);"#,
    );
    let concern = |action: &str, verb| estate.rules.iter().filter(|rule| rule.concerns(action, verb)).count();
    assert_eq!(concern("helpdesk/refund", Verb::Write), 3);
    assert_eq!(concern("helpdesk/close", Verb::Write), 2);
    assert_eq!(concern("helpdesk/read", Verb::Read), 1);
}

#[test]
fn only_sums_and_extensions_may_fail() {
    let may_fail = |condition: &str| {
        let text = format!(r#"@id("a") forbid (principal, action, resource) when {{ {condition} }};"#);
        helpdesk(&text).rules.iter().all(Rule::may_fail)
    };
    assert!(may_fail("context.now + 1 > 5"));
    assert!(may_fail("-context.now > 5"));
    assert!(may_fail("decimal(\"1.0\").lessThan(decimal(\"2.0\")) && context.now > 1"));
    assert!(!may_fail("principal has grant && principal.grant.expires_at > context.now"));
}

#[test]
fn policies_that_do_not_compile_are_no_estate() {
    let broken = Estate::new(
        vec![source("x", r#"@id("a") permit (principal, action == Action::"no/such", resource);"#)],
        operations(),
    );
    assert!(matches!(broken, Err(EstateError::Policies(_))), "{broken:?}");
}
