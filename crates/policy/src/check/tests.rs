use super::*;
use crate::world::{PERMIT, schema, source};
use crate::{PolicySource, starter};

fn known() -> Known {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Known {
        agents: words(&["refunds", "triage"]),
        people: words(&["prs_ada"]),
        groups: BTreeMap::from([("security".to_owned(), 2), ("support".to_owned(), 1)]),
        environments: words(&["sandbox", "development", "test", "production"]),
        classes: words(&["read", "transform", "act", "code"]),
        labels: words(&["untrusted", "sensitive"]),
    }
}

fn check_all(text: &str) -> Vec<Problem> {
    let set = PolicySet::compile(&[source(&format!("{PERMIT}\n{text}"))], &schema()).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    check(&set, &schema(), &known())
}

fn sentences(text: &str) -> Vec<String> {
    check_all(text).iter().map(ToString::to_string).collect()
}

fn forbid(id: &str, rest: &str) -> String {
    format!("@id(\"{id}\") forbid (principal, action, resource) {rest};\n")
}

fn when(condition: &str) -> Vec<String> {
    sentences(&forbid("x", &format!("when {{ {condition} }}")))
}

#[test]
fn nothing_is_wrong_with_the_starter_policies() {
    let schema = schema();
    let set = PolicySet::compile(&starter(), &schema).expect("the starter policies compile");
    assert_eq!(check(&set, &schema, &known()), []);
}

#[test]
fn a_rule_that_asks_for_what_never_is_never_matches() {
    let never = |condition: &str| {
        let found = when(condition);
        assert_eq!(found.len(), 1, "{condition}: {found:#?}");
        found[0]
            .strip_prefix("test:2:1: warning: `x`: the policy can never match: ")
            .and_then(|rest| rest.strip_suffix("\n  help: change its condition, or remove it"))
            .unwrap_or_else(|| panic!("{}", found[0]))
            .to_owned()
    };
    assert_eq!(
        never("principal.autonomy > 4"),
        "`principal.autonomy` is always from 1 to 4, and would have to be at least 5"
    );
    assert_eq!(
        never("resource.risk > 2 && resource.risk < 3"),
        "`resource.risk` would have to be 3, and also from 0 to 2"
    );
    assert_eq!(
        never("principal.class == \"read\" && principal.class == \"act\""),
        "`principal.class` would have to be `read`, and also `act`"
    );
    assert_eq!(
        never("resource.external && !resource.external"),
        "`resource.external` would have to be true, and also false"
    );
    assert_eq!(
        never("[\"a\", \"b\"].contains(principal.task.purpose) && principal.task.purpose == \"c\""),
        "`principal.task.purpose` would have to be `a` or `b`, and also `c`"
    );
    assert_eq!(
        never("principal.task.id like \"a*\" && !(principal.task.id like \"a*\")"),
        "one of its conditions would have to hold, and also not"
    );
    assert_eq!(
        never("resource == Operation::\"helpdesk/read_ticket\" && action in Action::\"write\""),
        "none of the operations that it names is what its condition asks for"
    );
    assert_eq!(
        never("resource.connector == Connector::\"helpdesk\" && action in Action::\"send\""),
        "no operation of `helpdesk` is what its condition asks for"
    );
    assert_eq!(
        never("principal.task.depth < 0 || (principal.data == 2 && principal.data == 3)"),
        "`principal.task.depth` is always at least 0, and would have to be at most -1; and so on for each of its alternatives"
    );
}

#[test]
fn a_rule_that_may_match_is_not_told() {
    for condition in [
        "principal.autonomy >= 4",
        "principal.autonomy > 4 || resource.risk == 3",
        "!(principal.autonomy > 4) && resource.data != 1",
        "principal.task.calls > 100 && context.now > 5",
        "principal.task.labels.containsAny([\"untrusted\", \"sensitive\"]) && !principal.task.labels.contains(\"untrusted\")",
        "if resource.external then principal.class == \"read\" else principal.class == \"act\"",
        "principal.task.chain.contains(Agent::\"triage\") && principal.task.depth + 1 > 1",
        "!(action in [Action::\"read\", Action::\"write\"]) && resource.verb == \"send\"",
        "resource.connector == Connector::\"helpdesk\" && !(action in Action::\"read\")",
    ] {
        assert_eq!(when(condition), Vec::<String>::new(), "{condition}");
    }
}

