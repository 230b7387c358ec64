//! Requests that two readers could take for two different ones, and clients that meet under the same names.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::IntoResponse;
use futures_util::{FutureExt, StreamExt};
use remit_domain::{Command, Event, TaskId};
use serde_json::{Value, json};

use super::desk::tool;
use super::upstream_world::{Server, event, stream};
use super::world::{Answered, World, read};
use crate::mcp::sse;
use crate::refuse;

const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const METHOD: (&str, &str) = ("mcp-method", "tools/call");
const NAME: (&str, &str) = ("mcp-name", "echo");

/// A request of 2026-07-28 with these headers and no others of the protocol.
async fn with_headers(world: &World, method: &str, params: Value, headers: &[(&str, &str)]) -> Answered {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
    });
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    let request =
        headers.iter().fold(world.post("/mcp/desk", &body), |request, (name, value)| request.header(*name, *value));
    read(request.send().await.unwrap()).await
}

async fn echo(world: &World, name: &str, headers: &[(&str, &str)]) -> Answered {
    with_headers(world, "tools/call", json!({"name": name, "arguments": {}}), headers).await
}

fn mismatch(answered: &Answered) -> bool {
    answered.status == 400 && answered.body()["error"]["code"] == refuse::HEADER_MISMATCH && answered.body()["id"] == 7
}

async fn decisions(world: &World) -> usize {
    let records = world.records().await;
    let decided = |event: &Event| matches!(event, Event::ActionAllowed(_) | Event::ActionDenied(_));
    records.iter().filter(|committed| decided(&committed.record.event)).count()
}

#[tokio::test]
async fn a_header_that_is_not_there_or_there_twice_or_says_otherwise_is_refused_and_nothing_is_decided() {
    let world = World::new().await;
    let good = [VERSION, METHOD, NAME];
    for (place, (name, _)) in good.into_iter().enumerate() {
        let mut absent = good.to_vec();
        absent.remove(place);
        assert!(mismatch(&echo(&world, "echo", &absent).await), "no {name}");
        let doubled = [good.as_slice(), &good[place..=place]].concat();
        assert!(mismatch(&echo(&world, "echo", &doubled).await), "{name} twice");
        let (before, after) = ([&[(name, "x")], good.as_slice()].concat(), [good.as_slice(), &[(name, "x")]].concat());
        assert!(
            mismatch(&echo(&world, "echo", &before).await) && mismatch(&echo(&world, "echo", &after).await),
            "two of {name}"
        );
        for other in ["", "x", "secret", "tools/list", "2027-01-01", "2025-11-25", "2025-06-18"] {
            let mut differing = good.to_vec();
            differing[place].1 = other;
            assert!(mismatch(&echo(&world, "echo", &differing).await), "{name}: {other}");
        }
    }
    assert_eq!((world.desk.calls().len(), decisions(&world).await), (0, 0));
    assert_eq!(echo(&world, "echo", &good).await.status, 200);
}

#[tokio::test]
async fn a_name_in_a_header_is_the_name_in_the_body_to_the_letter() {
    let world = World::new().await;
    let named = |header: &'static str| [VERSION, METHOD, ("mcp-name", header)];
    for header in ["echo", "=?base64?ZWNobw==?=", " echo "] {
        assert_eq!(echo(&world, "echo", &named(header)).await.text(), "{}", "{header}");
    }
    let calls = world.desk.calls().len();
    let others = [
        "Echo",
        "ECHO",
        "echo,echo",
        "echo;",
        "\"echo\"",
        "desk__echo",
        "%65cho",
        // Of another name, without padding, with other bits behind it, of another alphabet, unfinished, within itself.
        "=?base64?c2VjcmV0?=",
        "=?base64?ZWNobw?=",
        "=?base64?ZWNobx==?=",
        "=?BASE64?ZWNobw==?=",
        "=?base64?ZWNobw==",
        "=?base64??=",
        "=?base64?/w==?=",
        "=?base64?PT9iYXNlNjQ/WldOb2J3PT0/PQ==?=",
        "x=?base64?ZWNobw==?=",
    ];
    for header in others {
        assert!(mismatch(&echo(&world, "echo", &named(header)).await), "{header}");
    }
    for (name, header) in
        [("echo ", "echo"), ("Echo", "echo"), ("=?base64?ZWNobw==?=", "=?base64?ZWNobw==?="), ("", "echo")]
    {
        assert!(mismatch(&echo(&world, name, &named(header)).await), "{name:?} as {header:?}");
    }
    let sealed = named("=?base64?PT9iYXNlNjQ/WldOb2J3PT0/PQ==?=");
    let sealed = echo(&world, "=?base64?ZWNobw==?=", &sealed).await;
    assert_eq!(sealed.refused(), Some("operation_unknown"), "a tool may have such a name: {:?}", sealed.body());
    for method in ["Tools/Call", "tools/call,tools/call", "tools/list"] {
        assert!(mismatch(&echo(&world, "echo", &[VERSION, ("mcp-method", method), NAME]).await), "{method}");
    }
    assert_eq!(world.desk.calls().len(), calls);
}

