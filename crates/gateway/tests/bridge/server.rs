//! The servers behind the gateway: sound where they are greeted, and in everything else as they were told to be.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, StatusCode, header};
use remit_domain::Event;
use remit_engine::Engine;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// How a server answers one governed request.
#[derive(Debug, Clone)]
pub struct Scripted {
    pub status: u16,
    pub kind: &'static str,
    /// Pieces of the body; before each but the first, it waits a little for an answer to what it asked. `@ID@` and `@TOKEN@` stand for those of
    /// the request.
    pub pieces: Vec<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Answers that are still to be given; the last one stays.
    script: VecDeque<Scripted>,
    /// Decisions that were on record when they were looked at: the operation that each allows.
    allowed: HashMap<String, String>,
    /// How far the record was read.
    read_to: u64,
    /// Decisions that came upstream: whether the answer said that nothing was done.
    sent: HashMap<String, bool>,
    faults: Vec<String>,
}

pub struct Server {
    engine: Engine,
    seen: Mutex<Seen>,
    answered: Notify,
}

pub fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object", "properties": {"a": {}, "b": {"type": "integer"}}}})
}

impl Server {
    /// Starts both servers and returns the address before their names.
    pub async fn start(engine: Engine) -> (Arc<Self>, String) {
        let server = Arc::new(Self { engine, seen: Mutex::default(), answered: Notify::new() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new(&server);
        tokio::spawn(async move { axum::serve(listener, routes.0).await });
        (server, address)
    }

    pub fn expect(&self, script: Vec<Scripted>) {
        self.seen.lock().unwrap().script = script.into();
    }

    /// How many decisions came upstream so far.
    pub fn reached(&self) -> usize {
        self.seen.lock().unwrap().sent.len()
    }

    /// Ends the test if anything reached a server that should not have.
    pub fn judge(&self) {
        let faults = std::mem::take(&mut self.seen.lock().unwrap().faults);
        assert!(faults.is_empty(), "{faults:#?}");
    }

    /// Looks for the decision of a request that came: on record before it came, of this very operation, and never used before.
    async fn look(&self, connector: &str, headers: &HeaderMap, message: &Value) -> Result<String, String> {
        let decision = message["params"]["_meta"]["remit/decision"].as_str().unwrap_or_default().to_owned();
        let named = headers.get("remit-decision").and_then(|named| named.to_str().ok());
        if named != Some(&decision) {
            return Err(format!("the header names {named:?} and the body `{decision}`"));
        }
        let from = self.seen.lock().unwrap().read_to;
        for seq in from..self.engine.head() {
            let record = self.engine.record(seq).await.ok().flatten().ok_or("a record cannot be read")?;
            let mut seen = self.seen.lock().unwrap();
            seen.read_to = seen.read_to.max(seq + 1);
            if let Event::ActionAllowed(allowed) = &record.record.event {
                seen.allowed.insert(allowed.action.to_string(), allowed.facts.operation.to_string());
            }
        }
        let method = message["method"].as_str().unwrap_or_default();
        let operation = match remit_domain::Feature::of_method(method) {
            Some(feature) => format!("{connector}/{}", feature.name()),
            None => format!("{connector}/{}", message["params"]["name"].as_str().unwrap_or_default()),
        };
        let mut seen = self.seen.lock().unwrap();
        let allowed = seen.allowed.get(&decision).cloned();
        if allowed.as_ref() != Some(&operation) {
            return Err(format!("`{operation}` came with a decision for {allowed:?}"));
        }
        match seen.sent.insert(decision.clone(), false) {
            None | Some(true) => Ok(decision),
            Some(false) => Err(format!("`{operation}` came twice for one decision")),
        }
    }

    /// Answers a governed request as the script says.
    async fn play(self: Arc<Self>, connector: &str, headers: &HeaderMap, message: &Value) -> Response {
        let decision = match self.look(connector, headers, message).await {
            Ok(decision) => decision,
            Err(fault) => {
                self.seen.lock().unwrap().faults.push(format!("{fault}: {message}"));
                return StatusCode::IM_A_TEAPOT.into_response();
            }
        };
        let scripted = {
            let mut seen = self.seen.lock().unwrap();
            let next = if seen.script.len() > 1 { seen.script.pop_front() } else { seen.script.front().cloned() };
            let next = next.unwrap_or(Scripted { status: 404, kind: "text/plain", pieces: Vec::new() });
            // The one answer after which the gateway may ask again: there is no such session, so nothing was done.
            let undone = next.status == 404 && headers.contains_key("mcp-session-id");
            seen.sent.insert(decision, undone);
            next
        };
        let token = message["params"]["_meta"]["progressToken"].to_string();
        let fill = |piece: &Vec<u8>| {
            let text = String::from_utf8_lossy(piece);
            match text.contains('@') && std::str::from_utf8(piece).is_ok() {
                true => Bytes::from(text.replace("@ID@", &message["id"].to_string()).replace("@TOKEN@", &token)),
                false => Bytes::from(piece.clone()),
            }
        };
        let pieces: Vec<Bytes> = scripted.pieces.iter().map(fill).collect();
        let body = stream::iter(pieces.into_iter().enumerate()).then(move |(place, piece)| {
            let server = Arc::clone(&self);
            async move {
                if place > 0 {
                    let _ = tokio::time::timeout(Duration::from_millis(30), server.answered.notified()).await;
                }
                Ok::<_, std::io::Error>(piece)
            }
        });
        let status = StatusCode::from_u16(scripted.status).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, scripted.kind)], Body::from_stream(body)).into_response()
    }
}

/// The routes of both servers.
struct Router(axum::Router);

impl Router {
    fn new(server: &Arc<Server>) -> Self {
        Self(axum::Router::new().route("/{connector}", any(answer)).with_state(Arc::clone(server)))
    }
}

async fn answer(
    State(server): State<Arc<Server>>,
    Path(connector): Path<String>,
    verb: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match verb {
        Method::DELETE => return StatusCode::NO_CONTENT.into_response(),
        Method::POST => {}
        _ => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    if message["jsonrpc"] != "2.0" {
        server.seen.lock().unwrap().faults.push(format!("not a message: {body:?}"));
    }
    let result = |result: Value| axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
    let error = axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}}));
    let features = json!({"tools": {}, "resources": {"subscribe": true}, "prompts": {}, "completions": {}});
    let modern = connector == "new";
    match message["method"].as_str() {
        None => {
            server.answered.notify_one();
            StatusCode::ACCEPTED.into_response()
        }
        Some("server/discover") if modern => {
            let discovered = json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": features, "ttlMs": 0, "cacheScope": "private"});
            result(discovered).into_response()
        }
        Some("server/discover") => (StatusCode::BAD_REQUEST, "no session").into_response(),
        Some("initialize") => {
            let greeting = result(json!({"protocolVersion": "2025-11-25", "capabilities": features}));
            ([("mcp-session-id", "s1")], greeting).into_response()
        }
        Some("tools/list") => {
            let tools = ["echo", "refund", "secret"].map(tool);
            result(json!({"tools": tools, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}))
                .into_response()
        }
        Some("subscriptions/listen" | "logging/setLevel") => (StatusCode::NOT_FOUND, error).into_response(),
        Some(method) if method.starts_with("notifications/") => StatusCode::ACCEPTED.into_response(),
        Some(_) => server.play(&connector, &headers, &message).await,
    }
}
