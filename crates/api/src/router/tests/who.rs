//! Questions that run the other way, over HTTP.

use http::StatusCode;
use remit_domain::{ConnectorSpec, DataClass, Verb};
use remit_testkit::operation;
use serde_json::{Value, json};

use super::House;

const MONTH_SECONDS: u64 = 30 * 24 * 3600;

/// A help desk, and the agent `triage` of ada's.
async fn help_desk() -> House {
    let house = House::build().await;
    house.with_agent().await;
    let tools = vec![
        operation("read_ticket", Verb::Read, 0, DataClass::D1, &json!({"id": {"type": "string"}})),
        operation("close_ticket", Verb::Write, 1, DataClass::D0, &json!({"id": {"type": "string"}})),
    ];
    house.world.connector("helpdesk", ConnectorSpec::Http { url: "http://helpdesk/mcp".to_owned() }, tools).await;
    house
}

async fn granted(house: &House, operations: &[&str]) -> String {
    let body = json!({"agent": "triage", "operations": operations, "reason": "its work", "ttl_seconds": MONTH_SECONDS});
    house.ok("POST", "/v1/people", json!({"name": "bob"})).await;
    let profile = json!({"approvers": ["bob"]});
    house.ok("POST", "/v1/agents/triage/describe", profile).await;
    let grant = house.ok("POST", "/v1/grants", body).await["id"].as_str().unwrap().to_owned();
    let session = house.sign_in("bob").await;
    let (status, answer) = house.bearer("POST", &format!("/v1/grants/{grant}/approve"), &session, Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    grant
}

#[tokio::test]
async fn who_can_call_names_agents_grants_and_people_now_and_before() {
    let house = help_desk().await;
    let before = house.world.engine.now();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let grant = granted(&house, &["helpdesk/read_ticket"]).await;

    let answer = house.ok("GET", "/v1/who-can?operation=helpdesk/read_ticket", Value::Null).await;
    let row = &answer["items"][0];
    assert_eq!((row["kind"].as_str(), row["agent"]["name"].as_str()), (Some("agent"), Some("triage")), "{answer}");
    assert_eq!(row["owner"]["name"], "ada");
    assert_eq!(row["reaches"][0]["grant"]["id"], grant.as_str());
    assert_eq!(row["reaches"][0]["grant"]["approved_by"]["name"], "bob");
    assert_eq!(row["reaches"][0]["policies"], json!(["a-live-grant-permits"]));
    let people: Vec<&str> = row["people"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(people.contains(&"ada") && people.contains(&"bob"), "{people:?}");
    assert_eq!(answer["administrators"][0]["name"], "ada");
    assert!(answer["assumes"].as_str().unwrap().contains("a new task"), "{answer}");
    assert_eq!((&answer["next"], &answer["truncated"], &answer["of"]), (&Value::Null, &json!(false), &json!(1)));

    let then = format!("/v1/who-can?operation=helpdesk/read_ticket&as_of={before}");
    assert_eq!(house.ok("GET", &then, Value::Null).await["items"], json!([]), "nothing was granted yet");
    let other = house.ok("GET", "/v1/who-can?operation=helpdesk/close_ticket", Value::Null).await;
    assert_eq!(other["items"], json!([]));
    for (data, rows) in [("D1", 1), ("D2", 0)] {
        let seen = house.ok("GET", &format!("/v1/who-can?data={data}"), Value::Null).await;
        assert_eq!(seen["items"].as_array().unwrap().len(), rows, "{data}: {seen}");
    }
}

#[tokio::test]
async fn people_come_first_and_pages_go_on() {
    let house = help_desk().await;
    granted(&house, &["helpdesk/*"]).await;
    let operations = json!(["helpdesk/read_ticket"]);
    for person in ["ada", "bob"] {
        let edit = json!({"artefact": "entitlements", "person": person, "operations": operations});
        house.ok("POST", "/v1/changes", json!({"edits": [edit], "reason": "as in the directory"})).await;
    }
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page =
            house.ok("GET", &format!("/v1/who-can?operation=helpdesk/read_ticket&limit=1{after}"), Value::Null).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|row| {
            let name = row["person"]["name"].as_str().or(row["agent"]["name"].as_str());
            format!("{} {}", row["kind"].as_str().unwrap(), name.unwrap())
        }));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, ["person ada", "person bob", "agent triage"]);
}

