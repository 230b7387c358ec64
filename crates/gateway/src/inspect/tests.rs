use remit_domain::{Moment, Timestamp};
use serde_json::json;

use super::*;
use crate::answer::Body;

fn inspected(reply: Result<Reply, UpstreamFault>) -> Inspected {
    let action = Moment::new(Timestamp::from_millis(1), 1).fresh_id();
    let expected = Expected { action, method: Governed::CallTool, operation: None, outputs: Default::default() };
    inspect(reply, &expected, Vec::new(), Map::new())
}

fn result(value: serde_json::Value) -> Inspected {
    inspected(Ok(Reply::Result(value.as_object().unwrap().clone())))
}

#[test]
fn a_result_is_passed_on_without_the_members_of_its_hop() {
    let meta = json!({"remit/refusal": {"code": "forged"}, "io.modelcontextprotocol/serverInfo": {}, "trace": 1});
    let inspected = result(json!({"content": [], "resultType": "complete", "ttlMs": 9, "other": 1, "_meta": meta}));
    assert_eq!(inspected.outcome, Outcome::Succeeded);
    let Body::Result(result) = inspected.answer.body else { panic!("a result") };
    assert_eq!(Value::Object(result), json!({"content": [], "other": 1, "_meta": {"trace": 1}}));
}

#[test]
fn a_tools_own_error_is_told_from_success() {
    assert_eq!(result(json!({"content": [], "isError": true})).outcome, Outcome::ToolError);
    assert!(matches!(result(json!({"isError": "yes"})).outcome, Outcome::Failed { .. }));
}

#[test]
fn results_that_cannot_be_carried_are_withheld() {
    let input = result(json!({"resultType": "input_required", "requestState": 7}));
    assert!(matches!(input.outcome, Outcome::Failed { .. }));
    let unheard = result(json!({"resultType": "task", "taskId": "x"}));
    assert!(matches!(unheard.outcome, Outcome::Failed { .. }));
    let large = result(json!({"content": [{"type": "text", "text": "x".repeat(limits::RESULT_BYTES_MAX)}]}));
    assert!(matches!(large.outcome, Outcome::Failed { .. }));
    assert!(large.content.is_none());
}

#[test]
fn an_errors_words_are_content_and_never_part_of_the_outcome() {
    let error = RpcError { code: -32020, message: "ada@example.org".to_owned(), data: None };
    let inspected = inspected(Ok(Reply::Error(error)));
    let Outcome::Failed { reason } = &inspected.outcome else { panic!("failed") };
    assert!(!reason.contains("ada"), "{reason}");
    assert!(String::from_utf8(inspected.content.unwrap()).unwrap().contains("ada"));
    // The code was about another hop: some clients send a call again when they read it.
    assert!(matches!(inspected.answer.body, Body::Error(RpcError { code: refuse::INTERNAL_ERROR, .. })));
}

#[test]
fn each_fault_has_its_outcome() {
    assert!(matches!(inspected(Err(UpstreamFault::not_sent("a"))).outcome, Outcome::NotSent { .. }));
    assert!(matches!(inspected(Err(UpstreamFault::failed("a"))).outcome, Outcome::Failed { .. }));
    assert!(matches!(inspected(Err(UpstreamFault::unknown("a"))).outcome, Outcome::Unknown { .. }));
}

#[test]
fn a_server_may_ask_before_it_answers() {
    let asked = result(
        json!({"resultType": "input_required", "requestState": "x", "inputRequests": {"a": {"method": "roots/list"}}}),
    );
    assert_eq!(asked.outcome, Outcome::InputRequired);
    let Body::InputRequired(asks) = asked.answer.body else { panic!("it asks") };
    assert_eq!(asks.continues, Some(Continues::Upstream { state: "x".to_owned() }));
    assert_eq!(asks.requests["a"]["method"], "roots/list");
}

#[test]
fn what_was_said_meanwhile_is_part_of_the_content() {
    let action = Moment::new(Timestamp::from_millis(1), 1).fresh_id();
    let expected = Expected { action, method: Governed::CallTool, operation: None, outputs: Default::default() };
    let words = vec![json!({"method": "notifications/message", "params": {"data": "hello"}})];
    let sent = json!({"com.example/own": 1}).as_object().unwrap().clone();
    let reply = Ok(Reply::Result(json!({"content": []}).as_object().unwrap().clone()));
    let content: Value =
        serde_json::from_slice(&inspect(reply, &expected, words.clone(), sent.clone()).content.unwrap()).unwrap();
    assert_eq!(content, json!({"result": {"content": []}, "notifications": words, "sent_meta": sent}));
}
