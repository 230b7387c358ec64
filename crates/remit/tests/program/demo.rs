//! The demo shows the main job, and would show it if something were broken.

use serde_json::Value;

use crate::support::{Exit, Place, turn};

/// Variable that makes the named step of the demo go wrong.
const BREAK: &str = "REMIT_DEMO_BREAK";

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_demo_holds() {
    let _turn = turn().await;
    let shown = Place::new("").ask(["demo", "--once", "--json"]).await;
    assert_eq!(shown.code(), Some(0), "{}{}", shown.stdout, shown.stderr);
    let steps = steps(&shown);
    assert!(steps.len() >= 8, "the demo shows only {} steps", steps.len());
    for step in &steps {
        assert_eq!(step.get("ok"), Some(&Value::Bool(true)), "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_step_of_the_demo_is_named() {
    let _turn = turn().await;
    let place = Place::new("");
    let whole = steps(&place.ask(["demo", "--once", "--json"]).await);
    let name = name(whole.get(whole.len() / 2).expect("the demo has no steps"));

    let mut broken = place.remit(["demo", "--once", "--json"]);
    let ended = broken.env(BREAK, &name).output().await.expect("the demo cannot be run");
    assert!(!ended.status.success(), "the demo ends well although `{name}` was broken");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains(&name), "the broken step `{name}` is not named: {said}");
}

/// The steps, from one JSON document or from JSON lines.
fn steps(shown: &Exit) -> Vec<Value> {
    if let Ok(document) = serde_json::from_str::<Value>(&shown.stdout) {
        let steps = document.get("steps").unwrap_or(&document).as_array().cloned();
        return steps.unwrap_or_else(|| panic!("there are no steps in {document}"));
    }
    let line = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    shown.stdout.lines().map(line).filter(|line| line.get("ok").is_some()).collect()
}

fn name(step: &Value) -> String {
    let name = step.get("step").or_else(|| step.get("name")).and_then(Value::as_str);
    name.unwrap_or_else(|| panic!("a step without a name: {step}")).to_owned()
}
