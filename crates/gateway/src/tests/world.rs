//! A world in a temporary directory: people, an agent with a live task, a desk behind the gateway.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::HeaderMap;
use remit_domain::{
    Actor, AgentId, AgentKey, ApprovalId, Command, ConnectorSpec, Consent, DataClass, Definition, Digest, Event,
    OperationChoice, RedeemCode, TaskId, Verb,
};
use remit_engine::SystemClock;
use remit_identity::token::TaskClaims;
use remit_identity::x509::PeerSvid;
use remit_identity::{SigningKey, SpiffeId, UnverifiedTaskToken, dpop, token};
use remit_testkit::World as Realm;
use serde_json::{Value, json};

use super::desk::Desk;
use crate::mcp::sse;
use crate::{Gateway, Settings, Upstreams};

pub(crate) struct World {
    realm: Realm,
    pub gateway: Arc<Gateway>,
    pub desk: Arc<Desk>,
    pub url: String,
    pub ada: Actor,
    pub agent: AgentId,
    pub task: TaskId,
    pub token: String,
    pub http: reqwest::Client,
}

impl Deref for World {
    type Target = Realm;

    fn deref(&self) -> &Realm {
        &self.realm
    }
}

/// One answer, its stream read to the end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    /// Every message, the answer last.
    pub messages: Vec<Value>,
}

impl Answered {
    pub fn body(&self) -> &Value {
        self.messages.last().unwrap_or(&Value::Null)
    }

    pub fn result(&self) -> &Value {
        &self.body()["result"]
    }

    /// The code of the refusal, where it is one.
    pub fn refused(&self) -> Option<&str> {
        assert!(self.result().get("structuredContent").is_none());
        let code = self.result()["_meta"]["remit/refusal"]["code"].as_str()?;
        assert_eq!(self.result()["isError"], true);
        Some(code)
    }

    /// The code of the refusal of a request of nobody.
    pub fn kept_out(&self) -> (u16, &str) {
        (self.status, self.body()["error"]["data"]["remit/refusal"]["code"].as_str().unwrap_or_default())
    }

    pub fn text(&self) -> &str {
        self.result()["content"][0]["text"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn choice(definition: &Value) -> OperationChoice {
    let tool = definition["name"].as_str().unwrap().to_owned();
    let refund = tool == "refund";
    OperationChoice {
        irreversible: false,
        tool,
        verb: if refund { Verb::Write } else { Verb::Read },
        risk: if refund { 3 } else { 0 },
        data: if refund { DataClass::D1 } else { DataClass::D0 },
        external: refund,
        projections: Vec::new(),
        definition: Definition { document: definition.clone() },
    }
}

/// Lets a request say from where it comes and what certificate its connection shows, which otherwise the listener says.
async fn as_told(mut request: Request, next: Next) -> Response {
    tell(&mut request);
    next.run(request).await
}

fn tell(request: &mut Request) {
    let said = |name: &str| Some(request.headers().get(name)?.to_str().unwrap().to_owned());
    let (peer, from) = (said("x-test-peer"), said("x-test-from"));
    if let Some(peer) = peer {
        let (id, digest) = peer.split_once(' ').unwrap();
        let id = SpiffeId::parse(id).unwrap();
        let peer = PeerSvid {
            id,
            certificate_sha256: digest.to_owned(),
            serial: "2a".to_owned(),
            issued_at: 4_000_000_000,
            not_after: i64::MAX,
        };
        request.extensions_mut().insert(peer);
    }
    if let Some(from) = from {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(from.parse().unwrap(), 4711)));
    }
}

impl World {
    /// A world whose desk speaks 2026-07-28.
    pub async fn new() -> Self {
        Self::with(true, |_| {}).await
    }