#[tokio::test]
async fn what_is_named_otherwise_than_tools_has_to_agree_too() {
    let world = World::new().await;
    let cases = [
        ("resources/read", json!({"uri": "file:///a"}), "file:///a", "file:///b"),
        ("prompts/get", json!({"name": "greet"}), "greet", "Greet"),
        ("tasks/get", json!({"taskId": "t1"}), "t1", "t2"),
        ("tasks/update", json!({"taskId": "t1"}), "t1", "t2"),
        ("tasks/cancel", json!({"taskId": "t1"}), "t1", ""),
        ("resources/read", json!({"uri": 7}), "file:///a", "7"),
        ("prompts/get", json!({}), "greet", ""),
    ];
    for (place, (method, params, right, wrong)) in cases.into_iter().enumerate() {
        let headers = |name: &'static str| [VERSION, ("mcp-method", method), ("mcp-name", name)];
        assert!(mismatch(&with_headers(&world, method, params.clone(), &headers(wrong)).await), "{method}: {wrong}");
        assert!(mismatch(&with_headers(&world, method, params.clone(), &headers(right)[..2]).await), "{method}: none");
        let agreed = mismatch(&with_headers(&world, method, params.clone(), &headers(right)).await);
        assert_eq!(agreed, place >= 5, "{method}: {right}");
    }
}

#[tokio::test]
async fn a_member_that_is_there_twice_is_refused_at_every_level_and_nothing_is_decided() {
    let world = World::new().await;
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let bodies = [
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","method":"tools/call","params":{"name":"echo",META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"id":7,"method":"tools/call","params":{"name":"echo",META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo",META},"p\u0061rams":{"name":"secret",META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","\u006eame":"secret",META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"\u006e\u0061me":"secret","name":"echo",META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{},"arguments":{"text":"x"},META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a","te\u0078t":"b"},META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":[{"a":{"b":1,"b":1}}]},META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo",META,META}}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo",META},"x":[{"y":1,"y":2}]}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":{"$serde_json::private::RawValue":"1"}},META}}"#,
    ];
    for body in bodies {
        let modern = body.replace("META", meta);
        let legacy = body.replace("META", r#""_meta":{}"#);
        for (body, headers) in [(modern, [VERSION, METHOD, NAME].as_slice()), (legacy, &[])] {
            let request =
                world.http.post(format!("{}/mcp/desk", world.url)).bearer_auth(&world.token).body(body.clone());
            let request = request.header("content-type", "application/json");
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let answered = read(request.send().await.unwrap()).await;
            assert_eq!((answered.status, &answered.body()["id"]), (400, &Value::Null), "{body}");
            assert_eq!(answered.body()["error"]["code"], refuse::INVALID_REQUEST, "{body}");
        }
    }
    assert_eq!((world.desk.calls().len(), decisions(&world).await), (0, 0));
}

#[tokio::test]
async fn a_batch_is_refused_in_every_generation() {
    let world = World::new().await;
    let call = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "echo"}});
    for batch in [json!([]), json!([call]), json!([call, call]), json!([[call]])] {
        for headers in [[VERSION, METHOD, NAME].as_slice(), &[("mcp-protocol-version", "2025-06-18")], &[]] {
            let request = world.post("/mcp/desk", &batch);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let answered = read(request.send().await.unwrap()).await;
            assert_eq!((answered.status, &answered.body()["error"]["code"]), (400, &json!(refuse::INVALID_REQUEST)));
        }
    }
    assert_eq!((world.desk.calls().len(), decisions(&world).await), (0, 0));
}

