use super::*;

fn parsed(texts: &[&str]) -> Vec<Expr> {
    texts.iter().map(|text| text.parse().expect("an expression")).collect()
}

/// What is said of these permits and forbids.
fn said(permits: &[&str], forbids: &[&str]) -> String {
    condition(&parsed(permits), &parsed(forbids))
}

#[test]
fn comparisons_are_turned_round() {
    assert_eq!(said(&[], &["context.arguments.amount > 100"]), "context.arguments.amount <= 100");
    assert_eq!(said(&[], &["context.now < 5", "context.now <= 6"]), "context.now >= 5 && context.now > 6");
    assert_eq!(said(&[], &["100 < context.arguments.amount"]), "context.arguments.amount <= 100");
    assert_eq!(said(&[], &["context.arguments.to == \"a\""]), "context.arguments.to != \"a\"");
    assert_eq!(said(&["!(context.arguments.to != \"a\")"], &[]), "context.arguments.to == \"a\"");
    assert_eq!(said(&[], &["context.arguments.amount + 1 > 100"]), "context.arguments.amount + 1 <= 100");
}

#[test]
fn what_lifts_a_forbid_is_said_as_it_is() {
    let asks = "!(context has approval && context.approval.roles.contains(\"owner\"))";
    assert_eq!(said(&[], &[asks]), "context has approval && context.approval.roles.contains(\"owner\")");
    assert_eq!(
        said(&[], &[&format!("context.arguments.amount > 50 && {asks}")]),
        "context.arguments.amount <= 50 || context has approval && context.approval.roles.contains(\"owner\")"
    );
}

#[test]
fn brackets_stand_where_they_are_needed() {
    assert_eq!(
        said(&["context.now > 1", "context.now < 0"], &["context.arguments.a && context.arguments.b"]),
        "(context.now > 1 || context.now < 0) && (!context.arguments.a || !context.arguments.b)"
    );
    assert_eq!(said(&["context.now > 1", "context.now < 0"], &[]), "context.now > 1 || context.now < 0");
    assert_eq!(said(&[], &["context has approval"]), "!(context has approval)");
    assert_eq!(said(&[], &["context.arguments.to like \"*@x.org\""]), "!(context.arguments.to like \"*@x.org\")");
    assert_eq!(
        said(&[], &["if context.arguments.a then context.now > 1 else context.now > 2"]),
        "if context.arguments.a then context.now <= 1 else context.now <= 2"
    );
}

#[test]
fn nothing_is_said_twice() {
    assert_eq!(
        said(&[], &["context.now > 1", "context.now > 1 || context.now > 2"]),
        "context.now <= 1 && context.now <= 2"
    );
    assert_eq!(said(&["context.now > 1", "context.now > 1"], &[]), "context.now > 1");
}

#[test]
fn what_is_said_is_cedar() {
    let conditions = [
        said(&["context.a || context.b && !context.c"], &["context.d == (context.e || context.f)", "!context.g"]),
        said(&[], &["(if context.a then context.b else context.c) && context.d", "[1, 2].contains(context.x)"]),
        said(&[], &["context.x.lessThan(decimal(\"0.5\")) || -context.y > 2", "(context.n - 1) * 2 > 4"]),
    ];
    for condition in conditions {
        condition.parse::<Expr>().unwrap_or_else(|error| panic!("{condition}: {error}"));
    }
}

#[test]
fn a_long_condition_is_cut_where_a_part_ends() {
    let forbids: Vec<String> = (0..100).map(|number| format!("context.arguments.amount == {number}")).collect();
    let forbids: Vec<&str> = forbids.iter().map(String::as_str).collect();
    let condition = said(&[], &forbids);
    assert!(condition.len() <= limits::CONDITION_BYTES_MAX + AND_SO_ON.len(), "{}", condition.len());
    assert!(condition.starts_with("context.arguments.amount != 0 && ") && condition.ends_with(" && …"), "{condition}");
}
