//! The client: sends, reads what comes while it comes, answers what it is asked, and goes on where it is told to.

use axum::body::{Body, Bytes};
use futures_util::StreamExt;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::choices::Choices;
use super::story::{self, Sent};
use super::{Bridge, capabilities, judge};

/// How often a client goes on with a request that it is told to repeat.
const ROUNDS_MAX: usize = 3;

/// One answer, read to its end.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub kind: String,
    pub messages: Vec<Vec<u8>>,
}

impl Bridge {
    /// A session of the client's.
    pub async fn begin(&self) -> String {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities()});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).to_string();
        let answered = self.router.clone().oneshot(self.request("/mcp", &[], body.into())).await.unwrap();
        answered.headers()["mcp-session-id"].to_str().unwrap().to_owned()
    }

    fn request(&self, path: &str, headers: &[(&'static str, String)], body: Bytes) -> Request<Body> {
        let mut request = Request::post(path)
            .header("host", "127.0.0.1:7480")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.body(Body::from(body)).unwrap()
    }

    /// A client sends something once or twice, and goes on with it if it is asked to.
    pub async fn tell(&self, choices: &mut Choices<'_>) {
        let mut sent = story::sent(choices, &self.session);
        for _ in 0..ROUNDS_MAX {
            let answered = self.exchange(&sent, choices).await;
            judge::answered(&sent.body, &answered);
            let last = answered.messages.last().and_then(|last| serde_json::from_slice::<Value>(last).ok());
            let Some(state) = last.as_ref().and_then(|last| last["result"]["requestState"].as_str()) else { break };
            sent = again(choices, &sent, state);
        }
        if choices.one_in(3) {
            let sent = story::sent(choices, &self.session);
            judge::answered(&sent.body, &self.exchange(&sent, choices).await);
        }
    }

    async fn exchange(&self, sent: &Sent, choices: &mut Choices<'_>) -> Answered {
        let request = self.request(sent.path, &sent.headers, sent.body.clone().into());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let kind = headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
        let mut pieces = response.into_body().into_data_stream();
        let mut read = Vec::new();
        let mut messages = Vec::new();
        while let Some(piece) = pieces.next().await {
            read.extend_from_slice(&piece.unwrap());
            while let Some(end) = read.windows(2).position(|two| kind == "text/event-stream" && two == b"\n\n") {
                let event: Vec<u8> = read.drain(..end + 2).collect();
                let Some(message) = judge::event(&event) else { continue };
                self.answer(sent, &message, choices).await;
                messages.push(message);
            }
        }
        if !read.is_empty() {
            messages.push(read);
        }
        Answered { status, kind, messages }
    }

    /// Answers what it is asked in the middle of its call; sometimes not, sometimes twice, sometimes in no session.
    async fn answer(&self, sent: &Sent, message: &[u8], choices: &mut Choices<'_>) {
        let message: Value = serde_json::from_slice(message).unwrap();
        let (Some(_), Some(id)) = (message.get("method"), message.get("id")) else { return };
        let said = match choices.below(4) {
            0 => format!("\"result\":{}", choices.value(3)),
            1 => "\"error\":{\"code\":-1,\"message\":\"no\"}".to_owned(),
            2 => "\"error\":7".to_owned(),
            _ => "\"result\":{\"action\":\"accept\",\"content\":{}}".to_owned(),
        };
        let body = Bytes::from(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},{said}}}"));
        let session = vec![("mcp-session-id", self.session.clone())];
        if choices.one_in(5) {
            let forged = self.router.clone().oneshot(self.request(sent.path, &[], body.clone())).await.unwrap();
            assert!(forged.status() == StatusCode::ACCEPTED || forged.status() == StatusCode::BAD_REQUEST);
        }
        // An answer that cannot be read is none; then the question is answered after all, so that the call does not wait for long.
        let plain =
            Bytes::from(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":-1,\"message\":\"no\"}}}}"));
        for body in [body, plain] {
            let response = self.router.clone().oneshot(self.request(sent.path, &session, body)).await.unwrap();
            assert!(response.status() == StatusCode::ACCEPTED || response.status() == StatusCode::BAD_REQUEST);
        }
    }
}

/// The request again, with the state that came and some answers; sometimes not quite the same.
fn again(choices: &mut Choices<'_>, sent: &Sent, state: &str) -> Sent {
    let mut params: Value = serde_json::from_str(&sent.params).unwrap_or_default();
    let Some(members) = params.as_object_mut() else { return sent.clone() };
    let state =
        if choices.one_in(6) { state.replacen(|each: char| each.is_ascii_digit(), "x", 1) } else { state.to_owned() };
    members.insert("requestState".to_owned(), state.into());
    let answer = json!({"action": choices.pick(&["accept", "decline", "cancel"]), "content": {}});
    members.insert("inputResponses".to_owned(), json!({"approval": answer, "input": answer, "q": answer}));
    if choices.one_in(6) {
        members.insert("arguments".to_owned(), json!({"b": 2}));
    }
    let body = json!({"jsonrpc": "2.0", "id": "again", "method": sent.method, "params": params}).to_string();
    Sent { params: params.to_string(), body: body.into_bytes(), ..sent.clone() }
}