/// A client before 2026-07-28: its credential and its session.
struct Client {
    token: String,
    session: String,
}

impl Client {
    async fn begin(world: &World, path: &str, task: TaskId) -> Self {
        let token = world.token(task).await;
        let mut client = Self { token, session: String::new() };
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}});
        let answered = client
            .post(world, path, &json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
            .await;
        client.session = read(answered).await.header("mcp-session-id").unwrap().to_owned();
        client
    }

    async fn post(&self, world: &World, path: &str, body: &Value) -> reqwest::Response {
        self.post_in(world, path, &self.session, body).await
    }

    async fn post_in(&self, world: &World, path: &str, session: &str, body: &Value) -> reqwest::Response {
        let request = world.http.post(format!("{}{path}", world.url)).bearer_auth(&self.token).body(body.to_string());
        let request =
            request.header("content-type", "application/json").header("accept", "application/json, text/event-stream");
        let request = if session.is_empty() { request } else { request.header("mcp-session-id", session) };
        request.send().await.unwrap()
    }
}

/// The messages of an answer while it comes.
struct Coming {
    response: reqwest::Response,
    reader: sse::Reader,
    read: Vec<Value>,
}

impl Coming {
    fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, reader: sse::Reader::new(1 << 20), read: Vec::new() }
    }

    /// The next message of which `wanted` is true; those before it are skipped.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            while !self.read.is_empty() {
                let message = self.read.remove(0);
                if wanted(&message) {
                    return message;
                }
            }
            let piece = self.response.chunk().await.unwrap().expect("the answer ended before");
            let messages = self.reader.feed(&piece).unwrap();
            self.read.extend(messages.iter().map(|message| serde_json::from_slice::<Value>(message).unwrap()));
        }
    }

    async fn question(&mut self) -> Value {
        self.until(|message| message["method"] == "elicitation/create").await
    }

    async fn end(mut self) -> Value {
        self.until(|message| message.get("result").is_some() || message.get("error").is_some()).await
    }
}

type Open = Arc<Mutex<Vec<(Value, tokio::sync::mpsc::UnboundedSender<String>, Value)>>>;

/// A world with a server `back` before 2026-07-28, whose one tool asks its client a question that names the call, reports progress, and
/// ends with what it was answered.
async fn asking() -> (World, Arc<Server>) {
    let open: Open = Arc::default();
    let (server, spec) = Server::start(move |seen| {
        let open = Arc::clone(&open);
        async move {
            let text = seen.body["params"]["arguments"]["text"].clone();
            if seen.method() == "tools/call" {
                let (events, response) = stream();
                let id = format!("q-{}", text.as_str().unwrap_or_default());
                let progress = json!({"progressToken": seen.body["params"]["_meta"]["progressToken"], "progress": 1, "message": text});
                let question = json!({"message": text, "requestedSchema": {"type": "object", "properties": {}}});
                for message in [
                    json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}),
                    json!({"jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": question}),
                ] {
                    events.send(event(&message)).unwrap();
                }
                open.lock().unwrap().push((json!(id), events, seen.body["id"].clone()));
                return response;
            }
            if seen.method().is_empty() && seen.body["id"].is_string() {
                let mut open = open.lock().unwrap();
                let place = open.iter().position(|(id, ..)| *id == seen.body["id"]).unwrap();
                let (_, events, call) = open.remove(place);
                let said = format!("{}: {}", seen.body["id"].as_str().unwrap(), seen.body["result"]["content"]["from"]);
                let result = json!({"content": [{"type": "text", "text": said}]});
                // A call that was given up has nobody who reads it.
                let _ = events.send(event(&json!({"jsonrpc": "2.0", "id": call, "result": result})));
                return http::StatusCode::ACCEPTED.into_response();
            }
            seen.greeting(json!({"tools": {}}), json!([tool("ask", "asks")]))
        }
        .boxed()
    })
    .await;
    let world = World::new().await;
    world.connect("back", spec).await;
    (world, server)
}

