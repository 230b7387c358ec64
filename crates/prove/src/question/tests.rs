use super::*;
use crate::world::{helpdesk, invariant};

const NAMES_ONE: &str = r#"@id("a") permit (principal, action, resource == Operation::"helpdesk/close");"#;

fn actions(never: &str) -> Vec<String> {
    let estate = helpdesk(NAMES_ONE);
    let questions = Question::all(&estate, &invariant(never)).expect("questions");
    questions.iter().map(Question::action).collect()
}

#[test]
fn each_verb_and_each_operation_that_is_named_is_asked_about() {
    assert_eq!(actions(r#"{ verb = "read" }"#), ["any read operation"]);
    assert_eq!(actions(r#"{ verb = "write" }"#), ["any write operation", "helpdesk/close"]);
    assert_eq!(actions(r#"{ operation = "helpdesk/refund" }"#), ["helpdesk/refund"]);
    assert_eq!(actions("{ autonomy = 4 }").len(), 5);
    assert_eq!(actions(r#"{ verb = "write", connector = "mail" }"#), ["any write operation"]);
}

#[test]
fn an_operation_that_is_not_there_is_no_question() {
    let estate = helpdesk(NAMES_ONE);
    let error = Question::all(&estate, &invariant(r#"{ operation = "helpdesk/none" }"#)).expect_err("it is not there");
    assert_eq!(error.to_string(), "there is no operation `helpdesk/none`");
}

/// The action by which the schema stands for all operations of a verb is named in another crate.
#[test]
fn the_action_of_others_is_in_the_schema() {
    let schema = remit_policy::Schema::generate(std::iter::empty()).expect("a schema");
    for verb in Verb::ALL {
        assert!(schema.text().contains(&format!("action \"{}\" in", About::Others.action(verb))), "{verb}");
    }
}
