//! Calls: decided, recorded before they leave, forwarded, recorded again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use remit_domain::{Command, Event, Outcome};
use serde_json::json;

use super::world::{World, read};

fn outcome(event: &Event) -> Option<Outcome> {
    match event {
        Event::OutcomeRecorded(recorded) => Some(recorded.outcome.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn an_allowed_call_reaches_its_upstream_and_is_on_record() {
    let world = World::new().await;
    let answered = world.call("echo", json!({"text": "hi"})).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.text(), r#"{"text":"hi"}"#);
    assert_eq!(answered.result()["resultType"], "complete");
    let allowed = world.wait_for(|event| match event {
        Event::ActionAllowed(allowed) => Some(allowed.clone()),
        _ => None,
    });
    let allowed = allowed.await;
    let decision = allowed.action.to_string();
    assert_eq!(answered.header("remit-decision"), Some(decision.as_str()));
    assert_eq!(answered.result()["_meta"]["remit/decision"], json!(decision));
    let seen = world.desk.calls();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].headers["remit-decision"], decision.as_str());
    assert_eq!(seen[0].headers["mcp-name"], "echo");
    assert_eq!(seen[0].headers["mcp-param-text"], "hi");
    assert!(seen[0].headers.get("authorization").is_none(), "the agent's token never goes upstream");
    assert_eq!(seen[0].body["params"]["_meta"]["remit/decision"], json!(decision));
    assert_eq!(seen[0].body["params"]["_meta"]["io.modelcontextprotocol/clientInfo"]["name"], "remit");
    assert_eq!(world.wait_for(outcome).await, Outcome::Succeeded);
    let arguments = world.engine.content(&allowed.facts.arguments, world.task).await.unwrap().unwrap();
    assert_eq!(arguments, br#"{"text":"hi"}"#);
}

#[tokio::test]
async fn a_tool_that_is_not_granted_and_one_that_is_not_there_are_refused_and_recorded() {
    let world = World::new().await;
    let secret = world.call("secret", json!({})).await;
    let missing = world.call("no_such_tool", json!({})).await;
    let unapproved = world.call("ungranted", json!({})).await;
    for (answered, code) in
        [(&secret, "denied_by_policy"), (&missing, "operation_unknown"), (&unapproved, "operation_unknown")]
    {
        assert_eq!((answered.status, answered.refused()), (200, Some(code)));
        assert!(answered.header("remit-decision").unwrap().starts_with("act_"));
        assert_eq!(answered.result()["resultType"], "complete");
    }
    assert!(world.desk.calls().is_empty());
    let denied =
        world.records().await.iter().filter(|record| matches!(record.record.event, Event::ActionDenied(_))).count();
    assert_eq!(denied, 3);
}

#[tokio::test]
async fn tools_are_called_with_their_connector_where_they_are_joined() {
    let world = World::new().await;
    let params = json!({"name": "desk__echo", "arguments": {"text": "joined"}});
    let answered = read(world.modern("/mcp", "tools/call", params).send().await.unwrap()).await;
    assert_eq!(answered.text(), r#"{"text":"joined"}"#);
    let params = json!({"name": "echo", "arguments": {}});
    let answered = read(world.modern("/mcp", "tools/call", params).send().await.unwrap()).await;
    assert_eq!(answered.refused(), Some("operation_unknown"));
}

#[tokio::test]
async fn a_tools_error_and_an_upstreams_error_have_their_outcomes() {
    let world = World::new().await;
    let failed = world.call("fail", json!({})).await;
    assert_eq!((failed.text(), &failed.result()["isError"]), ("it failed", &json!(true)));
    assert_eq!(world.wait_for(outcome).await, Outcome::ToolError);
    let broken = world.call("broken", json!({})).await;
    // A code about the hop behind would be read as one about this hop.
    assert_eq!((broken.status, &broken.body()["error"]["code"]), (200, &json!(-32603)));
    let failed = |event: &Event| outcome(event).filter(|outcome| matches!(outcome, Outcome::Failed { .. }));
    world.wait_for(failed).await;
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_an_unknown_outcome() {
    let world = World::new().await;
    let answered = world.call("cut", json!({})).await;
    assert_eq!(answered.refused(), Some("outcome_unknown"));
    assert!(matches!(world.wait_for(outcome).await, Outcome::Unknown { .. }));
    assert_eq!(world.desk.calls().len(), 1, "never sent twice");
}

#[tokio::test]
async fn an_upstream_that_takes_too_long_is_given_up() {
    let world = World::with(true, |settings| settings.call_seconds_max = 1).await;
    let answered = world.call("hang", json!({})).await;
    assert_eq!(answered.refused(), Some("outcome_unknown"));
    assert!(answered.text().contains("within 1 seconds"), "{}", answered.text());
}

#[tokio::test]
async fn progress_reaches_the_client_under_its_own_name() {
    let world = World::new().await;
    let answered = world.call_with("slow", json!({}), json!({"progressToken": "mine"})).await;
    assert_eq!(answered.header("content-type"), Some("text/event-stream"));
    assert!(answered.header("remit-decision").is_some());
    assert_eq!(answered.messages.len(), 2, "{:?}", answered.messages);
    assert_eq!(answered.messages[0]["method"], "notifications/progress");
    assert_eq!(answered.messages[0]["params"], json!({"progressToken": "mine", "progress": 1}));
    assert_eq!(answered.result()["resultType"], "complete");
    assert!(world.desk.calls()[0].body["params"]["_meta"]["progressToken"].is_u64());
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_call_and_the_outcome_is_recorded() {
    let world = World::new().await;
    let params = json!({"name": "hang", "arguments": {}});
    let request = world.modern("/mcp/desk", "tools/call", params).timeout(Duration::from_millis(500));
    assert!(request.send().await.is_err());
    assert!(matches!(world.wait_for(outcome).await, Outcome::Unknown { .. }));
    for _ in 0..100 {
        if world.desk.dropped.load(Ordering::SeqCst) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the upstream was never told");
}

#[tokio::test]
async fn a_task_that_has_ended_calls_nothing_and_its_attempt_is_on_record() {
    let world = World::new().await;
    world.submit(&world.ada, Command::EndTask { task: world.task, note: String::new() }).await;
    let answered = world.call("echo", json!({})).await;
    assert_eq!((answered.status, answered.refused()), (200, Some("task_ended")));
    let listed = read(world.modern("/mcp/desk", "tools/list", json!({})).send().await.unwrap()).await;
    assert_eq!((listed.status, &listed.body()["error"]["data"]["remit/refusal"]["code"]), (401, &json!("task_ended")));
    assert!(world.desk.calls().is_empty());
}

#[tokio::test]
async fn nothing_is_sent_when_nothing_can_be_recorded() {
    let world = World::new().await;
    world.engine.close().await;
    let answered = world.call("echo", json!({})).await;
    assert_eq!(answered.status, 503);
    assert_eq!(answered.header("retry-after"), Some("1"));
    assert_eq!(answered.body()["error"]["data"]["status"], 503);
    assert!(world.desk.calls().is_empty());
}

#[tokio::test]
async fn closing_answers_what_comes_after_with_a_hint_to_return() {
    let world = World::new().await;
    world.gateway.close().await;
    let answered = world.call("echo", json!({})).await;
    assert_eq!((answered.status, &answered.body()["error"]["data"]["code"]), (503, &json!("stopping")));
}