fn ask(text: &str) -> Value {
    let params = json!({"name": "ask", "arguments": {"text": text}, "_meta": {"progressToken": 1}});
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
}

fn answer(id: &Value, from: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {"action": "accept", "content": {"from": from}}})
}

/// Two clients of two tasks, each with a call that has asked its client; ids and tokens are the same.
async fn two(world: &World) -> ([Client; 2], [Coming; 2], Value) {
    let other = world.start_task(None).await;
    let clients = [Client::begin(world, "/mcp/back", world.task).await, Client::begin(world, "/mcp/back", other).await];
    let mut one = Coming::of(clients[0].post(world, "/mcp/back", &ask("one")).await);
    let mut two = Coming::of(clients[1].post(world, "/mcp/back", &ask("two")).await);
    for (coming, text) in [(&mut one, "one"), (&mut two, "two")] {
        let progress = coming.until(|message| message["method"] == "notifications/progress").await;
        assert_eq!((&progress["params"]["progressToken"], &progress["params"]["message"]), (&json!(1), &json!(text)));
    }
    let (first, second) = (one.question().await, two.question().await);
    assert_eq!((&first["params"]["message"], &second["params"]["message"]), (&json!("one"), &json!("two")));
    assert_eq!(first["id"], second["id"], "each session counts for itself, so that the answers could be confused");
    (clients, [one, two], first["id"].clone())
}