    pub async fn with(modern: bool, settle: impl FnOnce(&mut Settings)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (desk, desk_url) = Desk::start(modern).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = Settings::at(&url, "http://127.0.0.1:7470");
        settings.hold_seconds = 20;
        settings.call_seconds_max = 10;
        settle(&mut settings);
        let realm = Realm::with(|options| {
            options.clock = Arc::new(SystemClock);
            options.audience = settings.audience.clone();
        });
        let realm = realm.await;
        let engine = realm.engine.clone();
        let upstreams = Upstreams::new(engine.clone()).unwrap();
        let gateway = Gateway::new(engine, upstreams, settings);
        let router = gateway.router().layer(middleware::from_fn(as_told));
        tokio::spawn(async move { axum::serve(listener, router).await });
        realm.person("ada", &[]).await;
        let agent = realm.agent("triage", "ada", |profile| profile.purpose = "sorts the post".to_owned()).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let task = realm.task("triage").await;
        let token = realm.token(task).await;
        let ada = realm.acting("ada");
        let world = Self { realm, gateway, desk, url, ada, agent, task, token, http };
        world.connect("desk", ConnectorSpec::Http { url: desk_url }).await;
        world
    }

    /// Adds a connector, approves everything it offers but `ungranted`, and grants all of that but `secret`.
    pub async fn connect(&self, name: &str, spec: ConnectorSpec) {
        let definitions = self.gateway.upstreams.definitions(&spec).await.unwrap();
        let choices: Vec<_> =
            definitions.iter().filter(|definition| definition["name"] != "ungranted").map(choice).collect();
        let tools = choices.iter().map(|choice| choice.tool.as_str()).filter(|tool| *tool != "secret");
        let granted: Vec<String> = tools.map(|tool| format!("{name}/{tool}")).collect();
        self.connector(name, spec, choices).await;
        self.grant("triage", &granted.iter().map(String::as_str).collect::<Vec<_>>(), 3_600).await;
    }

    pub async fn start_task(&self, key: Option<String>) -> TaskId {
        self.task_with("triage", |start| start.key = key).await
    }

    /// Enrols a new key for the agent.
    pub async fn enrol(&self) -> SigningKey {
        let (key, _) = SigningKey::generate().unwrap();
        let code = Digest::of_bytes(b"code");
        self.submit(&self.ada, Command::OfferEnrolment { agent: self.agent, code, ttl_seconds: 60 }).await;
        let enrolled = AgentKey { thumbprint: key.public().thumbprint(), jwk: key.public().to_value() };
        self.submit(&Actor::Remit, Command::EnrolKey { agent: "triage".to_owned(), code, key: enrolled }).await;
        key
    }

    /// The world's token with other claims, signed by the realm all the same.
    pub fn forged(&self, change: impl FnOnce(&mut TaskClaims)) -> String {
        let audience = format!("{}/mcp", self.url);
        let issuer = self.engine.realm().issuer;
        let expected = token::Expected { issuer: &issuer, audience: &audience, environment: None };
        let (keys, now) = (self.engine.keys(), self.engine.now().as_seconds());
        let mut claims = UnverifiedTaskToken::parse(&self.token).unwrap().verify(&keys, &expected, now).unwrap();
        change(&mut claims);
        token::mint(&keys, &claims).unwrap()
    }

    /// A token of a client to which the agent's owner consented, for `scope` alone.
    pub async fn consented(&self, scope: &str) -> String {
        let (code, client) = (Digest::of_bytes(b"consented"), "https://client.example.org/client.json".to_owned());
        let (redirect_uri, challenge) = ("http://127.0.0.1:3000/callback".to_owned(), "c".repeat(43));
        let consent = Consent {
            code,
            client: client.clone(),
            client_name: "A client".to_owned(),
            redirect_uri: redirect_uri.clone(),
            agent: self.agent,
            purpose: "sorts the post".to_owned(),
            scope: vec![scope.parse().unwrap()],
            authority: Vec::new(),
            resource: format!("{}/mcp", self.url),
            challenge: challenge.clone(),
            key: None,
            configuration: None,
            ttl_seconds: None,
        };
        self.submit(&self.ada, Command::Consent(Box::new(consent))).await;
        let redeem = RedeemCode { code, client, redirect_uri, challenge, resource: None, key: None, refresh: None };
        let receipt = self.submit(&Actor::Remit, Command::RedeemCode(Box::new(redeem))).await;
        let started = receipt.events.iter().find_map(|event| match event {
            Event::TaskStarted(started) => Some(started.task),
            _ => None,
        });
        self.engine.issue_token(Actor::Remit, started.unwrap(), 600).await.unwrap().token
    }

