use super::*;
use crate::world::{self, PERMIT, problems, schema, source};

fn only(text: &str) -> Problem {
    let mut found = problems(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn an_argument_that_is_not_there_is_refused_with_a_suggestion() {
    let problem = only(
        r#"@id("big")
forbid(principal, action == Action::"helpdesk/refund_order", resource)
when { context.arguments.ammount > 5 };"#,
    );
    assert_eq!(problem.sentence, "the operation `helpdesk/refund_order` has no argument `ammount`");
    assert_eq!(problem.help.as_deref(), Some("did you mean `amount`?"));
    assert_eq!((problem.line, problem.column), (Some(3), Some(8)));
    assert_eq!(problem.policy.as_deref(), Some("big"));
    assert_eq!(problem.severity, Severity::Error);

    let problem = only(
        r#"@id("big") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.nope > 5 };"#,
    );
    assert_eq!(problem.sentence, "the operation `helpdesk/refund_order` has no argument `nope`");
}

#[test]
fn a_rule_over_arguments_says_of_which_operation() {
    let problem = only(r#"@id("big") forbid(principal, action, resource) when { context.arguments.amount > 5 };"#);
    assert!(problem.sentence.contains("not all operations that it is about have it"), "{problem}");
    assert!(problem.help.expect("help").contains("context.arguments has amount"));
    let guarded = r#"@id("big") forbid(principal, action, resource)
        when { context.arguments has amount && context.arguments.amount > 5 };"#;
    assert!(PolicySet::compile(&[source(guarded)], &schema()).is_ok());
}

#[test]
fn an_opaque_argument_is_refused_with_its_reason() {
    let problem = only(
        r#"@id("lines") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments.lines == 1 };"#,
    );
    assert_eq!(problem.sentence, "policies cannot see the argument `lines` of `helpdesk/refund_order`");
    assert!(problem.help.expect("help").contains("decide on another argument"));
    // A guard does not help: the rule could never apply, and that is an error, too.
    let problem = only(
        r#"@id("lines") forbid(principal, action == Action::"helpdesk/refund_order", resource)
        when { context.arguments has lines };"#,
    );
    assert!(problem.sentence.contains("can never apply"), "{problem}");
    assert_eq!(problem.severity, Severity::Error);
}

#[test]
fn misspelt_names_are_found() {
    let cases = [
        (r#"@id("x") forbid(principal, action == Action::"helpdesk/refund_ordr", resource);"#, "refund_order"),
        (r#"@id("x") forbid(principal, action, resource == Operation::"helpdesk/refund_ordr");"#, "refund_order"),
        (r#"@id("x") forbid(principal, action, resource in Connector::"helpdsk");"#, "helpdesk"),
        (
            r#"@id("x") forbid(principal, action, resource) when { resource.connector == Connector::"helpdsk" };"#,
            "helpdesk",
        ),
        (r#"@id("x") forbid(principal, action, resource) when { principal.autonmy > 2 };"#, "autonomy"),
        (r#"@id("x") forbid(principal is Agnt, action, resource);"#, "Agent"),
        (r#"@id("x") @aprovers("owner") forbid(principal, action, resource);"#, "approvers"),
    ];
    for (text, meant) in cases {
        let found = problems(text);
        let help = found.first().and_then(|problem| problem.help.clone()).unwrap_or_default();
        assert!(help.contains(meant), "{text}\n{found:#?}");
    }
}

#[test]
fn optional_facts_must_be_asked_for_first() {
    let problem = only(r#"@id("x") permit(principal, action, resource) when { principal.grant.reason == "x" };"#);
    assert!(problem.sentence.contains("nothing says that there is"), "{problem}");
    assert!(problem.help.expect("help").contains("has grant"));
}

#[test]
fn every_policy_has_an_id_of_its_own() {
    assert_eq!(only("permit(principal, action, resource);").sentence, "the policy has no `@id`");
    let twice = [source(PERMIT), PolicySource { name: "other".to_owned(), text: format!("\n{PERMIT}") }];
    let found = PolicySet::compile(&twice, &schema()).expect_err("twice");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].sentence, "another policy in `test` is also named `granted`");
    assert_eq!((found[0].source.as_str(), found[0].line), ("other", Some(2)));
}

#[test]
fn texts_that_are_not_policies_are_placed() {
    let found = problems("@id(\"a\")\npermit(principal, action, resource) when { principal has };");
    assert_eq!(found[0].line, Some(2));
    assert_eq!(found[0].severity, Severity::Error);
    let template = only(r#"@id("x") permit(principal == ?principal, action, resource);"#);
    assert!(template.sentence.contains("slots"), "{template}");
}

#[test]
fn what_can_never_apply_is_an_error() {
    let problem = only(
        r#"@id("x") forbid(principal, action == Action::"helpdesk/read_ticket", resource)
        when { context.arguments has amount };"#,
    );
    assert!(problem.sentence.contains("can never apply"), "{problem}");
    let group = problems(r#"@id("x") forbid(principal, action == Action::"write", resource);"#);
    assert!(group.iter().any(|problem| problem.severity == Severity::Error), "{group:#?}");
}

#[test]
fn nothing_is_said_about_projected_values_where_no_operation_gives_any() {
    for condition in
        ["context.projected has domain && context.projected.domain == \"x\"", "context.projected.domain == \"x\""]
    {
        let problem = only(&format!(r#"@id("x") forbid(principal, action, resource) when {{ {condition} }};"#));
        assert_eq!(
            problem.sentence,
            "the policy reads `context.projected`, and no operation is known here that gives projected values"
        );
        assert!(problem.help.expect("help").contains("against a server"));
    }
}

#[test]
fn asking_for_what_no_approval_lifts_is_a_warning() {
    let set = PolicySet::compile(
        &[source(r#"@id("x") @approvers("owner") forbid(principal, action, resource);"#)],
        &schema(),
    )
    .expect("a set");
    assert_eq!(set.warnings().len(), 1);
    assert_eq!(set.warnings()[0].severity, Severity::Warning);
}

#[test]
fn bounds_hold() {
    let long = format!("{PERMIT}//{}", "x".repeat(limits::POLICY_TEXT_BYTES_MAX));
    assert!(problems(&long)[0].sentence.contains("more than"));
    let named_alike = [source(PERMIT), source("")];
    assert!(PolicySet::compile(&named_alike, &schema()).expect_err("alike")[0].sentence.contains("this name"));
}

#[test]
fn the_digest_is_of_names_and_texts_in_any_order() {
    let one = PolicySource { name: "one".to_owned(), text: PERMIT.to_owned() };
    let two = PolicySource { name: "two".to_owned(), text: String::new() };
    let digest = |sources: &[PolicySource]| PolicySet::compile(sources, &schema()).expect("a set").digest();
    let both = digest(&[one.clone(), two.clone()]);
    assert_eq!(both, digest(&[two.clone(), one.clone()]));
    assert_ne!(both, digest(std::slice::from_ref(&one)));
    assert_ne!(both, digest(&[one.clone(), PolicySource { name: "tw".to_owned(), text: String::new() }]));
    assert_ne!(both, digest(&[one, PolicySource { text: " ".to_owned(), ..two }]));
}

#[test]
fn rules_keep_their_place_and_words() {
    let text = format!(
        "// first\n{PERMIT}\n\n@id(\"second\")\n@reason(\"because\")\nforbid(principal, action, resource) when {{ resource.risk > 2 }};\n"
    );
    let set = PolicySet::compile(&[source(&text)], &schema()).expect("a set");
    assert_eq!(set.ids().collect::<Vec<_>>(), ["granted", "second"]);
    let rule = set.rule("second").expect("the rule");
    assert_eq!((rule.line, rule.effect, rule.reason.as_deref()), (Some(4), Effect::Forbid, Some("because")));
    assert!(rule.text.starts_with("@id(\"second\")"), "{}", rule.text);
    assert_eq!(set.sources(), [world::source(&text)]);
}

#[test]
fn problems_read_well() {
    let problem =
        Problem::error("refunds", "the policy has no `@id`").at("a\nbc", Some(3)).help(Some("name it".to_owned()));
    assert_eq!(problem.to_string(), "refunds:2:2: error: the policy has no `@id`\n  help: name it");
}
