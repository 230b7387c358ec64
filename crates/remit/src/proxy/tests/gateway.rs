//! A gateway that does what a test needs, and remembers what it heard.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;

#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    pub body: String,
    headers: HeaderMap,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Debug)]
struct Shared {
    heard: Mutex<Vec<Heard>>,
    token: Mutex<String>,
    /// How many sessions were begun, and from which on they are known.
    sessions: Mutex<(usize, usize)>,
    dropped: CancellationToken,
    stop: CancellationToken,
}

#[derive(Debug)]
pub struct FakeGateway {
    shared: Arc<Shared>,
    address: Url,
    serving: tokio::task::JoinHandle<()>,
}

impl FakeGateway {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            heard: Mutex::default(),
            token: Mutex::new("first".to_owned()),
            sessions: Mutex::default(),
            dropped: CancellationToken::new(),
            stop: CancellationToken::new(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Url::parse(&format!("http://{}/mcp", listener.local_addr().unwrap())).unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let stop = shared.stop.clone();
        let serving = tokio::spawn(async move {
            tokio::select! {
                ended = axum::serve(listener, router).into_future() => ended.unwrap(),
                () = stop.cancelled() => {}
            }
        });
        Self { shared, address, serving }
    }

    pub fn address(&self) -> Url {
        self.address.clone()
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }

    pub fn accept_token(&self, token: &str) {
        *self.shared.token.lock().unwrap() = token.to_owned();
    }

    pub fn forget_sessions(&self) {
        let mut sessions = self.shared.sessions.lock().unwrap();
        sessions.1 = sessions.0;
    }

    /// Waits until `method` has come.
    pub async fn hears(&self, method: &str) {
        while !self.heard().iter().any(|heard| heard.method == method) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the connection of a slow request is dropped.
    pub async fn notices_a_drop(&self) {
        tokio::time::timeout(Duration::from_secs(20), self.shared.dropped.cancelled())
            .await
            .expect("nothing was dropped");
    }

    /// Takes no more connections, and drops those that are open.
    pub async fn stop(&mut self) {
        self.shared.stop.cancel();
        let _ended = (&mut self.serving).await;
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    let message: Value = serde_json::from_str(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or(parts.method.as_str()).to_owned();
    let heard = Heard { method: method.clone(), body, headers: parts.headers };
    shared.heard.lock().unwrap().push(heard.clone());
    if heard.header("authorization") != format!("Bearer {}", shared.token.lock().unwrap()) {
        let error = json!({"id": null, "error": {"code": -32040, "message": "no such token"}});
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    if let Some(session) = heard.header("mcp-session-id").strip_prefix('s')
        && session.parse::<usize>().unwrap() <= shared.sessions.lock().unwrap().1
    {
        return (StatusCode::NOT_FOUND, Json(json!({"id": null, "error": {"code": -32600}}))).into_response();
    }
    let id = message["id"].clone();
    match method.as_str() {
        "GET" => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        "initialize" => {
            let session = {
                let mut sessions = shared.sessions.lock().unwrap();
                sessions.0 += 1;
                format!("s{}", sessions.0)
            };
            let answer = json!({"id": id, "result": {"protocolVersion": "2025-11-25"}});
            ([("mcp-session-id", session)], Json(answer)).into_response()
        }
        "page" => "<html>".into_response(),
        "slow" => {
            let _dropped = shared.dropped.clone().drop_guard();
            std::future::pending().await
        }
        "stream" => events(&[json!({"method": "notifications/progress"}), json!({"id": id, "result": {}})]),
        "cut" => events(&[]),
        "subscriptions/listen" => events(&[json!({"method": "notifications/subscriptions/acknowledged"})]),
        "asks" => asking(&shared, &id),
        // With line breaks, as some servers write it.
        "tools/list" => pretty(&json!({"id": id, "result": {"tools": []}})),
        _ if id.is_null() || message.get("result").is_some() => StatusCode::ACCEPTED.into_response(),
        _ => Json(json!({"id": id, "result": {"resultType": "complete"}})).into_response(),
    }
}

fn pretty(answer: &Value) -> Response {
    ([("content-type", "application/json")], serde_json::to_string_pretty(answer).unwrap()).into_response()
}

fn event(message: &Value) -> String {
    format!(": ping\n\nevent: message\ndata: {message}\n\n")
}

fn events(messages: &[Value]) -> Response {
    let text: String = messages.iter().map(event).collect();
    ([("content-type", "text/event-stream")], text).into_response()
}

/// Asks the client something on the stream, and answers once the answer to it was posted.
fn asking(shared: &Arc<Shared>, id: &Value) -> Response {
    let asked = event(&json!({"id": "e1", "method": "elicitation/create", "params": {}}));
    let (shared, answer) = (Arc::clone(shared), event(&json!({"id": id, "result": {}})));
    let later = async move {
        while !shared.heard.lock().unwrap().iter().any(|heard| heard.body.contains("accept")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        answer
    };
    let pieces = stream::iter([asked]).chain(stream::once(later)).map(Ok::<_, Infallible>);
    ([("content-type", "text/event-stream")], Body::from_stream(pieces)).into_response()
}