    /// Lists the tools behind `path` with `token`, as `as_told` lets the request say.
    pub async fn asks(&self, path: &str, token: Option<&str>, said: &[(&str, &str)]) -> Answered {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        let request = self.http.post(format!("{}{path}", self.url)).body(body.to_string());
        let request = request.header("content-type", "application/json").header("accept", "application/json");
        let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
        let request = said.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        read(request.send().await.unwrap()).await
    }

    /// A proof for a POST to `path` with `token`.
    pub fn proof(&self, key: &SigningKey, path: &str, token: &str, jti: &str) -> String {
        let now = self.engine.now().as_seconds();
        dpop::make_proof(key, "POST", &format!("{}{path}", self.url), now, jti, Some(token)).unwrap()
    }

    pub fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).body(body.to_string());
        request.header("content-type", "application/json").header("accept", "application/json, text/event-stream")
    }

    /// A request of 2026-07-28 as it is sent.
    pub fn modern(&self, path: &str, method: &str, params: Value) -> reqwest::RequestBuilder {
        self.modern_with(path, method, params, &json!({}))
    }

    /// The same, of a client with these capabilities.
    pub fn modern_with(
        &self,
        path: &str,
        method: &str,
        mut params: Value,
        capabilities: &Value,
    ) -> reqwest::RequestBuilder {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let request = self.post(path, &body).header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
        match params["name"].as_str() {
            Some(name) => request.header("mcp-name", name),
            None => request,
        }
    }

    /// Calls a tool of the desk at 2026-07-28.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answered {
        self.call_with(tool, arguments, json!({})).await
    }

    pub async fn call_with(&self, tool: &str, arguments: Value, meta: Value) -> Answered {
        let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
        read(self.modern("/mcp/desk", "tools/call", params).send().await.unwrap()).await
    }

    /// Sends a request of the older generations.
    pub async fn legacy(&self, method: &str, params: Value, session: Option<&str>) -> Answered {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut request = self.post("/mcp/desk", &body);
        if let Some(session) = session {
            request = request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25");
        }
        read(request.send().await.unwrap()).await
    }

    /// Waits until an event that `wanted` recognises is on record, and returns what it made of it.
    pub async fn wait_for<T>(&self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        for _ in 0..400 {
            if let Some(found) = self.records().await.iter().find_map(|committed| wanted(&committed.record.event)) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "it never happened: {:#?}",
            self.records().await.iter().map(|record| &record.record.event).collect::<Vec<_>>()
        );
    }

    /// Waits for the first question and returns it with the digest that an answer needs.
    pub async fn question(&self) -> (ApprovalId, Digest) {
        self.wait_for(|event| match event {
            Event::ApprovalRequested(requested) => Some((requested.approval, requested.digest)),
            _ => None,
        })
        .await
    }

    pub async fn approve(&self, (approval, _): (ApprovalId, Digest)) {
        self.realm.approve("ada", approval).await;
    }

    pub async fn deny(&self, approval: ApprovalId, note: &str) {
        self.realm.deny("ada", approval, note).await;
    }
}

/// Reads an answer, document or stream.
pub(crate) async fn read(response: reqwest::Response) -> Answered {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let body = response.bytes().await.unwrap();
    let messages = match stream {
        true => sse::Reader::new(1 << 20).feed(&body).unwrap(),
        false => vec![body.to_vec()],
    };
    let messages = messages.iter().filter_map(|message| serde_json::from_slice(message).ok()).collect();
    Answered { status, headers, messages }
}
