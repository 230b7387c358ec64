use serde_json::json;

use super::*;
use crate::world::{helpdesk, invariant, must_break, prover};

#[test]
fn texts_survive_the_way_through_toml() {
    for original in ["plain", "a \"quoted\" \\ one", "line\nbreak", "\u{7f}\u{1}", "é 漢 🙂"] {
        let read: toml::Table = toml::from_str(&format!("value = {}", text(original))).expect("it can be read");
        assert_eq!(read.get("value").and_then(toml::Value::as_str), Some(original));
    }
}

#[test]
fn arguments_survive_the_way_through_toml() {
    let arguments = json!({ "a b": 1, "list": [1.5, 2.5], "deep": { "x": true, "": "y" } });
    let read: toml::Table =
        toml::from_str(&format!("value = {}", value(&arguments).expect("no null"))).expect("it can be read");
    assert_eq!(serde_json::to_value(read.get("value")).expect("it is JSON"), arguments);
    assert_eq!(value(&json!({ "nothing": null })), None);
}

#[test]
fn a_call_that_rests_on_what_cases_do_not_say_is_no_case() {
    let Some(prover) = prover() else { return };
    let estate = helpdesk(
        r#"@id("a") permit (principal, action in Action::"send", resource) when { principal has grant && principal.grant.reason == "sesame" };"#,
    );
    let about = invariant(r#"{ verb = "send" }"#);
    let example = must_break(&prover, &estate, &about);
    assert_eq!(example.facts.grant.as_ref().map(|grant| grant.reason.as_str()), Some("sesame"));
    assert_eq!(example.case(&about, &estate), None);
}
