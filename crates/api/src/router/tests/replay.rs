//! Trying proposals, and reading what was, over HTTP.

use http::StatusCode;
use http_body_util::BodyExt;
use remit_domain::{ConnectorSpec, DataClass, Verb};
use remit_testkit::operation;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{ADMINISTRATOR_UID, House, plain};
use crate::Peer;

const RULE: &str = "@id(\"no-reads\") forbid(principal == Agent::\"triage\", action in Action::\"read\", resource);";

/// A help desk whose agent has been called three times: two reads that were allowed, and one that nobody offers.
async fn called() -> (House, String) {
    let house = House::build().await;
    house.with_agent().await;
    let choices = vec![operation("read_ticket", Verb::Read, 0, DataClass::D1, &json!({"id": {"type": "string"}}))];
    house.world.connector("helpdesk", ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() }, choices).await;
    house.world.person("bob", &[]).await;
    house.ok("POST", "/v1/agents/triage/describe", json!({"approvers": ["bob"]})).await;
    let asked = json!({"agent": "triage", "operations": ["helpdesk/*"], "reason": "its work", "ttl_seconds": 3600});
    let grant = house.ok("POST", "/v1/grants", asked).await["id"].as_str().unwrap().to_owned();
    let bob = house.sign_in("bob").await;
    house.bearer("POST", &format!("/v1/grants/{grant}/approve"), &bob, Value::Null).await;
    let task = house.world.task("triage").await;
    for tool in ["helpdesk/read_ticket", "helpdesk/read_ticket", "helpdesk/other"] {
        house.world.call(task, tool, json!({"id": "7"})).await;
    }
    (house, task.to_string())
}

