//! Questions that run the other way, asked of the built program.

use serde_json::Value;

use crate::support::{Echo, Estate, Place};

#[tokio::test(flavor = "multi_thread")]
async fn who_can_is_answered_now_and_as_of_before() {
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let before = place.control().read("/v1/who-can?data=D0").await;
    let before = before.get("as_of").and_then(Value::as_str).expect("a moment").to_owned();
    Estate::build(&place, &echo).await;

    let callers = place.ask(["who", "can", "call", "echo/echo", "--json"]).await.json();
    assert_eq!(names(&callers, "/agent/name"), ["support"], "{callers}");
    assert_eq!(names(&callers, "/reaches/0/grant/approved_by/name"), ["ana"]);
    let seen = place.ask(["who", "can", "see", "D2", "--json"]).await.json();
    assert_eq!(names(&seen, "/agent/name"), ["support"], "the tool discloses D2");
    let nobody = place.ask(["who", "can", "see", "D3", "--json"]).await.json();
    assert_eq!(names(&nobody, "/agent/name"), Vec::<&str>::new());
    let earlier = place.ask(["who", "can", "see", "D2", "--as-of", &before, "--json"]).await.json();
    assert_eq!(names(&earlier, "/agent/name"), Vec::<&str>::new(), "nothing was there yet");

    let agent = place.ask(["what", "agent", "support", "--json"]).await.json();
    assert_eq!(names(&agent, "/operation"), ["echo/echo"]);
    let person = place.ask(["what", "person", "ana"]).await;
    assert!(person.stdout.contains("no entitlements on record") && person.stdout.contains("echo/echo"), "{person:?}");

    let table = place.ask(["who", "can", "call", "echo/echo"]).await;
    assert!(table.stdout.contains("support") && table.stdout.contains("assumed: a new task"), "{}", table.stdout);
    let change = place.ask(["who", "can-change", "agent:support"]).await;
    assert!(change.stdout.contains("approvers") && change.stdout.contains("ana"), "{}", change.stdout);

    let grant = callers.pointer("/items/0/reaches/0/grant/id").and_then(Value::as_str).expect("a grant");
    let approved = place.ask(["who", "approved", grant, "--json"]).await.json();
    assert_eq!(names(&approved, "/person/name"), ["ana"]);
    let refused = place.ask(["who", "approved", "nothing"]).await;
    assert_eq!(refused.code(), Some(1), "{}", refused.stderr);
    server.stop().await;
}

/// The text at `pointer` of each row that has one.
fn names<'a>(answer: &'a Value, pointer: &str) -> Vec<&'a str> {
    let items = answer.get("items").and_then(Value::as_array).expect("rows");
    items.iter().filter_map(|item| item.pointer(pointer).and_then(Value::as_str)).collect()
}
