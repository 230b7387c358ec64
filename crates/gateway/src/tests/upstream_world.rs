//! Upstreams without a gate in front: a real engine, and a server that does what one test needs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use remit_domain::{ActionId, Connector, ConnectorSpec, DataClass, Definition, Event, TaskId, Verb};
use remit_engine::Receipt;
use remit_testkit::World as Realm;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::mcp::sse;
use crate::upstream::{Connection, Governed, UpstreamRequest};
use crate::{Permit, Upstreams};

/// One HTTP request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub verb: Method,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Seen {
    pub fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn result(&self, result: Value) -> Response {
        axum::Json(json!({"jsonrpc": "2.0", "id": self.body["id"], "result": result})).into_response()
    }

    pub fn error(&self, code: i64) -> Response {
        let error = json!({"code": code, "message": "no"});
        axum::Json(json!({"jsonrpc": "2.0", "id": self.body["id"], "error": error})).into_response()
    }

    /// What every server with a handshake says, tools included.
    pub fn greeting(&self, capabilities: Value, tools: Value) -> Response {
        match self.method() {
            "initialize" => {
                let mut response = self.result(json!({"protocolVersion": "2025-11-25", "capabilities": capabilities}));
                response.headers_mut().insert("mcp-session-id", "s1".parse().unwrap());
                response
            }
            "tools/list" => self.result(json!({"tools": tools})),
            "" => http::StatusCode::METHOD_NOT_ALLOWED.into_response(),
            method if method.starts_with("notifications/") => http::StatusCode::ACCEPTED.into_response(),
            _ => self.error(-32601),
        }
    }
}

/// A stream of events that is written while it is read.
pub(crate) fn stream() -> (mpsc::UnboundedSender<String>, Response) {
    let (sender, mut events) = mpsc::unbounded_channel::<String>();
    let events = futures_util::stream::poll_fn(move |context| {
        events.poll_recv(context).map(|event| event.map(|event| Ok::<_, std::io::Error>(Bytes::from(event))))
    });
    (sender, ([("content-type", "text/event-stream")], Body::from_stream(events)).into_response())
}

pub(crate) fn event(message: &Value) -> String {
    String::from_utf8(sse::message(message.to_string().as_bytes()).to_vec()).unwrap()
}

type Answerer = Box<dyn Fn(Seen) -> BoxFuture<'static, Response> + Send + Sync>;

/// A server that remembers what it was sent.
pub(crate) struct Server {
    pub seen: Mutex<Vec<Seen>>,
    answer: Answerer,
}

impl Server {
    /// Starts a server and returns it with the way to reach it.
    pub async fn start(
        answer: impl Fn(Seen) -> BoxFuture<'static, Response> + Send + Sync + 'static,
    ) -> (Arc<Self>, ConnectorSpec) {
        let server = Arc::new(Self { seen: Mutex::default(), answer: Box::new(answer) });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let routes = axum::Router::new().route("/mcp", any(take)).with_state(Arc::clone(&server));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (server, ConnectorSpec::Http { url })
    }

    pub fn seen(&self, wanted: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| wanted(seen)).cloned().collect()
    }

    /// Waits until it was sent what is `wanted`.
    pub async fn wait_for(&self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        until(|| self.seen(&wanted).pop()).await
    }
}

async fn take(State(server): State<Arc<Server>>, verb: Method, headers: HeaderMap, body: Bytes) -> Response {
    let seen = Seen { verb, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) };
    server.seen.lock().unwrap().push(seen.clone());
    (server.answer)(seen).await
}

/// Waits until there is something.
pub(crate) async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never happened");
}

/// An engine that knows one connector, `back`.
pub(crate) struct Behind {
    pub realm: Realm,
    pub upstreams: Upstreams,
    task: TaskId,
}

impl Behind {
    /// Approves and grants `approved` of what the server offers.
    pub async fn new(spec: ConnectorSpec, approved: &[&str]) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let realm = Realm::new().await;
        let upstreams = Upstreams::new(realm.engine.clone()).unwrap();
        realm.person("ada", &[]).await;
        realm.agent("triage", "ada", |_| {}).await;
        let offered = upstreams.definitions(&spec).await.unwrap();
        let choices = offered.iter().filter(|document| approved.iter().any(|name| document["name"] == *name));
        let choices: Vec<_> = choices
            .map(|document| {
                let name = document["name"].as_str().unwrap();
                let mut choice = remit_testkit::operation(name, Verb::Read, 0, DataClass::D0, &json!({}));
                choice.definition = Definition { document: document.clone() };
                choice
            })
            .collect();
        assert_eq!(choices.len(), approved.len(), "{offered:#?}");
        realm.connector("back", spec, choices).await;
        let granted: Vec<String> = approved.iter().map(|name| format!("back/{name}")).collect();
        realm.grant("triage", &granted.iter().map(String::as_str).collect::<Vec<_>>(), 3_600).await;
        let task = realm.task("triage").await;
        Self { realm, upstreams, task }
    }

    pub fn connector(&self) -> Arc<Connector> {
        self.realm.engine.read(|state| state.connector_named("back").unwrap().clone())
    }

    pub async fn ready(&self) -> Arc<Connection> {
        self.upstreams.ready(&self.connector()).await.unwrap()
    }

    /// A permit for `tool`, decided by the engine.
    pub async fn permit(&self, tool: &str, arguments: Value) -> Permit {
        let allowed: ActionId = self.realm.call(self.task, &format!("back/{tool}"), arguments).await.allowed();
        let records = self.realm.records().await;
        let record = records.iter().find(
            |committed| matches!(&committed.record.event, Event::ActionAllowed(event) if event.action == allowed),
        );
        let event = record.unwrap().record.event.clone();
        let receipt = Receipt { seq: 0, at: self.realm.engine.now(), events: Arc::from([event]) };
        Permit::from_receipt(&receipt).unwrap()
    }

    /// A permit for `tool` and the request that calls it with no arguments.
    pub async fn tool(&self, tool: &str) -> (Permit, UpstreamRequest) {
        let permit = self.permit(tool, json!({})).await;
        (permit, request(Governed::CallTool, json!({"name": tool, "arguments": {}})))
    }
}

pub(crate) fn request(method: Governed, params: Value) -> UpstreamRequest {
    UpstreamRequest {
        method,
        params: object(params).into(),
        meta: Map::new(),
        capabilities: Map::new(),
        log_level: None,
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}

pub(crate) fn tools(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name, "inputSchema": {"type": "object"}})).collect()
}
