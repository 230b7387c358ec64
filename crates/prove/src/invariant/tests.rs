use super::*;
use crate::world::starter_invariants;

#[test]
fn the_sentence_alone_is_enough_where_it_is_understood() {
    let text = "[[invariant]]\nname = \"x\"\nsentence = \"no agent of class read ever reaches an operation with effect write\"\n";
    let invariants = Invariant::parse_all(text).expect("it is understood");
    assert_eq!(invariants.first().map(|one| one.never.verbs.as_slice()), Some(&[remit_policy::Verb::Write][..]));
    let text = "[[invariant]]\nname = \"x\"\nsentence = \"all is well\"\n";
    let error = Invariant::parse_all(text).expect_err("it is not understood").to_string();
    assert!(error.contains("has no `never`") && error.contains("these forms are understood"), "{error}");
}

#[test]
fn a_sentence_that_says_otherwise_is_refused() {
    let text = "[[invariant]]\nname = \"x\"\nsentence = \"no agent of class read ever reaches an operation with effect write\"\nnever = { class = \"read\", verb = \"send\" }\n";
    assert_eq!(Invariant::parse_all(text), Err(InvariantError::Contradiction { name: "x".to_owned() }));
}

#[test]
fn bounds_hold() {
    assert_eq!(Invariant::parse_all(&" ".repeat(limits::INVARIANTS_TEXT_BYTES_MAX + 1)), Err(InvariantError::TooLong));
    let many: String = (0..=limits::INVARIANTS_MAX)
        .map(|number| format!("[[invariant]]\nname = \"{number}\"\nsentence = \"y\"\nnever = {{ sandbox = true }}\n"))
        .collect();
    assert_eq!(Invariant::parse_all(&many), Err(InvariantError::TooLong));
    assert!(matches!(Invariant::parse_all("[[invariants]]"), Err(InvariantError::Text(_))));
}

#[test]
fn those_beside_the_starter_policies_can_be_read() {
    assert!(starter_invariants().len() >= 5);
}