#[test]
fn a_rule_that_another_covers_is_told() {
    let covered = |first: &str, second: &str| sentences(&format!("{first}\n{second}"));
    assert_eq!(
        covered(
            &forbid("wide", "when { resource.risk >= 2 }"),
            "@id(\"narrow\") forbid (principal in Class::\"read\", action, resource) when { resource.risk == 3 && resource.external };",
        ),
        [
            "test:4:1: warning: `narrow`: `wide` already forbids everything that the policy matches\n  help: remove it, or narrow `wide` in `test`"
        ],
    );
    let asking = r#"@id("asking") @approvers("owner") forbid (principal, action == Action::"helpdesk/refund_order", resource)
        unless { context has approval && context.approval.roles.contains("owner") };"#;
    assert_eq!(
        covered(asking, "@id(\"plain\") forbid (principal, action in Action::\"write\", resource);"),
        [
            "test:2:1: warning: `asking`: `plain` already forbids without asking everything that the policy matches\n  help: remove it, or narrow `plain` in `test`"
        ],
    );
    assert_eq!(
        covered(asking, &asking.replace("\"asking\"", "\"again\"")),
        [
            "test:4:1: warning: `again`: `asking` already asks about everything that the policy matches\n  help: remove it, or narrow `asking` in `test`"
        ],
    );
    assert_eq!(
        covered(
            "@id(\"more\") permit (principal == Agent::\"triage\", action, resource) when { principal has grant };",
            ""
        ),
        [
            "test:2:1: warning: `more`: `granted` already permits everything that the policy matches\n  help: remove it, or narrow `granted` in `test`"
        ],
    );
    // The operation of a rule has its verb and its connector.
    assert_eq!(
        covered(
            "@id(\"one\") forbid (principal, action == Action::\"helpdesk/refund_order\", resource);",
            "@id(\"all\") forbid (principal, action in Action::\"write\", resource in Connector::\"helpdesk\");",
        ),
        [
            "test:2:1: warning: `one`: `all` already forbids everything that the policy matches\n  help: remove it, or narrow `all` in `test`"
        ],
    );
}

#[test]
fn a_rule_that_says_more_than_another_is_not_told() {
    let asking = r#"unless { context has approval && context.approval.roles.contains("owner") }"#;
    for (one, other) in [
        (forbid("a", "when { resource.risk >= 2 }"), forbid("b", "when { resource.risk <= 2 }")),
        (forbid("a", "when { resource.risk >= 2 }"), forbid("b", "when { resource.data >= 2 }")),
        // An ask never covers one for other people.
        (
            format!("@approvers(\"owner\") {}", forbid("a", asking)),
            format!("@approvers(\"owner\") @quorum(\"2\") {}", forbid("b", asking)),
        ),
        // What may overflow may deny for that alone.
        (
            forbid("a", "when { context.now + 1 > 5 || resource.risk == 3 }"),
            forbid("b", "when { resource.risk == 3 && resource.external }"),
        ),
        (
            "@id(\"a\") forbid (principal, action in Action::\"write\", resource);".to_owned(),
            "@id(\"b\") forbid (principal, action, resource in Connector::\"helpdesk\");".to_owned(),
        ),
    ] {
        let found = sentences(&format!("{one}\n{other}"));
        assert!(!found.iter().any(|sentence| sentence.contains("already")), "{one}{other}{found:#?}");
    }
    // Nor does it cover a plain forbid.
    let found = sentences(&format!("@approvers(\"owner\") {}\n{}", forbid("a", asking), forbid("b", asking)));
    assert!(!found.iter().any(|sentence| sentence.contains("`b`: ")), "{found:#?}");
}

#[test]
fn a_role_without_members_is_an_error() {
    let text = r#"@id("x")
@approvers("finance")
forbid (principal, action, resource)
unless { context has approval && context.approval.roles.contains("finance") };"#;
    let found = check_all(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].severity, Severity::Error);
    assert_eq!(
        found[0].to_string(),
        "test:3:1: error: `x`: nobody is in the group `finance`, so nobody can answer\n  \
         help: add somebody with `remit person groups`, or ask one of: `approver`, `owner`, `security`, `support`"
    );
    for role in ["owner", "approver", "security"] {
        assert_eq!(sentences(&text.replace("finance", role)), Vec::<String>::new(), "{role}");
    }
}

