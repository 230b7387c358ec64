use http::StatusCode;
use serde_json::{Value, json};

use super::House;

/// A realm with a connector, and then a second administrator: what ada changes from now on waits for mia.
async fn house() -> (House, String) {
    let house = House::build().await;
    let add = json!({"name": "helpdesk", "spec": {"kind": "http", "url": "http://localhost:1/mcp"}});
    house.ok("POST", "/v1/connectors", add).await;
    let tools = house.ok("GET", "/v1/connectors/helpdesk/tools", Value::Null).await;
    let own = tools["items"].as_array().unwrap().iter().filter(|tool| !tool["tool"].as_str().unwrap().starts_with('@'));
    let choices: Vec<Value> = own
        .map(|tool| json!({"tool": tool["tool"], "verb": "read", "risk": 0, "data": "D1", "digest": tool["digest"]}))
        .collect();
    house.ok("POST", "/v1/connectors/helpdesk/approve-tools", json!({"choices": choices})).await;
    house.with_agent().await;
    house.ok("POST", "/v1/people", json!({"name": "mia", "groups": ["administrators"]})).await;
    let mia = house.sign_in("mia").await;
    (house, mia)
}

impl House {
    async fn proposed(&self, method: &str, path: &str, body: Value) -> String {
        let (status, answer) = self.ask(method, path, body).await;
        assert_eq!((status, &answer["status"]), (StatusCode::ACCEPTED, &json!("pending")), "{method} {path}: {answer}");
        answer["change"].as_str().unwrap().to_owned()
    }

    async fn approved(&self, token: &str, change: &str) {
        let (status, answer) = self.bearer("POST", &format!("/v1/changes/{change}/approve"), token, json!({})).await;
        assert_eq!((status, &answer["status"]), (StatusCode::OK, &json!("active")), "{answer}");
    }
}

#[tokio::test]
async fn every_sort_of_artefact_waits_for_somebody_else_once_there_is_somebody() {
    let (house, mia) = house().await;
    house.ok("POST", "/v1/people", json!({"name": "bob"})).await;
    let edits = [
        json!({"artefact": "policy", "name": "probe", "text": "@id(\"probe\")\n@reason(\"never\")\nforbid (principal, action, resource) when { resource.risk > 3 };\n"}),
        json!({"artefact": "connector", "name": "helpdesk", "spec": {"kind": "http", "url": "http://localhost:2/mcp"}}),
        json!({"artefact": "operation", "operation": "helpdesk/read_ticket", "data": "D2", "irreversible": true}),
        json!({"artefact": "groups", "person": "ada", "groups": ["administrators", "support"]}),
        json!({"artefact": "approvers", "agent": "triage", "approvers": ["bob"]}),
        json!({"artefact": "entitlements", "person": "ada", "operations": ["helpdesk/*"]}),
        json!({"artefact": "configuration", "agent": "triage", "configuration": {"model": "m-1", "tools": ["helpdesk/*"]}}),
    ];
    for edit in &edits {
        let body = json!({"edits": [edit], "reason": "a test"});
        let change = house.proposed("POST", "/v1/changes", body).await;
        let address = format!("/v1/changes/{change}");
        let (status, problem) = house.ask("POST", &format!("{address}/approve"), json!({})).await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("self_approval")), "{edit}");
        let diff = house.ok("GET", &format!("{address}/diff"), Value::Null).await;
        assert!(diff["items"][0]["change"].is_string(), "{edit}: {diff}");
        house.approved(&mia, &change).await;
        let settled = house.ok("GET", &address, Value::Null).await;
        assert_eq!(
            (&settled["status"], &settled["settled_by"]["name"]),
            (&json!("active"), &json!("mia")),
            "{settled}"
        );
        assert_eq!(house.ok("GET", &format!("{address}/diff"), Value::Null).await, diff, "a diff stays what it was");
    }
    let operations = house.ok("GET", "/v1/operations", Value::Null).await;
    let read =
        operations["items"].as_array().unwrap().iter().find(|one| one["name"] == "helpdesk/read_ticket").unwrap();
    assert_eq!((&read["data"], &read["irreversible"], &read["verb"]), (&json!("D2"), &json!(true), &json!("read")));
    let agent = house.ok("GET", "/v1/agents/triage", Value::Null).await;
    assert_eq!((&agent["configuration"]["model"], &agent["approvers"][0]["name"]), (&json!("m-1"), &json!("bob")));
    assert_eq!(house.ok("GET", "/v1/people/ada", Value::Null).await["entitlements"], json!(["helpdesk/*"]));
    for artefact in
        ["policy:probe", "connector:helpdesk", "operation:helpdesk/read_ticket", "person:ada", "agent:triage"]
    {
        let history = house.ok("GET", &format!("/v1/changes/history?artefact={artefact}"), Value::Null).await;
        let told: Vec<&str> =
            history["items"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
        assert!(
            told.contains(&"approved") && told.iter().any(|what| what.starts_with("proposed: ")),
            "{artefact}: {told:?}"
        );
    }
}

