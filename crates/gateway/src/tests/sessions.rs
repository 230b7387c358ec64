//! Clients that begin with a handshake.

use std::time::Duration;

use remit_domain::{Event, Outcome};
use serde_json::json;

use super::world::{World, read};

async fn begin(world: &World) -> String {
    let params =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
    let answered = world.legacy("initialize", params, None).await;
    assert_eq!(answered.result()["protocolVersion"], "2025-11-25");
    answered.header("mcp-session-id").unwrap().to_owned()
}

#[tokio::test]
async fn the_older_generations_are_spoken_as_they_are() {
    let world = World::new().await;
    let session = begin(&world).await;
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let initialized = world.post("/mcp/desk", &initialized).header("mcp-session-id", &session).send().await.unwrap();
    assert_eq!(initialized.status(), 202);
    assert_eq!(world.legacy("ping", json!({}), Some(&session)).await.result(), &json!({}));
    let listed = world.legacy("tools/list", json!({}), Some(&session)).await;
    assert!(listed.result().get("ttlMs").is_none() && listed.result().get("resultType").is_none());
    let called = world.legacy("tools/call", json!({"name": "echo", "arguments": {"text": "x"}}), Some(&session)).await;
    assert_eq!(called.text(), r#"{"text":"x"}"#);
    assert!(called.result().get("resultType").is_none());
    let refused = world.legacy("tools/call", json!({"name": "secret"}), Some(&session)).await;
    assert_eq!((refused.status, refused.refused()), (200, Some("denied_by_policy")));
    let unknown = world.legacy("prompts/list", json!({}), Some(&session)).await;
    assert_eq!((unknown.status, &unknown.body()["error"]["code"]), (200, &json!(-32601)));
    let batch = world.post("/mcp/desk", &json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}])).send().await.unwrap();
    assert_eq!(batch.status(), 400);
}

#[tokio::test]
async fn an_unknown_version_gets_the_newest_with_a_handshake() {
    let world = World::new().await;
    for (wanted, given) in [("2026-07-28", "2025-11-25"), ("2024-11-05", "2025-11-25"), ("2025-06-18", "2025-06-18")] {
        let answered = world.legacy("initialize", json!({"protocolVersion": wanted}), None).await;
        assert_eq!(answered.result()["protocolVersion"], given);
    }
}

#[tokio::test]
async fn a_session_of_another_task_is_none() {
    let mut world = World::new().await;
    let session = begin(&world).await;
    let first = world.token.clone();
    let other = world.start_task(None).await;
    world.token = world.token(other).await;
    assert_eq!(world.legacy("ping", json!({}), Some(&session)).await.status, 404);
    let delete = |token: &str| {
        world.http.delete(format!("{}/mcp/desk", world.url)).bearer_auth(token).header("mcp-session-id", &session)
    };
    assert_eq!(delete(&world.token).send().await.unwrap().status(), 404);
    assert_eq!(delete(&first).send().await.unwrap().status(), 204);
    world.token = first;
    assert_eq!(world.legacy("ping", json!({}), Some(&session)).await.status, 404);
}

#[tokio::test]
async fn a_cancelled_call_is_given_up_and_its_outcome_unknown() {
    let world = World::new().await;
    let session = begin(&world).await;
    let (answered, ()) = tokio::join!(world.legacy("tools/call", json!({"name": "hang"}), Some(&session)), async {
        while world.desk.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
        let cancel = world.post("/mcp/desk", &cancel).header("mcp-session-id", &session).send().await.unwrap();
        assert_eq!(cancel.status(), 202);
    });
    assert_eq!(answered.refused(), Some("outcome_unknown"));
    let unknown = |event: &Event| {
        matches!(event, Event::OutcomeRecorded(recorded) if matches!(recorded.outcome, Outcome::Unknown { .. }))
            .then_some(())
    };
    world.wait_for(unknown).await;
}

#[tokio::test]
async fn leaving_is_not_cancelling() {
    let world = World::with(true, |settings| settings.call_seconds_max = 2).await;
    let session = begin(&world).await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "hang"}});
    let request = world.post("/mcp/desk", &body).header("mcp-session-id", &session).timeout(Duration::from_millis(400));
    assert!(request.send().await.is_err());
    let reason = world.wait_for(|event| match event {
        Event::OutcomeRecorded(recorded) => Some(recorded.outcome.clone()),
        _ => None,
    });
    let Outcome::Unknown { reason } = reason.await else { panic!("unknown") };
    assert!(reason.contains("within 2 seconds"), "{reason}");
}

#[tokio::test]
async fn a_held_call_of_an_older_client_streams_and_then_runs() {
    let world = World::new().await;
    let session = begin(&world).await;
    let params = json!({"name": "refund", "arguments": {"amount": 1}});
    let (answered, ()) = tokio::join!(world.legacy("tools/call", params.clone(), Some(&session)), async {
        let question = world.question().await;
        world.approve(question).await;
    });
    assert_eq!(answered.header("content-type"), Some("text/event-stream"));
    assert_eq!(answered.text(), r#"{"amount":1}"#);
    // A client that takes no stream waits for a document.
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "slow", "_meta": {"progressToken": 1}}});
    let plain = world
        .http
        .post(format!("{}/mcp/desk", world.url))
        .bearer_auth(&world.token)
        .header("content-type", "application/json");
    let plain = read(plain.header("accept", "application/json").body(body.to_string()).send().await.unwrap()).await;
    assert_eq!((plain.header("content-type"), plain.messages.len()), (Some("application/json"), 1));
}