/// The lines that are answered to `POST /v1/replay`.
async fn replayed(house: &House, body: Value) -> Vec<Value> {
    let mut request = plain("POST", "/v1/replay", &body);
    request.extensions_mut().insert(Peer::Socket { uid: ADMINISTRATOR_UID, pid: None });
    let response = house.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/jsonl");
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    std::str::from_utf8(&bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn edits() -> Value {
    json!([{"name": "no-reads", "text": RULE}])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_says_what_would_differ_and_what_stays() {
    let (house, _) = called().await;
    let lines = replayed(&house, json!({"edits": edits(), "every": true})).await;
    let report = &lines.last().unwrap()["report"];
    assert_eq!((&report["attempts"], &report["different"]), (&json!(3), &json!(2)), "{report}");
    assert_eq!(report["kept"], json!({"operation_unknown": 1}));
    assert_eq!(report["groups"][0]["now"], json!({"answer": "deny", "determining": ["no-reads"]}));
    assert_eq!(lines.iter().filter(|line| line.get("difference").is_some()).count(), 2);
    let nothing = replayed(&house, json!({"edits": []})).await;
    assert_eq!(nothing.last().unwrap()["report"]["different"], 0);
    assert_eq!(nothing.last().unwrap()["passed"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_tried_for_a_change_is_recorded_with_it() {
    let (house, _) = called().await;
    let bob = house.sign_in("bob").await;
    let proposal = json!({"edits": edits(), "reason": "no reading"});
    let (status, proposed) = house.bearer("POST", "/v1/policies", &bob, proposal).await;
    assert!(status.is_success(), "{proposed}");
    let change = proposed.get("id").or(proposed.get("change")).and_then(Value::as_str).unwrap();
    let lines = replayed(&house, json!({"change": change})).await;
    let last = lines.last().unwrap();
    assert!(last["recorded"].is_u64(), "{last}");
    let shown = house.ok("GET", &format!("/v1/changes/{change}"), Value::Null).await;
    let check = &shown["checks"][0];
    assert_eq!((&check["check"], &check["passed"], &last["passed"]), (&json!("replay"), &json!(false), &json!(false)));
    let summary = check["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("of 3 actions recorded from 20") && summary.contains(" 2 would newly be denied"),
        "{summary}"
    );

    let address = format!("/v1/changes/{change}/shadow");
    let (status, problem) = house.ask("GET", &address, Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("no_shadow")));
    assert_eq!(house.ok("POST", &address, json!({})).await["running"], true);
    let ended = house.ok("POST", &address, json!({"on": false})).await;
    assert_eq!((&ended["running"], &ended["ended"]), (&json!(false), &json!("it was ended")));
    assert_eq!(ended["passed"], false, "it has seen nothing");
}

/// What was tried with `change`: under which name, whether it passed, and the sentence.
async fn checks(house: &House, change: &str) -> Vec<(String, bool, String)> {
    let shown = house.ok("GET", &format!("/v1/changes/{change}"), Value::Null).await;
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    let checks = shown["checks"].as_array().unwrap().iter();
    checks.map(|check| (text(check, "check"), check["passed"] == true, text(check, "summary"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_tried_in_part_passes_nothing() {
    let (house, _) = called().await;
    house.ok("POST", "/v1/people", json!({"name": "mia", "groups": ["administrators"]})).await;
    let rule = "@id(\"probe\") @reason(\"never\") forbid(principal, action, resource) when { resource.risk > 3 };";
    let policy = json!({"artefact": "policy", "name": "probe", "text": rule});
    let proposal = json!({"edits": [policy], "reason": "a probe"});
    let change = house.ask("POST", "/v1/changes", proposal).await.1["change"].as_str().unwrap().to_owned();

    let whole = replayed(&house, json!({"change": change})).await;
    let sentence = whole.last().unwrap()["sentence"].as_str().unwrap();
    for window in [
        json!({"change": change, "from": "2001-01-01T00:00:00Z"}),
        json!({"change": change, "to": house.world.engine.now().to_string()}),
    ] {
        let part = replayed(&house, window).await;
        assert_eq!(part.last().unwrap()["passed"], false, "{part:?}");
        let recorded = checks(&house, &change).await;
        assert_eq!(recorded[0], ("replay".to_owned(), true, sentence.to_owned()), "it stays as it was");
        assert_eq!((recorded.len(), recorded[1].0.as_str(), recorded[1].1), (2, "replay-part", false), "{recorded:?}");
        assert!(recorded[1].2.ends_with("; only the chosen time was tried"), "{recorded:?}");
    }

    let address = format!("/v1/changes/{change}/shadow");
    house.ok("POST", &address, json!({})).await;
    house.ok("POST", &address, json!({"on": false})).await;
    let (name, passed, sentence) = checks(&house, &change).await.pop().unwrap();
    assert_eq!((name.as_str(), passed), ("shadow", false));
    assert!(sentence.starts_with("ran from 20") && sentence.contains(", too short to say: of "), "{sentence}");

    let groups = json!({"artefact": "groups", "person": "bob", "groups": ["support"]});
    let proposal = json!({"edits": [policy, groups], "reason": "a probe, and more"});
    let change = house.ask("POST", "/v1/changes", proposal).await.1["change"].as_str().unwrap().to_owned();
    replayed(&house, json!({"change": change})).await;
    let address = format!("/v1/changes/{change}/shadow");
    assert_eq!(house.ok("POST", &address, json!({})).await["other_edits"], 1);
    house.ok("POST", &address, json!({"on": false})).await;
    let recorded = checks(&house, &change).await;
    assert_eq!(recorded.len(), 2);
    for (name, passed, sentence) in recorded {
        assert!(!passed && sentence.ends_with("; 1 other edit was not tried"), "{name}: {sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_is_refused_before_any_line() {
    let (house, _) = called().await;
    for (body, code) in [
        (json!({}), "bad_request"),
        (json!({"change": "chg_none"}), "not_found"),
        (json!({"edits": [], "from": "yesterday"}), "bad_time"),
        (json!({"edits": [], "from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z"}), "nothing_recorded"),
    ] {
        let (status, problem) = house.ask("POST", "/v1/replay", body.clone()).await;
        assert!(status.is_client_error() && problem["code"] == code, "{body}: {status} {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_explains_itself_also_under_a_proposal() {
    let (house, task) = called().await;
    let question =
        json!({"task": task, "operation": "helpdesk/read_ticket", "arguments": {"id": "7"}, "edits": edits()});
    let answer = house.ok("POST", "/v1/simulate", question).await;
    assert_eq!(answer["decision"], "allow", "{answer}");
    assert_eq!(answer["legs"][0]["facts"]["resource"]["verb"], "read");
    assert!(answer["rules"][0]["text"].as_str().unwrap().contains("permit"));
    assert_eq!(answer["proposed"]["differs"], true);
    assert_eq!(answer["proposed"]["explanation"]["rules"][0]["id"], "no-reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_are_of_any_moment_that_was() {
    let house = House::build().await;
    let before = house.world.engine.now().to_string();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    house.with_agent().await;
    let items = async |path: String| house.ok("GET", &path, Value::Null).await["items"].as_array().unwrap().len();
    assert_eq!(items("/v1/agents".to_owned()).await, 1);
    assert_eq!(items(format!("/v1/agents?as_of={before}")).await, 0);
    assert_eq!(items(format!("/v1/people?as_of={before}")).await, 1);
    let (status, problem) = house.ask("GET", &format!("/v1/agents/triage?as_of={before}"), Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    let (_, problem) = house.ask("GET", "/v1/agents?as_of=2001-01-01T00:00:00Z", Value::Null).await;
    assert_eq!(problem["code"], "before_beginning");
    let (_, problem) = house.ask("GET", "/v1/policies?as_of=2999-01-01T00:00:00Z", Value::Null).await;
    assert_eq!(problem["code"], "not_yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_an_auditor_reads_of_that_time_what_they_may_read_now() {
    let house = House::build().await;
    house.world.person("rita", &["auditors"]).await;
    let rita = house.sign_in("rita").await;
    let (_, now) = house.bearer("GET", "/v1/people/ada", &rita, Value::Null).await;
    assert!(now.get("added_at").is_some(), "{now}");
    let then = house.world.engine.now().to_string();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    house.ok("PUT", "/v1/people/rita", json!({"groups": []})).await;
    for path in ["/v1/people/ada".to_owned(), format!("/v1/people/ada?as_of={then}")] {
        let (status, seen) = house.bearer("GET", &path, &rita, Value::Null).await;
        assert_eq!((status, seen.get("added_at")), (StatusCode::OK, None), "{path}: {seen}");
    }
}
