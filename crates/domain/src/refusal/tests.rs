use super::*;

#[test]
fn a_sentence_that_repeats_input_stays_short_and_plain() {
    let refusal = Refusal::unknown("agent", format!("\u{1b}[2J{}", "é".repeat(100_000)));
    assert!(refusal.sentence.chars().count() <= limits::SENTENCE_CHARS_MAX);
    assert!(refusal.sentence.starts_with("there is no agent `\u{fffd}[2J"));
}

#[test]
fn the_fields_are_part_of_the_sentence() {
    let refusal = Refusal::new("agent_incomplete", "not complete").fields(vec![FieldProblem::new("owner", "name one")]);
    assert_eq!(refusal.to_string(), "not complete; owner: name one");
}