#[tokio::test]
async fn what_was_a_deed_answers_that_it_waits() {
    let (house, mia) = house().await;
    let add = json!({"name": "other", "spec": {"kind": "http", "url": "http://localhost:3/mcp"}});
    let change = house.proposed("POST", "/v1/connectors", add).await;
    assert_eq!(house.ask("GET", "/v1/connectors/other", Value::Null).await.0, StatusCode::NOT_FOUND);
    let listed = house.bearer("GET", "/v1/changes", &mia, Value::Null).await.1;
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["waits_for_you"]), (&json!(change), &json!(true)));
    house.approved(&mia, &change).await;
    house.ok("GET", "/v1/connectors/other", Value::Null).await;
    // The person is there at once; what would give them power waits.
    let (status, added) = house.ask("POST", "/v1/people", json!({"name": "bob", "groups": ["support"]})).await;
    assert_eq!((status, &added["person"]["groups"]), (StatusCode::ACCEPTED, &json!([])), "{added}");
    house.approved(&mia, added["change"].as_str().unwrap()).await;
    assert_eq!(house.ok("GET", "/v1/people/bob", Value::Null).await["groups"], json!(["support"]));
    house.ok("PUT", "/v1/people/bob", json!({"groups": []})).await;
    let (status, described) =
        house.ask("POST", "/v1/agents/triage/describe", json!({"approvers": ["bob"], "purpose": "answers"})).await;
    assert_eq!((status, &described["agent"]["purpose"]), (StatusCode::ACCEPTED, &json!("answers")), "{described}");
    let rejected = format!("/v1/changes/{}/reject", described["change"].as_str().unwrap());
    house.bearer("POST", &rejected, &mia, json!({"note": "bob is new"})).await;
    assert_eq!(house.ok("GET", "/v1/agents/triage", Value::Null).await["approvers"], json!([]));
}

#[tokio::test]
async fn a_change_is_reverted_by_another_change() {
    let (house, mia) = house().await;
    let edit = json!({"artefact": "operation", "operation": "helpdesk/read_ticket", "risk": 3});
    let change = house.proposed("POST", "/v1/changes", json!({"edits": [edit], "reason": "it reads too much"})).await;
    let (_, problem) = house.ask("POST", &format!("/v1/changes/{change}/revert"), json!({})).await;
    assert_eq!(problem["code"], "change_not_active");
    house.approved(&mia, &change).await;
    let back = house.proposed("POST", &format!("/v1/changes/{change}/revert"), json!({})).await;
    let shown = house.ok("GET", &format!("/v1/changes/{back}"), Value::Null).await;
    assert_eq!((&shown["kind"], &shown["reverts"]), (&json!("revert"), &json!(change)));
    assert_eq!(shown["reason"], "revert: it reads too much");
    house.approved(&mia, &back).await;
    let operations = house.ok("GET", "/v1/operations?connector=helpdesk", Value::Null).await;
    assert!(operations["items"].as_array().unwrap().iter().all(|one| one["risk"] == 0), "{operations}");
    let (_, problem) = house.ask("POST", &format!("/v1/changes/{change}/revert"), json!({})).await;
    assert_eq!(problem["code"], "nothing_changes");
}

