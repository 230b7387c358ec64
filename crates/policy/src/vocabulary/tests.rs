use crate::world::problems;

/// The one error about a rule with this condition: its sentence and its help.
fn about(condition: &str) -> (String, String) {
    of_rule(&format!("@id(\"x\") forbid (principal, action, resource) when {{ {condition} }};"))
}

fn of_rule(text: &str) -> (String, String) {
    let mut found = problems(text);
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    let problem = found.remove(0);
    (problem.sentence, problem.help.unwrap_or_default())
}

#[test]
fn an_attribute_that_cannot_exist_says_what_to_write() {
    for (condition, sentence, help) in [
        ("principal.autonmy > 2", "there is no `principal.autonmy`", "did you mean `principal.autonomy`?"),
        (
            "principal.clearance > 2",
            "there is no `principal.clearance`",
            "`principal` has `attribution`, `autonomy`, `class`, `data`, `environment`, `grant`, `owner`, `task`",
        ),
        ("resource.extern", "there is no `resource.extern`", "did you mean `resource.external`?"),
        (
            "principal.task.lables.contains(\"x\")",
            "there is no `principal.task.lables`",
            "did you mean `principal.task.labels`?",
        ),
        ("context.credentialage > 1", "there is no `context.credentialage`", "did you mean `context.credential_age`?"),
        (
            "context.user == \"x\"",
            "there is no `context.user`",
            "`context` has `approval`, `arguments`, `credential_age`, `now`, `projected`",
        ),
        (
            "context has approval && context.approval.rolls.contains(\"x\")",
            "there is no `context.approval.rolls`",
            "did you mean `context.approval.roles`?",
        ),
        (
            "principal has grant && principal.grant.scope == \"x\"",
            "there is no `principal.grant.scope`",
            "`principal.grant` has `exact`, `expires_at`, `id`, `reason`",
        ),
    ] {
        assert_eq!(about(condition), (sentence.to_owned(), help.to_owned()), "{condition}");
    }
}

#[test]
fn asking_for_what_cannot_be_there_says_what_to_write() {
    for (condition, sentence, help) in [
        ("principal has grnt", "there is no `principal.grnt`", "did you mean `principal.grant`?"),
        (
            "principal.task has acting_fro",
            "there is no `principal.task.acting_fro`",
            "did you mean `principal.task.acting_for`?",
        ),
        ("context has aproval", "there is no `context.aproval`", "did you mean `context.approval`?"),
        (
            "principal.owner has groups",
            "a person has no attribute `groups`",
            "compare the person, or ask for a group, as in `principal.owner in Group::\"support\"`",
        ),
        (
            "principal.owner.name == \"x\"",
            "a person has no attribute `name`",
            "compare the person, or ask for a group, as in `principal.owner in Group::\"support\"`",
        ),
    ] {
        assert_eq!(about(condition), (sentence.to_owned(), help.to_owned()), "{condition}");
    }
}

#[test]
fn a_scope_that_takes_many_for_one_says_what_to_write() {
    for (text, sentence, help) in [
        (
            r#"@id("x") forbid (principal, action == Action::"write", resource);"#,
            "`write` is a verb, and no operation is one",
            "write `action in Action::\"write\"`",
        ),
        (
            r#"@id("x") forbid (principal == Class::"read", action, resource);"#,
            "no agent is a `Class`: it is in one",
            "write `principal in Class::\"read\"`",
        ),
        (
            r#"@id("x") forbid (principal, action, resource == Connector::"helpdesk");"#,
            "no operation is a `Connector`: it is in one",
            "write `resource in Connector::\"helpdesk\"`",
        ),
        (
            r#"@id("x") forbid (principal, action in [], resource);"#,
            "the list names nothing, so the policy could never apply",
            "name at least one, or leave the list out to mean all",
        ),
    ] {
        assert_eq!(of_rule(text), (sentence.to_owned(), help.to_owned()), "{text}");
    }
}

#[test]
fn what_is_compared_with_another_kind_of_value_reads_well() {
    let (sentence, help) = about("principal.autonomy == \"2\"");
    assert_eq!(sentence, "the types Long and String are not compatible");
    assert_eq!(
        help,
        "both operands to a `==` expression must have compatible types. Types must be exactly equal to be compatible"
    );
}
