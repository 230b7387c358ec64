//! What of a list somebody sees, and what reading content leaves behind.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use remit_domain::{Command, Event};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::estate::Estate;

async fn seen(estate: &Estate, asker: &str, path: &str) -> Value {
    let (status, answer) = estate.house.bearer("GET", path, estate.token(asker), Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{asker} {path}: {answer}");
    answer
}

async fn rows(estate: &Estate, asker: &str, path: &str) -> usize {
    seen(estate, asker, path).await["items"].as_array().unwrap().len()
}

/// What was recorded of readings: who, and for what.
async fn readings(estate: &Estate) -> Vec<(String, String)> {
    let records = estate.house.world.records().await.into_iter().filter_map(|committed| match committed.record.event {
        Event::ContentRead { by, reason, .. } => Some((by, reason)),
        _ => None,
    });
    let name = |by| estate.house.world.engine.read(|state| state.person(by).unwrap().name.clone());
    records.map(|(by, reason)| (name(by), reason)).collect()
}

#[tokio::test]
async fn lists_hold_what_their_reader_may_read_and_no_more() {
    let estate = Estate::build().await;
    for path in ["/v1/tasks", "/v1/runs", "/v1/findings?status=all", "/v1/approvals"] {
        assert_eq!(rows(&estate, "member", path).await, 0, "{path}");
        assert_eq!(rows(&estate, "content-reader", path).await, 0, "{path}");
        for asker in ["owner", "approver", "reviewer", "auditor", "administrator"] {
            assert!(rows(&estate, asker, path).await > 0, "{asker} {path}");
        }
    }
    // Whom it is done for sees that it is, and what exactly is asked in their name.
    assert_eq!(rows(&estate, "leo", "/v1/tasks").await, 1);
    assert_eq!(rows(&estate, "leo", "/v1/approvals").await, 1);
    let card = "/v1/agents/triage/card";
    assert_eq!(seen(&estate, "member", card).await["tasks"], json!([]));
    assert_eq!(seen(&estate, "member", card).await["waiting_approvals"], json!([]));
    assert_eq!(seen(&estate, "approver", card).await["tasks"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_arguments_of_a_question_are_for_those_whom_it_concerns() {
    let estate = Estate::build().await;
    let path = estate.filled("/v1/approvals/$approval");
    for asker in ["owner", "leo"] {
        assert_eq!(seen(&estate, asker, &path).await["arguments"], json!({"id": "7"}), "{asker}");
    }
    for asker in ["auditor", "reviewer"] {
        let shown = seen(&estate, asker, &path).await;
        assert_eq!((&shown["arguments"], shown["arguments_missing"].is_string()), (&Value::Null, true), "{asker}");
    }
}

#[tokio::test]
async fn of_others_a_member_sees_names_and_groups() {
    let estate = Estate::build().await;
    let members = |person: &Value| person.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        members(&seen(&estate, "member", "/v1/people/leo").await),
        BTreeSet::from(["groups", "id", "name"].map(str::to_owned))
    );
    assert!(members(&seen(&estate, "leo", "/v1/people/leo").await).contains("links"));
    assert!(members(&seen(&estate, "auditor", "/v1/people/leo").await).contains("links"));
}

#[tokio::test]
async fn whoever_did_something_may_read_that_they_did_it() {
    let estate = Estate::build().await;
    let ask = json!({"agent": "triage", "operations": ["helpdesk/lookup"], "reason": "less", "ttl_seconds": 60});
    let (_, asked) = estate.house.bearer("POST", "/v1/grants", estate.token("member"), ask).await;
    let own = format!("/v1/records/{}", asked["seq"]);
    assert_eq!(seen(&estate, "member", &own).await["record"]["event"]["type"], "GrantRequested");
    let (status, _) = estate.house.bearer("GET", &own, estate.token("leo"), Value::Null).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    // Nor is anybody told how many records there are.
    for path in ["/v1/records/99999", "/v1/receipts/99999", "/v1/records/99999/proof"] {
        let (status, _) = estate.house.bearer("GET", path, estate.token("member"), Value::Null).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_stream_shows_an_owner_their_own_agents_alone() {
    let estate = Estate::build().await;
    let request = Request::get("/v1/stream").header(header::AUTHORIZATION, format!("Bearer {}", estate.token("owner")));
    let response = estate.house.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    let world = &estate.house.world;
    world.person("zoe", &[]).await;
    world.agent("elsewhere", "ada", |_| {}).await;
    let agent = world.agent_named("triage");
    world.submit(&world.root(), Command::SuspendAgent { agent, reason: "a look at it".to_owned() }).await;
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let text = String::from_utf8(frame.to_vec()).unwrap();
    assert!(text.contains("AgentSuspended"), "{text}");
    // From then on she is not its owner any more, and sees nothing of it.
    let mut profile = world.engine.read(|state| state.agent(agent).unwrap().profile.clone());
    profile.owner = Some(world.person_named("ben"));
    world.agreed(&world.root(), Command::DescribeAgent { agent, profile: Box::new(profile) }).await;
    let mut later = String::new();
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(std::time::Duration::from_millis(300), body.frame()).await {
        later.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
    world.submit(&world.root(), Command::ResumeAgent { agent }).await;
    let more = tokio::time::timeout(std::time::Duration::from_millis(300), body.frame()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn content_is_read_for_a_reason_and_leaves_a_record() {
    let estate = Estate::build().await;
    let path = estate.filled("/v1/tasks/$task/contents");
    let content = estate.filled("$content");
    let ask = |reason: &str| json!({"content": content, "reason": reason});
    let token = estate.token("content-reader");
    let (status, problem) = estate.house.bearer("POST", &path, token, ask(" ")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("missing_text")));
    let wrong = json!({"content": "0".repeat(64), "reason": "a complaint"});
    assert_eq!(estate.house.bearer("POST", &path, token, wrong).await.0, StatusCode::NOT_FOUND);
    assert_eq!(readings(&estate).await, []);
    let (status, read) = estate.house.bearer("POST", &path, token, ask("a complaint")).await;
    assert_eq!((status, &read["value"]), (StatusCode::OK, &json!({"id": "7"})));
    assert_eq!(readings(&estate).await, [("carl".to_owned(), "a complaint".to_owned())]);
}

#[tokio::test]
async fn evidence_with_contents_takes_both_rights_and_a_reason() {
    let estate = Estate::build().await;
    let world = &estate.house.world;
    let both = ["auditors", "content-readers"].map(str::to_owned).to_vec();
    let person = world.person_named("aida");
    world.agreed(&world.root(), Command::SetPersonGroups { person, groups: both }).await;
    let token = estate.token("auditor");
    let without = json!({"agent": "triage", "contents": true});
    let (status, problem) = estate.house.bearer("POST", "/v1/evidence", token, without).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("missing_text")));
    let with = json!({"agent": "triage", "contents": true, "reason": "the yearly audit"});
    let (status, pack) = estate.house.bearer("POST", "/v1/evidence", token, with).await;
    assert_eq!(status, StatusCode::OK, "{pack}");
    let contents = pack["contents"].as_array().unwrap().len();
    assert!(contents > 0);
    assert_eq!(readings(&estate).await, vec![("aida".to_owned(), "the yearly audit".to_owned()); contents]);
}

#[tokio::test]
async fn what_a_task_asks_for_is_for_those_who_may_read_of_that_task() {
    let estate = Estate::build().await;
    let wanted = estate.filled("$wanted");
    let may = [("leo", true), ("owner", true), ("approver", true), ("auditor", true), ("member", false)];
    for (asker, sees) in may.into_iter().chain([("content-reader", false)]) {
        for path in ["/v1/grants", "/v1/agents/triage/card"] {
            let listed = seen(&estate, asker, path).await.to_string();
            assert_eq!(listed.contains(&wanted), sees, "{asker} {path}: {listed}");
        }
    }
}