#[tokio::test]
async fn a_change_of_an_operation_is_reverted_where_its_connector_has_moved() {
    let (house, mia) = house().await;
    let edit = json!({"artefact": "operation", "operation": "helpdesk/read_ticket", "risk": 3});
    let change = house.proposed("POST", "/v1/changes", json!({"edits": [edit], "reason": "it reads too much"})).await;
    house.approved(&mia, &change).await;
    let spec = json!({"kind": "http", "url": "http://localhost:2/mcp"});
    let elsewhere = json!({"artefact": "connector", "name": "helpdesk", "spec": spec});
    let moved = json!({"edits": [elsewhere], "reason": "it is served elsewhere"});
    let moved = house.proposed("POST", "/v1/changes", moved).await;
    house.approved(&mia, &moved).await;
    let back = house.proposed("POST", &format!("/v1/changes/{change}/revert"), json!({})).await;
    house.approved(&mia, &back).await;
    let operations = house.ok("GET", "/v1/operations?connector=helpdesk", Value::Null).await;
    assert!(operations["items"].as_array().unwrap().iter().all(|one| one["risk"] == 0), "{operations}");
    let (_, problem) = house.ask("POST", &format!("/v1/changes/{change}/revert"), json!({})).await;
    assert_eq!(problem["code"], "nothing_changes");
}

#[tokio::test]
async fn an_emergency_is_active_at_once_and_two_others_look_at_it() {
    let (house, mia) = house().await;
    let change = house.proposed("POST", "/v1/people", json!({"name": "leo", "groups": ["administrators"]})).await;
    house.approved(&mia, &change).await;
    let leo = house.sign_in("leo").await;
    let edit = json!({"artefact": "operation", "operation": "helpdesk/read_ticket", "risk": 3});
    let body = json!({"edits": [edit], "reason": "it leaks"});
    let made = house.ok("POST", "/v1/changes/emergency", body).await;
    assert_eq!((&made["status"], &made["kind"]), (&json!("unreviewed"), &json!("emergency")), "{made}");
    assert!(made["due_at"].is_string());
    let operations = house.ok("GET", "/v1/operations?connector=helpdesk", Value::Null).await;
    assert!(operations["items"].as_array().unwrap().iter().any(|one| one["risk"] == 3));
    let review = format!("/v1/changes/{}/review", made["id"].as_str().unwrap());
    let (_, problem) = house.ask("POST", &review, json!({"upheld": true})).await;
    assert_eq!(problem["code"], "self_approval");
    let (_, first) = house.bearer("POST", &review, &mia, json!({"upheld": true})).await;
    assert_eq!(first["status"], "unreviewed", "{first}");
    let (_, second) = house.bearer("POST", &review, &leo, json!({"upheld": false, "note": "too strict"})).await;
    assert_eq!(second["status"], "reviewed", "{second}");
    let shown = house.ok("GET", &format!("/v1/changes/{}", made["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!((&shown["status"], shown["reviews"].as_array().unwrap().len()), (&json!("reviewed"), 2), "{shown}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_place_and_help() {
    let (house, _) = house().await;
    let propose = |edit: Value| json!({"edits": [edit], "reason": "a test"});
    let broken = json!({"artefact": "policy", "name": "probe", "text": "permit (principal, action, resource) when { resource.colour };"});
    let (status, problem) = house.ask("POST", "/v1/changes", propose(broken)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("policy_invalid")));
    assert_eq!(problem["fields"][0]["field"], "probe", "{problem}");
    for (edit, code) in [
        (json!({"artefact": "groups", "person": "nobody", "groups": []}), "not_found"),
        (json!({"artefact": "operation", "operation": "helpdesk/other", "risk": 1}), "missing_member"),
        (json!({"artefact": "colour", "name": "red"}), "bad_request"),
        (json!({"artefact": "groups", "person": "ada", "groups": [], "colour": "red"}), "bad_request"),
    ] {
        let (_, problem) = house.ask("POST", "/v1/changes", propose(edit)).await;
        assert_eq!(problem["code"], code, "{problem}");
    }
}

#[tokio::test]
async fn while_there_is_nobody_else_what_is_proposed_is_done() {
    let house = House::build().await;
    let edit = json!({"artefact": "groups", "person": "ada", "groups": ["administrators", "support"]});
    let done = house.ok("POST", "/v1/changes", json!({"edits": [edit], "reason": "a test"})).await;
    assert_eq!((&done["status"], &done["artefacts"]), (&json!("active"), &json!(["person:ada"])));
    assert_eq!(house.ok("GET", "/v1/changes", Value::Null).await["items"], json!([]));
}
