use super::*;
use crate::world::{helpdesk, invariant, must_break, prover};

#[test]
fn what_remit_does_not_allow_is_not_confirmed() {
    let Some(prover) = prover() else { return };
    let all = helpdesk(r#"@id("all") permit (principal, action, resource);"#);
    let about = invariant(r#"{ verb = "write", class = "act" }"#);
    let example = must_break(&prover, &all, &about);
    let none = helpdesk(r#"@id("few") permit (principal, action, resource) when { principal.autonomy == 1 };"#);
    let why = example.confirmed(&none, &about).expect_err("it is not allowed");
    assert!(why.starts_with("Remit itself does not allow it"), "{why}");
    let why = example.confirmed(&all, &invariant(r#"{ class = "read" }"#)).expect_err("it is another call");
    assert_eq!(why, "the invariant does not speak of it");
}

#[test]
fn it_is_told_in_words_and_to_programs() {
    let Some(prover) = prover() else { return };
    let all = helpdesk(r#"@id("all") permit (principal, action, resource);"#);
    let example = must_break(&prover, &all, &invariant(r#"{ verb = "send", class = "act" }"#));
    let card: Vec<String> = example.card().into_iter().map(|(name, fact)| format!("{name}: {fact}")).collect();
    assert!(card.contains(&"operation: example/any_send: effect send, data D0, risk 0".to_owned()), "{card:#?}");
    assert!(card.iter().any(|line| line.starts_with("agent: example-agent: class act, autonomy A3")), "{card:#?}");
    let document = example.document();
    assert_eq!(document["operation"]["verb"], "send");
    assert_eq!(document["policies"], json!(["all"]));
}
