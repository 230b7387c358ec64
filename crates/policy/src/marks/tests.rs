use super::*;

fn marks(condition: &str) -> Marks {
    let text = format!("forbid(principal, action, resource) when {{ {condition} }};");
    Marks::of(&cedar_policy::Policy::parse(None, text).unwrap(), "credential_age")
}

#[test]
fn what_is_only_compared_with_numbers_has_places() {
    let marks = marks(
        "context.credential_age > (if principal.autonomy >= 3 then 900 else 1800) || 60 <= context.credential_age",
    );
    assert_eq!(marks.numbers, BTreeSet::from([60, 900, 1800]));
    assert!(!marks.exact);
    assert_eq!(marks.place(59), Some([0, 0]));
    assert_eq!(marks.place(60), Some([0, 1]));
    assert_eq!(marks.place(61), marks.place(899));
    assert_ne!(marks.place(900), marks.place(901));
    assert_eq!(marks.place(1801), marks.place(i64::MAX));
}

#[test]
fn what_nobody_looks_at_has_none() {
    assert_eq!(marks("principal.autonomy > 2 && context.now > 5 && context.arguments.size > 3").place(7), None);
}

#[test]
fn whatever_else_is_done_with_it_makes_every_value_another() {
    for condition in [
        "context.credential_age + 1 > 60",
        "context.credential_age > principal.autonomy",
        "context.credential_age > context.credential_age",
        "[context.credential_age].contains(60)",
        "context == context",
        "60 < (if context.credential_age == 5 then context.credential_age else 3)",
        "context.credential_age > (if context.credential_age * 2 > 8 then 1 else 2)",
    ] {
        assert!(marks(condition).exact, "{condition}");
    }
}

#[test]
fn another_attribute_of_that_name_is_looked_at_too() {
    assert!(marks("context.arguments.credential_age > 5").exact);
}