#[tokio::test]
async fn clients_with_the_same_ids_and_tokens_hear_nothing_of_each_other() {
    let (world, _server) = asking().await;
    let (clients, [one, two], id) = two(&world).await;
    clients[1].post(&world, "/mcp/back", &answer(&id, "the second")).await;
    let second = two.end().await;
    assert_eq!(second["result"]["content"][0]["text"], r#"q-two: "the second""#);
    clients[0].post(&world, "/mcp/back", &answer(&id, "the first")).await;
    let first = one.end().await;
    assert_eq!((&first["id"], &first["result"]["content"][0]["text"]), (&json!(1), &json!(r#"q-one: "the first""#)));
}

#[tokio::test]
async fn a_question_is_answered_by_the_session_that_was_asked_and_by_no_other() {
    let (world, server) = asking().await;
    let mut early = Client::begin(&world, "/mcp/back", world.task).await;
    // A session that nobody asked yet cannot answer beforehand.
    assert_eq!(early.post(&world, "/mcp/back", &answer(&json!("remit-1"), "nobody")).await.status(), 202);
    let mut coming = Coming::of(early.post(&world, "/mcp/back", &ask("one")).await);
    let id = coming.question().await["id"].clone();
    assert_eq!(id, "remit-1");
    let stranger = Client::begin(&world, "/mcp/back", world.start_task(None).await).await;
    let sibling = Client::begin(&world, "/mcp/back", world.task).await;
    assert_eq!(stranger.post(&world, "/mcp/back", &answer(&id, "a stranger")).await.status(), 202);
    assert_eq!(stranger.post_in(&world, "/mcp/back", &early.session, &answer(&id, "a stranger")).await.status(), 404);
    assert_eq!(sibling.post(&world, "/mcp/back", &answer(&id, "another session of the task")).await.status(), 202);
    assert_eq!(early.post_in(&world, "/mcp/back", "", &answer(&id, "no session")).await.status(), 202);
    assert_eq!(early.post(&world, "/mcp/back", &answer(&json!("remit-2"), "another question")).await.status(), 202);
    assert_eq!(early.post(&world, "/mcp/back", &answer(&json!(1), "another question")).await.status(), 202);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(server.seen(|seen| seen.body["id"] == "q-one").is_empty(), "the question was answered by somebody else");
    early.token = world.token(world.task).await;
    assert_eq!(early.post(&world, "/mcp/back", &answer(&id, "me")).await.status(), 202);
    // The second answer to one question is none.
    assert_eq!(early.post(&world, "/mcp/back", &answer(&id, "me again")).await.status(), 202);
    assert_eq!(coming.end().await["result"]["content"][0]["text"], r#"q-one: "me""#);
    assert_eq!(server.seen(|seen| seen.body["id"] == "q-one").len(), 1);
}

#[tokio::test]
async fn a_call_is_cancelled_in_its_own_session_and_in_no_other() {
    let (world, _server) = asking().await;
    let (clients, [one, two], id) = two(&world).await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    assert_eq!(clients[0].post_in(&world, "/mcp/back", &clients[1].session, &cancel).await.status(), 404);
    assert_eq!(clients[0].post_in(&world, "/mcp/back", "", &cancel).await.status(), 202);
    assert_eq!(clients[0].post(&world, "/mcp/back", &cancel).await.status(), 202);
    let given_up = one.end().await;
    assert_eq!(given_up["result"]["_meta"]["remit/refusal"]["code"], "outcome_unknown", "{given_up}");
    clients[1].post(&world, "/mcp/back", &answer(&id, "the second")).await;
    assert_eq!(two.end().await["result"]["content"][0]["text"], r#"q-two: "the second""#);
}

#[tokio::test]
async fn a_session_that_the_client_chose_is_none() {
    let world = World::new().await;
    let begin = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}});
    for chosen in ["chosen", "remit-1", "s1", "0", "../x", " "] {
        let begun = world.post("/mcp/desk", &begin).header("mcp-session-id", chosen).send().await.unwrap();
        assert_eq!((begun.status().as_u16(), begun.headers().get("mcp-session-id")), (404, None), "{chosen:?}");
        assert_eq!(world.legacy("tools/call", json!({"name": "echo"}), Some(chosen)).await.status, 404, "{chosen:?}");
    }
    let own = world.legacy("initialize", json!({"protocolVersion": "2025-11-25"}), None).await;
    let own = own.header("mcp-session-id").unwrap();
    let second = world.legacy("initialize", json!({"protocolVersion": "2025-11-25"}), Some(own)).await;
    assert_ne!(second.header("mcp-session-id"), Some(own), "a handshake never takes up a session");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for two in [[own, own], [own, "x"], ["x", own]] {
        let request =
            two.iter().fold(world.post("/mcp/desk", &ping), |request, id| request.header("mcp-session-id", *id));
        assert_eq!(request.send().await.unwrap().status(), 404, "{two:?}");
        let request = world.http.delete(format!("{}/mcp/desk", world.url)).bearer_auth(&world.token);
        let request = two.iter().fold(request, |request, id| request.header("mcp-session-id", *id));
        assert_eq!(request.send().await.unwrap().status(), 404, "{two:?}");
    }
    assert_eq!(world.legacy("ping", json!({}), Some(own)).await.status, 200);
    assert!(world.desk.calls().is_empty());
}

#[tokio::test]
async fn a_session_ends_with_its_task_and_is_not_inherited() {
    let world = World::new().await;
    let client = Client::begin(&world, "/mcp/desk", world.task).await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let stream = world.http.get(format!("{}/mcp/desk", world.url)).bearer_auth(&client.token);
    let stream =
        stream.header("accept", "text/event-stream").header("mcp-session-id", &client.session).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    world.submit(&world.ada, Command::EndTask { task: world.task, note: String::new() }).await;
    let heard: Vec<_> = stream.bytes_stream().collect().await;
    assert!(heard.iter().all(Result::is_ok), "its stream ends with it");
    assert_eq!(client.post(&world, "/mcp/desk", &ping).await.status(), 401, "it is told that its task has ended");
    let heir = Client { token: world.token(world.start_task(None).await).await, session: client.session.clone() };
    assert_eq!(heir.post(&world, "/mcp/desk", &ping).await.status(), 404);
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_does_nothing() {
    let world = World::new().await;
    let client = Client::begin(&world, "/mcp/desk", world.task).await;
    for id in [json!("remit-1"), json!("remit-0"), json!(1), json!("x")] {
        let answer = answer(&id, "nobody");
        assert_eq!(client.post(&world, "/mcp/desk", &answer).await.status(), 202);
        assert_eq!(client.post_in(&world, "/mcp/desk", "", &answer).await.status(), 202);
        let modern = world.post("/mcp/desk", &answer).header(VERSION.0, VERSION.1).send().await.unwrap();
        assert_eq!(modern.status(), 400);
    }
    assert_eq!((world.desk.calls().len(), decisions(&world).await), (0, 0));
}
