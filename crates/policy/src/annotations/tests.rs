use super::*;

fn policy(text: &str) -> Policy {
    Policy::parse(None, text).expect("the policy parses")
}

#[test]
fn spans_of_time_have_a_unit_and_an_end() {
    assert_eq!(within("900s"), Ok(900));
    assert_eq!(within("15m"), Ok(900));
    assert_eq!(within("2h"), Ok(7_200));
    assert_eq!(within("7d"), Ok(limits::WITHIN_SECONDS_MAX));
    for wrong in
        ["", "m", "0s", "8d", "15", "-1s", "+1s", "1 h", "15µ", "99999999999999999999s", "9999999999999999999d"]
    {
        assert!(within(wrong).is_err(), "`{wrong}` was taken");
    }
}

#[test]
fn approvers_are_roles_with_commas_between() {
    let asked =
        asks(&policy(r#"@approvers("security, owner,owner") @quorum("2") forbid(principal, action, resource);"#));
    let expected = Asks { roles: vec!["owner".into(), "security".into()], quorum: 2, within_seconds: 900 };
    assert_eq!(asked, Ok(Some(expected)));
}

#[test]
fn mistakes_are_refused_in_sentences() {
    let wrong = [
        (r#"@approvers("") forbid(principal, action, resource);"#, "does not name roles"),
        (r#"@approvers("a,,b") forbid(principal, action, resource);"#, "does not name roles"),
        (r#"@approvers("a") @quorum("0") forbid(principal, action, resource);"#, "not a number of people"),
        (r#"@approvers("a") @within("soon") forbid(principal, action, resource);"#, "not a span of time"),
        (r#"@quorum("2") forbid(principal, action, resource);"#, "nobody is asked"),
        (r#"@approvers("a") permit(principal, action, resource);"#, "a permit never asks"),
    ];
    for (text, sentence) in wrong {
        let (said, help) = asks(&policy(text)).expect_err("a mistake");
        assert!(said.contains(sentence), "`{said}` does not say `{sentence}`");
        assert!(help.is_some());
    }
}

#[test]
fn ids_are_short_plain_names() {
    assert_eq!(id(&policy(r#"@id("a-1.b/c_D") permit(principal, action, resource);"#)), Ok("a-1.b/c_D".to_owned()));
    assert!(id(&policy("permit(principal, action, resource);")).is_err());
    assert!(id(&policy(r#"@id("two words") permit(principal, action, resource);"#)).is_err());
    assert!(id(&policy(r#"@id("") permit(principal, action, resource);"#)).is_err());
}

#[test]
fn a_slip_in_an_annotation_is_noticed_and_a_foreign_one_is_left_alone() {
    let slip = mistyped(&policy(r#"@approver("owner") forbid(principal, action, resource);"#)).expect("a slip");
    assert_eq!(slip.1.as_deref(), Some("did you mean `@approvers`?"));
    assert_eq!(mistyped(&policy(r#"@control("AC-6") forbid(principal, action, resource);"#)), None);
}
