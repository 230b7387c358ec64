//! A world in a temporary directory: people, an agent with a live task, a desk behind the gateway.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use remit_domain::{
    Actor, AddConnector, AddPerson, AgentId, AgentKey, AgentProfile, ApprovalId, Approve, Class, Command,
    ConnectorSpec, DataClass, Definition, Deny, Digest, Environment, Event, OperationChoice, PersonId, RegisterAgent,
    RequestGrant, SignInMethod, StartTask, TaskId, Verb,
};
use remit_engine::{Committed, Engine, Options, Setup};
use remit_identity::{SigningKey, dpop};
use serde_json::{Value, json};

use super::desk::Desk;
use crate::mcp::sse;
use crate::{Gateway, Settings, Upstreams};

pub(crate) struct World {
    pub engine: Engine,
    pub gateway: Arc<Gateway>,
    pub desk: Arc<Desk>,
    pub url: String,
    pub root: Actor,
    pub ada: Actor,
    pub agent: AgentId,
    pub task: TaskId,
    pub token: String,
    pub http: reqwest::Client,
    _directory: tempfile::TempDir,
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

    pub fn text(&self) -> &str {
        self.result()["content"][0]["text"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn person(id: PersonId) -> Actor {
    Actor::Person { person: id, method: SignInMethod::LocalSocket }
}

fn choice(definition: &Value) -> OperationChoice {
    let tool = definition["name"].as_str().unwrap().to_owned();
    let refund = tool == "refund";
    OperationChoice {
        tool,
        verb: if refund { Verb::Write } else { Verb::Read },
        risk: if refund { 3 } else { 0 },
        data: if refund { DataClass::D2 } else { DataClass::D0 },
        external: false,
        definition: Definition { document: definition.clone() },
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
        let directory = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut settings = Settings::at(&url, "http://127.0.0.1:7470");
        settings.hold_seconds = 20;
        settings.call_seconds_max = 10;
        settle(&mut settings);
        let policies = [
            ("base", include_str!("../../../../policies/base.cedar")),
            ("high-risk-asks", include_str!("../../../../policies/high-risk-asks.cedar")),
        ];
        let setup = Setup {
            trust_domain: "remit.test".to_owned(),
            issuer: "http://127.0.0.1:7470".to_owned(),
            administrator: "root".to_owned(),
            administrator_uid: Some(0),
            policies: policies.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        };
        let options = Options {
            audience: settings.audience.clone(),
            segment_bytes: 1 << 20,
            ..Options::new(directory.path(), setup)
        };
        let engine = Engine::open(options).await.unwrap();
        let upstreams = Upstreams::new(engine.clone()).unwrap();
        let gateway = Gateway::new(engine.clone(), upstreams, settings);
        let router = gateway.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let root = person(engine.read(|state| state.person_named("root").unwrap().id));
        let (ada, agent) = cast(&engine, &root).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut world = Self {
            task: engine.read(|_| placeholder()),
            engine,
            gateway,
            desk,
            url,
            root,
            ada,
            agent,
            token: String::new(),
            http,
            _directory: directory,
        };
        world.connect("desk", ConnectorSpec::Http { url: desk_url }).await;
        world.task = world.start_task(None).await;
        world.token = world.token_for(world.task).await;
        world
    }

    /// Adds a connector, approves everything it offers but `ungranted`, and grants all of that but `secret`.
    pub async fn connect(&self, name: &str, spec: ConnectorSpec) {
        let definitions = self.gateway.upstreams.definitions(&spec).await.unwrap();
        let add = AddConnector { name: name.to_owned(), owner: None, spec };
        self.submit(&self.root, Command::AddConnector(Box::new(add))).await;
        let connector = self.engine.read(|state| state.connector_named(name).unwrap().id);
        let choices: Vec<_> =
            definitions.iter().filter(|definition| definition["name"] != "ungranted").map(choice).collect();
        let operations = choices
            .iter()
            .filter(|choice| choice.tool != "secret")
            .map(|choice| format!("{name}/{}", choice.tool).parse().unwrap());
        let operations = operations.collect();
        self.submit(&self.root, Command::ApproveOperations { connector, choices }).await;
        let request = RequestGrant { agent: self.agent, operations, reason: "its work".to_owned(), ttl_seconds: 3_600 };
        let events = self.submit(&self.root, Command::RequestGrant(request)).await;
        let Some(Event::GrantRequested(request)) = events.first() else { panic!("{events:?}") };
        self.submit(&self.ada, Command::ApproveGrant { grant: request.id }).await;
    }

    pub async fn submit(&self, actor: &Actor, command: Command) -> Vec<Event> {
        self.engine.submit(actor.clone(), command).await.unwrap().events.to_vec()
    }

    pub async fn start_task(&self, key: Option<String>) -> TaskId {
        let start = StartTask {
            agent: self.agent,
            purpose: "sort the post".to_owned(),
            acting_for: None,
            scope: Vec::new(),
            ttl_seconds: None,
            budget: None,
            parent: None,
            key,
        };
        let events =
            self.submit(&Actor::Agent { agent: self.agent, task: None }, Command::StartTask(Box::new(start))).await;
        let Some(Event::TaskStarted(started)) = events.first() else { panic!("{events:?}") };
        started.task
    }

    pub async fn token_for(&self, task: TaskId) -> String {
        let actor = Actor::Agent { agent: self.agent, task: Some(task) };
        self.engine.issue_token(actor, task, 600).await.unwrap().token
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
    pub fn modern(&self, path: &str, method: &str, mut params: Value) -> reqwest::RequestBuilder {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
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

    pub async fn records(&self) -> Vec<Committed> {
        let mut records = Vec::new();
        for seq in 0..self.engine.head() {
            records.push(self.engine.record(seq).await.unwrap().unwrap());
        }
        records
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

    pub async fn approve(&self, (approval, digest): (ApprovalId, Digest)) {
        self.submit(&self.ada, Command::Approve(Approve { approval, digest, note: String::new() })).await;
    }

    pub async fn deny(&self, approval: ApprovalId, note: &str) {
        self.submit(&self.ada, Command::Deny(Deny { approval, note: note.to_owned() })).await;
    }
}

fn placeholder() -> TaskId {
    remit_domain::Moment::new(remit_domain::Timestamp::from_millis(0), 0).fresh_id()
}

async fn cast(engine: &Engine, root: &Actor) -> (Actor, AgentId) {
    let add = AddPerson { name: "ada".to_owned(), groups: Vec::new() };
    engine.submit(root.clone(), Command::AddPerson(add)).await.unwrap();
    let owner = engine.read(|state| state.person_named("ada").unwrap().id);
    let profile = AgentProfile {
        owner: Some(owner),
        purpose: "sorts the post".to_owned(),
        class: Some(Class::Act),
        autonomy: Some(3),
        data_classes: vec![DataClass::D0, DataClass::D2],
        environment: Some(Environment::Test),
        review_at: Some(engine.now().plus_seconds(86_400)),
        ..AgentProfile::default()
    };
    let register = RegisterAgent { name: "triage".to_owned(), profile };
    engine.submit(root.clone(), Command::RegisterAgent(Box::new(register))).await.unwrap();
    let agent = engine.read(|state| state.agent_named("triage").unwrap().id);
    engine.submit(root.clone(), Command::ActivateAgent { agent }).await.unwrap();
    (person(owner), agent)
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
