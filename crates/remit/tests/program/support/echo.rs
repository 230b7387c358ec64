//! The server behind the gateway: one tool that says what it was told, and remembers under which decision it was called.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use super::{Place, Witness};

/// Connections that may wait to be accepted: the gateway opens as many as there are calls.
const BACKLOG: u32 = 4_096;

/// An upstream of the gateway. It lives in the test, so it survives whatever happens to the program.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    calls: Mutex<Vec<String>>,
    unrecorded: Mutex<Vec<String>>,
    witness: Mutex<Option<Witness>>,
    gathering: Mutex<Option<Arc<Barrier>>>,
}

impl Echo {
    pub fn start() -> Self {
        let socket = TcpSocket::new_v4().expect("no socket");
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("no port");
        let listener = socket.listen(BACKLOG).expect("the echo server cannot listen");
        let address = listener.local_addr().expect("the echo server has no address");
        let shared = Arc::<Shared>::default();
        let router = Router::new().route("/mcp", post(answer)).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("the echo server ended") });
        Self { address, shared, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// From now on every call looks, while it is handled, whether its decision stands in the ledger of `place`.
    pub fn watch(&self, place: &Place) {
        *self.shared.witness.lock().expect("a call panicked") = Some(Witness::of(place));
    }

    /// From now on calls are answered only when `calls` of them are here at the same time.
    pub fn gather(&self, calls: usize) {
        *self.shared.gathering.lock().expect("a call panicked") = Some(Arc::new(Barrier::new(calls)));
    }

    /// The decisions under which it was called since this was asked last, one for each call.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.calls.lock().expect("a call panicked"))
    }

    /// Decisions that were not in the ledger while their calls were here.
    pub fn unrecorded(&self) -> Vec<String> {
        self.shared.unrecorded.lock().expect("a call panicked").clone()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(message): Json<Value>) -> Response {
    let Some(id) = message.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let result = match message.get("method").and_then(Value::as_str).unwrap_or_default() {
        "server/discover" => json!({
            "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
        }),
        "tools/list" => json!({"tools": [tool()], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}),
        "tools/call" => {
            let decision =
                headers.get("remit-decision").and_then(|value| value.to_str().ok()).unwrap_or("none").to_owned();
            shared.called(decision).await;
            let said = message.pointer("/params/arguments/text").cloned().unwrap_or_default();
            json!({"content": [{"type": "text", "text": said}], "resultType": "complete"})
        }
        _ => {
            let error = json!({"code": -32601, "message": "Method not found"});
            return (StatusCode::NOT_FOUND, Json(json!({"jsonrpc": "2.0", "id": id, "error": error}))).into_response();
        }
    };
    Json(json!({"jsonrpc": "2.0", "id": id, "result": result})).into_response()
}

impl Shared {
    async fn called(&self, decision: String) {
        self.calls.lock().expect("a call panicked").push(decision.clone());
        let recorded =
            self.witness.lock().expect("a call panicked").as_mut().map(|witness| witness.has_allowed(&decision));
        if recorded == Some(false) {
            self.unrecorded.lock().expect("a call panicked").push(decision);
        }
        let gathering = self.gathering.lock().expect("a call panicked").clone();
        if let Some(barrier) = gathering {
            barrier.wait().await;
        }
    }
}

fn tool() -> Value {
    let schema = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
    json!({"name": "echo", "description": "says what it was told", "inputSchema": schema, "annotations": {"readOnlyHint": true}})
}