#[test]
fn more_people_than_there_are_is_an_error() {
    let text = |roles: &str, quorum: &str| {
        let role = roles.split(',').next().unwrap_or_default();
        format!(
            "@id(\"x\") @approvers(\"{roles}\") @quorum(\"{quorum}\") forbid (principal, action, resource)
            unless {{ context has approval && context.approval.roles.contains(\"{role}\") }};"
        )
    };
    let found = check_all(&text("support, owner", "3"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].severity, Severity::Error);
    assert_eq!(found[0].sentence, "3 people of `owner` or `support` are asked for, and there are only 2");
    assert_eq!(
        check_all(&text("security", "3"))[0].sentence,
        "3 people of `security` are asked for, and there are only 2"
    );
    assert_eq!(
        check_all(&text("support", "2"))[0].sentence,
        "2 people of `support` are asked for, and there is only 1"
    );
    for (roles, quorum) in [("security", "2"), ("support, owner", "2"), ("support, approver", "9")] {
        assert_eq!(sentences(&text(roles, quorum)), Vec::<String>::new(), "{roles} {quorum}");
    }
}

#[test]
fn an_ask_that_no_answer_settles_is_told() {
    let text = |approvers: &str, condition: &str| {
        format!(
            "@id(\"x\") @approvers(\"{approvers}\") forbid (principal, action, resource) when {{ resource.risk > 1 }}
            unless {{ context has approval && {condition} }};"
        )
    };
    for (approvers, condition) in [
        ("owner", r#"context.approval.roles.contains("security")"#),
        ("owner", "context.approval.count >= 2"),
        ("owner", r#"context.approval.roles.containsAll(["owner", "security"])"#),
    ] {
        let found = sentences(&text(approvers, condition));
        assert_eq!(
            found,
            ["test:2:10: warning: `x`: the policy asks `owner`, and forbids all the same once they have approved\n  \
              help: let `unless` ask for the same roles and the same number of people as `@approvers` and `@quorum`"],
            "{condition}"
        );
    }
    for (approvers, condition) in [
        ("owner", r#"context.approval.roles.contains("owner")"#),
        ("owner", r#"context.approval.roles.containsAny(["owner", "security"])"#),
        ("owner, security", r#"context.approval.roles.containsAll(["owner", "security"])"#),
        ("owner", "context.approval.approvers.contains(principal.owner)"),
        ("owner", "context.approval.count >= 1"),
    ] {
        assert_eq!(sentences(&text(approvers, condition)), Vec::<String>::new(), "{condition}");
    }
}

#[test]
fn words_that_do_not_exist_are_errors() {
    for (condition, sentence, help) in [
        ("principal.environment == \"prodution\"", "there is no environment `prodution`", "did you mean `production`?"),
        (
            "principal.environment == \"moon\"",
            "there is no environment `moon`",
            "write one of `development`, `production`, `sandbox`, `test`",
        ),
        ("[\"reed\"].contains(principal.class)", "there is no class of agents `reed`", "did you mean `read`?"),
        ("principal in Class::\"reed\"", "there is no class of agents `reed`", "did you mean `read`?"),
        (
            "principal.attribution != \"prooven\"",
            "there is no grade of attribution `prooven`",
            "did you mean `proven`?",
        ),
        ("resource.verb == \"sends\"", "there is no verb `sends`", "did you mean `send`?"),
    ] {
        let found = check_all(&forbid("x", &format!("when {{ {condition} }}")));
        assert_eq!(found.len(), 1, "{condition}: {found:#?}");
        assert_eq!(
            (found[0].severity, found[0].sentence.as_str(), found[0].help.as_deref()),
            (Severity::Error, sentence, Some(help)),
            "{condition}"
        );
    }
    let found = check_all(&forbid("x", "when { resource.risk > 1 && principal.class == \"reed\" }"));
    assert_eq!((found[0].line, found[0].column), (Some(2), Some(94)), "{}", found[0]);
}

#[test]
fn names_that_may_still_come_are_warnings() {
    for (condition, sentence, help) in [
        ("principal == Agent::\"trage\"", "there is no agent `trage`", "did you mean `triage`?"),
        (
            "principal.task.chain.contains(Agent::\"orchestrator\")",
            "there is no agent `orchestrator`",
            "the policy begins to apply once there is one",
        ),
        ("principal.owner == Person::\"prs_adda\"", "there is no person `prs_adda`", "did you mean `prs_ada`?"),
        ("principal.owner in Group::\"suport\"", "nobody is in the group `suport`", "did you mean `support`?"),
        ("principal.task.labels.contains(\"untrustd\")", "there is no label `untrustd`", "did you mean `untrusted`?"),
        (
            "principal.task.labels.containsAll([\"untrusted\", \"secret\"])",
            "there is no label `secret`",
            "the policy begins to apply once there is one",
        ),
        (
            "context has approval && context.approval.roles.contains(\"securty\")",
            "nobody has the role `securty`: it is no group that somebody is in",
            "did you mean `security`?",
        ),
    ] {
        let found = check_all(&forbid("x", &format!("when {{ {condition} }}")));
        assert_eq!(found.len(), 1, "{condition}: {found:#?}");
        assert_eq!(
            (found[0].severity, found[0].sentence.as_str(), found[0].help.as_deref()),
            (Severity::Warning, sentence, Some(help)),
            "{condition}"
        );
    }
}

#[test]
fn where_nothing_is_known_nothing_is_said() {
    let schema = schema();
    let text = r#"@id("x") @approvers("finance") forbid (principal == Agent::"nobody", action, resource)
        unless { context has approval && context.approval.roles.contains("finance") };"#;
    let set = PolicySet::compile(&[source(text)], &schema).expect("a set");
    assert_eq!(check(&set, &schema, &Known::default()), []);
}

#[test]
fn problems_stand_where_their_rule_stands() {
    let schema = schema();
    let other = PolicySource {
        name: "other".to_owned(),
        text: format!("// a note\n\n{}", forbid("x", "when { principal.class == \"reed\" }")),
    };
    let set = PolicySet::compile(&[source(PERMIT), other], &schema).expect("a set");
    let found = check(&set, &schema, &known());
    assert_eq!((found[0].source.as_str(), found[0].line, found[0].policy.as_deref()), ("other", Some(3), Some("x")));
}
