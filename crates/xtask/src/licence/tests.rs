use super::{DEPTH_MAX, Expression, ExpressionError};

fn is_met(text: &str) -> bool {
    let accepts = |id: &str, exception: Option<&str>| {
        ["MIT", "Apache-2.0", "MPL-2.0"].contains(&id) && exception.is_none_or(|name| name == "LLVM-exception")
    };
    text.parse::<Expression>().unwrap().is_met(&accepts)
}

fn refused(text: &str) -> ExpressionError {
    text.parse::<Expression>().unwrap_err()
}

#[test]
fn one_of_several_is_enough_and_all_of_several_are_needed() {
    assert!(is_met("MIT"));
    assert!(!is_met("GPL-3.0-only"));
    assert!(is_met("GPL-3.0-only OR MIT"));
    assert!(!is_met("GPL-3.0-only AND MIT"));
    assert!(is_met("MIT AND Apache-2.0 AND (GPL-2.0-only OR MIT)"));
}

#[test]
fn and_binds_more_tightly_than_or() {
    assert!(is_met("MIT OR GPL-2.0-only AND GPL-3.0-only"));
    assert!(is_met("GPL-2.0-only AND GPL-3.0-only OR MIT"));
    assert!(!is_met("(MIT OR GPL-2.0-only) AND GPL-3.0-only"));
}

#[test]
fn an_exception_belongs_to_the_licence_before_it() {
    assert!(is_met("Apache-2.0 WITH LLVM-exception"));
    assert!(!is_met("Apache-2.0 WITH Other-exception"));
    assert!(is_met("Apache-2.0 WITH Other-exception OR MIT"));
    assert!(!is_met("MIT AND Apache-2.0 WITH Other-exception"));
}

#[test]
fn older_manifests_write_a_slash_for_or() {
    assert!(is_met("GPL-3.0/MIT"));
    assert!(is_met("Apache-2.0 / GPL-3.0"));
}

#[test]
fn any_later_version_includes_this_one() {
    assert!(is_met("MPL-2.0+"));
    assert!(!is_met("GPL-2.0+"));
}

#[test]
fn what_is_no_expression_is_refused() {
    for text in ["", "MIT OR", "MIT AND (Apache-2.0", "(", "MIT WITH"] {
        assert_eq!(refused(text), ExpressionError::Ended, "{text}");
    }
    for (text, word) in
        [("MIT Apache-2.0", "Apache-2.0"), ("OR MIT", "OR"), ("MIT)", ")"), ("()", ")"), ("MIT, BSD", "MIT,")]
    {
        assert_eq!(refused(text), ExpressionError::Unexpected(word.to_owned()), "{text}");
    }
}

#[test]
fn brackets_have_an_end() {
    let nested = |depth: usize| format!("{}MIT{}", "(".repeat(depth), ")".repeat(depth));
    assert!(is_met(&nested(DEPTH_MAX)));
    assert_eq!(refused(&nested(DEPTH_MAX + 1)), ExpressionError::TooDeep);
    assert_eq!(refused(&nested(100_000)), ExpressionError::TooDeep);
}
