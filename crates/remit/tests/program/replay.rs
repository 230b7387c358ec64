//! What a proposal would do, asked of the built program before anybody says yes to it.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Echo, Estate, Place, until};

const RULE: &str = r#"@id("no-echo") @reason("not this one") forbid(principal, action == Action::"echo/echo", resource) when { context.arguments.text like "secret*" };"#;

/// Each line of what a command printed as JSON lines.
fn lines(printed: &str) -> Vec<Value> {
    printed.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no number at {pointer} in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_tried_on_recorded_calls_and_on_live_ones() {
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    let mut caller = estate.caller();
    for text in ["hello", "secret one", "secret two"] {
        assert!(caller.call(text).await.expect("an answer").is_result());
    }
    let folder = place.root().join("tried");
    fs::create_dir(&folder).expect("no folder");
    fs::write(folder.join("no-echo.cedar"), RULE).expect("no file");
    let files = folder.display().to_string();

    let told = place.ask(["policy", "replay", "--policies", &files, "--all", "--json"]).await;
    assert_eq!(told.code(), Some(0), "{}", told.stderr);
    let told = lines(&told.stdout);
    let report = told.last().expect("a report");
    assert_eq!((number(report, "/report/attempts"), number(report, "/report/different")), (3, 2), "{report}");
    assert_eq!(report.pointer("/report/groups/0/now/determining"), Some(&json!(["no-echo"])));
    assert_eq!(told.iter().filter(|line| line.get("difference").is_some()).count(), 2);
    let seq = number(report, "/report/groups/0/first/0/seq");
    let record = place.control().read(&format!("/v1/records/{seq}")).await;
    assert_eq!(record.pointer("/record/event/type"), Some(&json!("ActionAllowed")));
    let table = place.ask(["policy", "replay", "--policies", &files]).await;
    assert!(table.stdout.contains("would newly be denied") && table.stdout.contains("no-echo"), "{}", table.stdout);

    let edits = json!([{"name": "no-echo", "text": RULE}]);
    let ana = estate_person(&place, "ana").await;
    let proposed = ana.post("/v1/policies", json!({"edits": edits, "reason": "no secrets"})).await;
    let change =
        proposed.pointer("/id").or_else(|| proposed.pointer("/change")).and_then(Value::as_str).expect("a change");
    let told = place.ask(["policy", "replay", change, "--json"]).await;
    assert!(number(lines(&told.stdout).last().expect("a report"), "/recorded") > 0, "{}", told.stdout);
    let shown = place.control().read(&format!("/v1/changes/{change}")).await;
    assert_eq!(shown.pointer("/checks/0/check"), Some(&json!("replay")), "{shown}");

    let begun = place.ask(["policy", "shadow", change]).await;
    assert!(begun.stdout.contains("runs in the shadow"), "{}{}", begun.stdout, begun.stderr);
    assert!(caller.call("secret three").await.expect("an answer").is_result(), "the active policies decide");
    let address = format!("/v1/changes/{change}/shadow");
    let seen = until("the shadow has seen it", async || {
        let shadow = place.control().read(&address).await;
        (number(&shadow, "/attempts") == 1).then_some(shadow)
    });
    assert_eq!(number(&seen.await, "/different"), 1);
    let ended = place.ask(["policy", "shadow", change, "--off"]).await;
    assert!(ended.stdout.contains("it was ended") && ended.stdout.contains("no-echo"), "{}", ended.stdout);
    server.stop().await;
}

/// The person `name`, signed in.
async fn estate_person(place: &Place, name: &str) -> crate::support::Control {
    let offered = place.control().post(&format!("/v1/people/{name}/sign-in"), json!({})).await;
    let code = offered.get("code").and_then(Value::as_str).expect("a code");
    place.control().signed_in(code).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_can_be_read_as_it_was() {
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let before = place.control().read("/v1/who-can?data=D0").await;
    let before = before.get("as_of").and_then(Value::as_str).expect("a moment").to_owned();
    let estate = Estate::build(&place, &echo).await;
    let count = async |arguments: &[&str]| {
        let exit = place.ask(arguments.iter().copied().chain(["--json"])).await;
        assert_eq!(exit.code(), Some(0), "{}", exit.stderr);
        exit.json().get("items").and_then(Value::as_array).map_or(0, Vec::len)
    };
    for list in [["agent", "list"], ["connector", "list"], ["grant", "list"]] {
        assert!(count(&list).await > 0, "{list:?}");
        assert_eq!(count(&[list[0], list[1], "--as-of", &before]).await, 0, "{list:?}");
    }
    let unknown = place.ask(["agent", "show", "support", "--as-of", &before]).await;
    assert_eq!(unknown.code(), Some(1), "{}", unknown.stdout);
    let never = place.ask(["agent", "list", "--as-of", "2001-01-01T00:00:00Z", "--json"]).await;
    assert!(never.stderr.contains("before_beginning"), "{}", never.stderr);

    assert!(estate.caller().call("hello").await.expect("an answer").is_result());
    let tasks = place.control().read("/v1/tasks?agent=support").await;
    let task = tasks.pointer("/items/0/id").and_then(Value::as_str).expect("a task");
    let simulated = ["policy", "simulate", "echo/echo", "--task", task, "--arguments", r#"{"text":"x"}"#];
    let answer = place.ask(simulated.into_iter().chain(["--json"])).await.json();
    assert_eq!(answer.pointer("/decision"), Some(&json!("allow")), "{answer}");
    assert_eq!(answer.pointer("/legs/0/facts/principal/name"), Some(&json!("support")));
    assert!(answer.pointer("/rules/0/text").and_then(Value::as_str).is_some_and(|text| text.contains("permit")));
    let told = place.ask(simulated).await;
    assert!(told.stdout.contains("what the policies saw of support"), "{}", told.stdout);
    server.stop().await;
}
