//! Calls that a person has to approve.

use std::time::Duration;

use remit_domain::{Command, Event};
use serde_json::json;

use super::world::World;

fn allowed(event: &Event) -> Option<Option<remit_domain::ApprovalId>> {
    match event {
        Event::ActionAllowed(allowed) => Some(allowed.approval),
        _ => None,
    }
}

#[tokio::test]
async fn a_held_call_runs_once_it_is_approved() {
    let world = World::new().await;
    let (answered, question) =
        tokio::join!(world.call_with("refund", json!({"amount": 5}), json!({"progressToken": 1})), async {
            let question = world.question().await;
            assert!(world.desk.calls().is_empty(), "nothing leaves before the answer");
            world.approve(question).await;
            question
        });
    assert_eq!(answered.text(), r#"{"amount":5}"#);
    assert!(answered.messages[0]["params"]["message"].as_str().unwrap().contains(&question.0.to_string()));
    assert_eq!(world.wait_for(allowed).await, Some(question.0), "the commit that allowed it used the approval up");
    // The same action again is another action: it asks again.
    let (again, ()) = tokio::join!(world.call("refund", json!({"amount": 5})), async {
        world
            .wait_for(|event| match event {
                Event::ApprovalRequested(requested) if requested.approval != question.0 => Some(()),
                _ => None,
            })
            .await;
        let open = world
            .engine
            .read(|state| state.approvals.values().find(|approval| approval.is_pending()).map(|approval| approval.id));
        world.deny(open.unwrap(), "once is enough").await;
    });
    assert_eq!(again.refused(), Some("approval_denied"));
    assert!(again.text().contains("once is enough"));
    assert_eq!(world.desk.calls().len(), 1);
}

#[tokio::test]
async fn when_time_is_over_the_same_call_continues_later() {
    let world = World::with(true, |settings| settings.hold_seconds = 1).await;
    let call = |arguments: serde_json::Value, meta: serde_json::Value| {
        let params = json!({"name": "refund", "arguments": arguments, "_meta": meta});
        world.legacy("tools/call", params, None)
    };
    let answered = call(json!({"amount": 5}), json!({})).await;
    assert_eq!(answered.refused(), Some("approval_pending"));
    let (approval, digest) = world.question().await;
    let refusal = &answered.result()["_meta"]["remit/refusal"];
    assert_eq!(refusal["approval"], json!(approval.to_string()));
    assert!(refusal["decision_id"].as_str().unwrap().starts_with("act_"));
    let address = format!("http://127.0.0.1:7470/approvals/{approval}");
    assert!(
        answered.text().contains(&address) && answered.text().contains("repeat the same call to continue"),
        "{}",
        answered.text()
    );
    assert!(answered.header("remit-decision").is_some());
    world.approve((approval, digest)).await;
    let other = call(json!({"amount": 6}), json!({"remit/approval": approval.to_string()})).await;
    assert_eq!(other.refused(), Some("approval_other_arguments"));
    let same = call(json!({"amount": 5}), json!({"com.example/toolUse": "another"})).await;
    assert_eq!(same.text(), r#"{"amount":5}"#);
    let used = call(json!({"amount": 5}), json!({"remit/approval": approval.to_string()})).await;
    assert_eq!(used.refused(), Some("approval_used"));
    let calls = world.desk.calls();
    assert_eq!(calls.len(), 1);
    assert!(calls[0].body["params"]["_meta"].get("com.example/toolUse").is_none(), "nobody was shown it");
}

#[tokio::test]
async fn a_call_joins_the_question_that_is_already_open() {
    let world = World::with(true, |settings| settings.hold_seconds = 3).await;
    world.call("refund", json!({"amount": 5})).await;
    let question = world.question().await;
    let (answered, ()) = tokio::join!(world.call("refund", json!({"amount": 5})), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.approve(question).await;
    });
    assert_eq!(answered.text(), r#"{"amount":5}"#);
}

#[tokio::test]
async fn the_end_of_the_task_ends_the_hold() {
    let world = World::new().await;
    let (answered, ()) = tokio::join!(world.call("refund", json!({"amount": 5})), async {
        world.question().await;
        world.submit(&world.ada, Command::EndTask { task: world.task, note: String::new() }).await;
    });
    assert_eq!(answered.refused(), Some("task_ended"));
    assert!(world.desk.calls().is_empty());
}

#[tokio::test]
async fn a_client_that_leaves_while_held_runs_nothing() {
    let world = World::new().await;
    let params = json!({"name": "refund", "arguments": {"amount": 5}});
    let response = world.modern("/mcp/desk", "tools/call", params).send().await.unwrap();
    let question = world.question().await;
    drop(response);
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.approve(question).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(world.desk.calls().is_empty());
    assert_eq!(world.gateway.work.len(), 0);
}

#[tokio::test]
async fn closing_ends_holds() {
    let world = World::new().await;
    let (answered, ()) = tokio::join!(world.call("refund", json!({"amount": 5})), async {
        world.question().await;
        world.gateway.close().await;
    });
    assert_eq!(answered.body()["error"]["data"]["code"], "stopping");
}

#[tokio::test]
async fn sensitive_results_wait_for_their_record() {
    let world = World::new().await;
    let (answered, ()) = tokio::join!(world.call("refund", json!({"amount": 5})), async {
        let question = world.question().await;
        world.approve(question).await;
    });
    assert!(answered.refused().is_none());
    let recorded =
        world.records().await.into_iter().any(|record| matches!(record.record.event, Event::OutcomeRecorded(_)));
    assert!(recorded, "it was durable before the answer came");
}
