//! Servers that ask something of their client while it waits for an answer.

use std::sync::{Arc, Mutex};

use axum::response::IntoResponse;
use futures_util::FutureExt;
use http::Method;
use remit_domain::{Command, ConnectorSpec, OperationName};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::upstream_world::{Behind, Seen, Server, event, object, stream, tools, until};
use crate::upstream::{Notice, Reply, Watch};

fn question(id: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": {"message": "sure?"}})
}

fn done(call: &Seen) -> Value {
    json!({"jsonrpc": "2.0", "id": call.body["id"], "result": {"content": []}})
}

/// A server whose one tool asks for a confirmation on the stream of the call, and is done when it has one.
async fn asking() -> (Arc<Server>, ConnectorSpec) {
    let open = Arc::new(Mutex::new(None));
    Server::start(move |seen: Seen| {
        let open = Arc::clone(&open);
        async move {
            match seen.method() {
                "tools/call" => {
                    let (events, response) = stream();
                    let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "wait"}});
                    for message in [log, question("q-1")] {
                        events.send(event(&message)).unwrap();
                    }
                    *open.lock().unwrap() = Some((events, seen));
                    return response;
                }
                "" if seen.body["id"] == "q-1" => {
                    let (events, call) = open.lock().unwrap().take().unwrap();
                    let mut done = done(&call);
                    done["result"]["answered"] = seen.body["result"].clone();
                    events.send(event(&done)).unwrap();
                    return http::StatusCode::ACCEPTED.into_response();
                }
                _ => {}
            }
            seen.greeting(json!({"tools": {}}), tools(&["confirm"]))
        }
        .boxed()
    })
    .await
}

#[tokio::test]
async fn a_question_on_a_calls_stream_is_answered_in_the_session() {
    let (server, spec) = asking().await;
    let behind = Behind::new(spec, &["confirm", "@elicitation"]).await;
    let connection = behind.ready().await;
    let greeting = server.wait_for(|seen| seen.method() == "initialize").await;
    assert_eq!(greeting.body["params"]["capabilities"], json!({"elicitation": {"form": {}, "url": {}}}));
    let (permit, request) = behind.tool("confirm").await;
    let (asks, mut questions) = mpsc::channel(1);
    let (notices, mut noticed) = mpsc::channel(4);
    let watch = Watch { asks: Some(asks), notices: Some(notices), ..Watch::default() };
    let (reply, ()) = tokio::join!(connection.call(&permit, &request, watch), async {
        let asked = questions.recv().await.unwrap();
        assert_eq!((asked.method.as_str(), &asked.params["message"]), ("elicitation/create", &json!("sure?")));
        asked.answer.send(Ok(json!({"action": "accept"}))).unwrap();
    });
    assert_eq!(reply.unwrap(), Reply::Result(object(json!({"content": [], "answered": {"action": "accept"}}))));
    assert_eq!(noticed.try_recv(), Ok(Notice::Log(object(json!({"data": "wait"})))));
    let answer = server.wait_for(|seen| seen.body["id"] == "q-1").await;
    assert_eq!(
        (answer.header("mcp-session-id"), answer.header("mcp-protocol-version")),
        (Some("s1"), Some("2025-11-25"))
    );
}

#[tokio::test]
async fn a_caller_that_cannot_be_asked_is_not() {
    let (server, spec) = asking().await;
    let behind = Behind::new(spec, &["confirm"]).await;
    let connection = behind.ready().await;
    let greeting = server.wait_for(|seen| seen.method() == "initialize").await;
    assert_eq!(greeting.body["params"]["capabilities"], json!({}));
    let (permit, request) = behind.tool("confirm").await;
    assert!(connection.call(&permit, &request, Watch::default()).await.is_ok());
    let answer = server.wait_for(|seen| seen.body["id"] == "q-1").await;
    assert_eq!(answer.body["error"]["code"], -32601);
}

#[tokio::test]
async fn what_may_be_asked_is_said_anew_when_it_changes() {
    let (server, spec) = asking().await;
    let behind = Behind::new(spec, &["confirm", "@elicitation", "@roots"]).await;
    let first = behind.ready().await;
    assert!(Arc::ptr_eq(&first, &behind.ready().await), "nothing has changed");
    let withdraw = Command::WithdrawOperation {
        operation: OperationName::new("back", "@elicitation"),
        reason: "no forms".to_owned(),
    };
    behind.realm.submit(&behind.realm.root(), withdraw).await;
    let second = behind.ready().await;
    assert!(!Arc::ptr_eq(&first, &second));
    let greetings = server.seen(|seen| seen.method() == "initialize");
    assert_eq!(greetings.last().unwrap().body["params"]["capabilities"], json!({"roots": {}}));
    drop(first);
    server.wait_for(|seen| seen.verb == Method::DELETE && seen.header("mcp-session-id") == Some("s1")).await;
}

#[tokio::test]
async fn a_question_outside_of_any_call_reaches_nobody_but_the_only_caller() {
    let alone = Arc::new(Mutex::new(None));
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (ways, open) = (Arc::clone(&alone), Arc::clone(&calls));
    let (server, spec) = Server::start(move |seen: Seen| {
        let (alone, calls) = (Arc::clone(&ways), Arc::clone(&open));
        async move {
            let (events, response) = stream();
            if seen.verb == Method::GET {
                *alone.lock().unwrap() = Some(events);
                return response;
            }
            if seen.method() == "tools/call" {
                calls.lock().unwrap().push((events, seen));
                return response;
            }
            seen.greeting(json!({}), tools(&["slow"]))
        }
        .boxed()
    })
    .await;
    let behind = Behind::new(spec, &["slow", "@elicitation"]).await;
    let connection = behind.ready().await;
    let aside = until(|| alone.lock().unwrap().clone()).await;
    let refused = async |id: &'static str| {
        aside.send(event(&question(id))).unwrap();
        server.wait_for(|seen| seen.body["id"] == id).await.body["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused("none").await, "cannot tell for which call");
    let (asks, mut questions) = mpsc::channel(1);
    let mut answers = Vec::new();
    let mut call = async || {
        let (permit, request) = behind.tool("slow").await;
        let (connection, watch) = (Arc::clone(&connection), Watch { asks: Some(asks.clone()), ..Watch::default() });
        answers.push(tokio::spawn(async move { connection.call(&permit, &request, watch).await.unwrap() }));
    };
    call().await;
    until(|| (calls.lock().unwrap().len() == 1).then_some(())).await;
    aside.send(event(&question("one"))).unwrap();
    questions.recv().await.unwrap().answer.send(Ok(json!({"action": "cancel"}))).unwrap();
    assert_eq!(server.wait_for(|seen| seen.body["id"] == "one").await.body["result"], json!({"action": "cancel"}));
    call().await;
    until(|| (calls.lock().unwrap().len() == 2).then_some(())).await;
    assert_eq!(refused("two").await, "cannot tell for which call");
    for (events, call) in calls.lock().unwrap().drain(..) {
        events.send(event(&done(&call))).unwrap();
    }
    for answer in answers {
        answer.await.unwrap();
    }
}