#[tokio::test]
async fn what_is_reached_through_agents_is_told_from_what_is_reached_directly() {
    let house = help_desk().await;
    granted(&house, &["helpdesk/*"]).await;
    let reach = house.ok("GET", "/v1/reach?agent=triage", Value::Null).await;
    let operations: Vec<&str> =
        reach["items"].as_array().unwrap().iter().map(|it| it["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["helpdesk/close_ticket", "helpdesk/read_ticket"]);
    let ada = house.ok("GET", "/v1/reach?person=ada", Value::Null).await;
    assert_eq!(ada["note"], "no entitlements on record, so everything below is beyond them");
    assert_eq!(ada["items"][1]["through"][0]["agent"]["name"], "triage", "{ada}");
    house.ok("POST", "/v1/agents/triage/suspend", json!({"reason": "a look at it"})).await;
    let suspended = house.ok("GET", "/v1/reach?agent=triage", Value::Null).await;
    assert_eq!((&suspended["status"], &suspended["items"]), (&json!("suspended"), &json!([])));
}

#[tokio::test]
async fn who_can_change_and_who_approved() {
    let house = help_desk().await;
    let grant = granted(&house, &["helpdesk/read_ticket"]).await;
    let change = house.ok("GET", "/v1/who-can-change?artefact=policy:new", Value::Null).await;
    assert_eq!((&change["founding"], &change["there"]), (&json!(true), &json!(false)));
    assert_eq!(change["items"][0]["alone"]["founding"][0]["name"], "ada", "{change}");
    let approved = house.ok("GET", &format!("/v1/who-approved?of={grant}"), Value::Null).await;
    assert_eq!((&approved["status"], &approved["items"][0]["person"]["name"]), (&json!("live"), &json!("bob")));
    assert_eq!(approved["requested_by"]["name"], "ada");
    let revoke = json!({"reason": "enough"});
    house.ok("POST", &format!("/v1/grants/{grant}/revoke"), revoke).await;
    let approved = house.ok("GET", &format!("/v1/who-approved?of={grant}"), Value::Null).await;
    assert_eq!((&approved["status"], &approved["items"][0]["person"]["name"]), (&json!("ended"), &json!("bob")));
    assert!(approved["items"][0]["seq"].is_u64(), "{approved}");
}

#[tokio::test]
async fn an_action_is_traced_to_the_person_who_said_yes() {
    let house = help_desk().await;
    granted(&house, &["helpdesk/*"]).await;
    let task = house.world.task("triage").await;
    let answer = house.world.call(task, "helpdesk/read_ticket", json!({"id": "7"})).await;
    let action = answer.allowed();
    let traced = house.ok("GET", &format!("/v1/who-approved?of={action}"), Value::Null).await;
    assert_eq!((&traced["verdict"], &traced["items"]), (&json!("allowed"), &json!([])), "{traced}");
    assert_eq!(traced["grant"]["items"][0]["person"]["name"], "bob", "the grant has an approver");
    assert!(traced["note"].as_str().unwrap().contains("policies decided"));
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let house = help_desk().await;
    for (path, code) in [
        ("/v1/who-can", "bad_query"),
        ("/v1/who-can?operation=helpdesk/read_ticket&data=D1", "bad_query"),
        ("/v1/who-can?data=D9", "bad_data_class"),
        ("/v1/who-can?operation=helpdesk/none", "operation_unknown"),
        ("/v1/who-can?data=D1&after=x", "bad_cursor"),
        ("/v1/who-can?data=D1&limit=0", "bad_limit"),
        ("/v1/reach", "bad_query"),
        ("/v1/reach?agent=nobody", "not_found"),
        ("/v1/who-can-change?artefact=x", "bad_artefact"),
        ("/v1/who-approved?of=x", "bad_id"),
        ("/v1/who-approved?of=act_01jd0000000000000000000000", "not_found"),
        ("/v1/who-approved?of=grt_01jd0000000000000000000000", "not_found"),
        ("/v1/who-approved?of=chg_01jd0000000000000000000000", "not_found"),
    ] {
        let (status, answer) = house.ask("GET", path, Value::Null).await;
        assert!(status.is_client_error(), "{path}: {status}");
        assert_eq!(answer["code"], code, "{path}: {answer}");
    }
}

#[tokio::test]
async fn an_answer_says_what_is_enforced_elsewhere_and_leaves_out_what_a_configuration_does_not_give() {
    let house = help_desk().await;
    let spec = ConnectorSpec::Elsewhere { subjects: Vec::new(), resources: Vec::new(), trusts_properties: false };
    let tools = vec![operation("can_read", Verb::Read, 0, DataClass::D0, &json!({}))];
    house.world.connector("todo", spec, tools).await;
    let tools = json!(["todo/*", "helpdesk/read_ticket"]);
    let edit = json!({"artefact": "configuration", "agent": "triage", "configuration": {"tools": tools}});
    house.ok("POST", "/v1/changes", json!({"edits": [edit], "reason": "a look at it"})).await;
    granted(&house, &["todo/*", "helpdesk/*"]).await;
    let reach = house.ok("GET", "/v1/reach?agent=triage", Value::Null).await;
    let rows: Vec<(&str, bool)> = reach["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["operation"].as_str().unwrap(), row["enforced_elsewhere"] == true))
        .collect();
    assert_eq!(rows, [("helpdesk/read_ticket", false), ("todo/can_read", true)]);
    let can = house.ok("GET", "/v1/who-can?operation=todo/can_read", Value::Null).await;
    assert_eq!(can["items"][0]["reaches"][0]["enforced_elsewhere"], true, "{can}");
    let out = house.ok("GET", "/v1/who-can?operation=helpdesk/close_ticket", Value::Null).await;
    assert_eq!(out["items"], json!([]));
}
