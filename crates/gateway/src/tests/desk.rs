//! A small MCP server over HTTP that does as it is told and remembers what it was sent.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::mcp::sse;

/// What a call brought with it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Debug)]
pub(crate) struct Desk {
    pub modern: bool,
    pub tools: Mutex<Vec<Value>>,
    pub calls: Mutex<Vec<Seen>>,
    /// How often its tools were listed.
    pub lists: AtomicUsize,
    /// Sessions begun; only the last is known.
    pub sessions: AtomicUsize,
    /// Calls that were dropped by the client before they were answered.
    pub dropped: Arc<AtomicUsize>,
    pub cancelled: AtomicUsize,
    pub forget: AtomicBool,
}

pub(crate) fn tool(name: &str, description: &str) -> Value {
    json!({
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": {
            "text": {"type": "string", "x-mcp-header": "Text"},
            "amount": {"type": "integer"},
        }},
    })
}

impl Desk {
    /// Starts a desk and returns it with its address.
    pub async fn start(modern: bool) -> (Arc<Self>, String) {
        let names = ["echo", "fail", "broken", "slow", "hang", "cut", "refund", "secret", "ungranted"];
        let desk = Arc::new(Self {
            modern,
            tools: Mutex::new(names.iter().map(|name| tool(name, "does as it is told")).collect()),
            calls: Mutex::default(),
            lists: AtomicUsize::new(0),
            sessions: AtomicUsize::new(0),
            dropped: Arc::default(),
            cancelled: AtomicUsize::new(0),
            forget: AtomicBool::new(false),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let routes = Router::new().route("/mcp", post(answer)).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (desk, url)
    }

    pub fn calls(&self) -> Vec<Seen> {
        self.calls.lock().unwrap().clone()
    }

    fn session(&self) -> String {
        format!("s{}", self.sessions.load(Ordering::SeqCst))
    }
}

async fn answer(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap();
    let (id, method) = (message["id"].clone(), message["method"].as_str().unwrap().to_owned());
    let result = |result: Value| axum::Json(json!({"jsonrpc": "2.0", "id": id, "result": result})).into_response();
    let error = |code: i64| {
        axum::Json(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": "no"}})).into_response()
    };
    if method == "notifications/cancelled" {
        desk.cancelled.fetch_add(1, Ordering::SeqCst);
    }
    if method.starts_with("notifications/") {
        return StatusCode::ACCEPTED.into_response();
    }
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    if desk.modern {
        assert_eq!(said("mcp-protocol-version").as_deref(), Some("2026-07-28"));
        assert_eq!(said("mcp-method"), Some(method.clone()));
        assert!(message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"].is_object());
    } else if method != "initialize" && method != "server/discover" {
        if desk.forget.swap(false, Ordering::SeqCst) || said("mcp-session-id") != Some(desk.session()) {
            return (StatusCode::NOT_FOUND, "Not Found: Session not found").into_response();
        }
        assert_eq!(said("mcp-protocol-version").as_deref(), Some("2025-11-25"));
    }
    match method.as_str() {
        "server/discover" if desk.modern => result(
            json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {}, "ttlMs": 0, "cacheScope": "private"}),
        ),
        "server/discover" => (StatusCode::BAD_REQUEST, "Bad Request: no session").into_response(),
        "initialize" => {
            desk.sessions.fetch_add(1, Ordering::SeqCst);
            let mut response =
                result(json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "desk"}}));
            response.headers_mut().insert("mcp-session-id", desk.session().parse().unwrap());
            response
        }
        "tools/list" => {
            desk.lists.fetch_add(1, Ordering::SeqCst);
            // One tool a page, as the strictest of servers might.
            let tools = desk.tools.lock().unwrap().clone();
            let place: usize = message["params"]["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
            let next = (place + 1 < tools.len()).then(|| (place + 1).to_string());
            result(json!({"tools": tools.get(place).into_iter().collect::<Vec<_>>(), "nextCursor": next}))
        }
        "tools/call" => {
            desk.calls.lock().unwrap().push(Seen { headers: headers.clone(), body: message.clone() });
            call(&desk, &message, result, error).await
        }
        _ => error(-32601),
    }
}

async fn call(
    desk: &Desk,
    message: &Value,
    result: impl Fn(Value) -> Response,
    error: impl Fn(i64) -> Response,
) -> Response {
    let params = &message["params"];
    match params["name"].as_str().unwrap() {
        "fail" => result(
            json!({"content": [{"type": "text", "text": "it failed"}], "isError": true, "resultType": "complete"}),
        ),
        "broken" => error(-32601),
        "slow" => {
            let token = params["_meta"]["progressToken"].clone();
            let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}});
            let done =
                json!({"jsonrpc": "2.0", "id": message["id"], "result": {"content": [], "resultType": "complete"}});
            let priming = Bytes::from_static(b"id: 1\ndata: \n\n");
            let events =
                [priming, sse::message(progress.to_string().as_bytes()), sse::message(done.to_string().as_bytes())];
            let events = stream::iter(events.map(Ok::<_, std::io::Error>));
            ([("content-type", "text/event-stream")], Body::from_stream(events)).into_response()
        }
        "hang" => {
            let noticed = Noticed(Arc::clone(&desk.dropped));
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(noticed);
            result(json!({"content": []}))
        }
        "cut" => {
            let broken = stream::iter([Ok(Bytes::from_static(b"data: {")), Err(std::io::Error::other("cut"))]);
            ([("content-type", "text/event-stream")], Body::from_stream(broken)).into_response()
        }
        _ => result(
            json!({"content": [{"type": "text", "text": params["arguments"].to_string()}], "resultType": "complete"}),
        ),
    }
}

/// Counts when it is dropped.
struct Noticed(Arc<AtomicUsize>);

impl Drop for Noticed {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
