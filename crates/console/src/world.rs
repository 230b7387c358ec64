//! A small realm on a real engine, for tests: a help desk agent, its owner, and a question that waits.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode};
use remit_domain::{
    Actor, AddConnector, AddPerson, AgentId, AgentProfile, ApprovalId, AttemptAction, Class, Command, ConnectorSpec,
    DataClass, Definition, Digest, Environment, Event, OperationChoice, OperationName, PersonId, RegisterAgent,
    RequestGrant, SignInMethod, StartTask, TaskId, Timestamp, Verb, Verdict,
};
use remit_engine::{Engine, ManualClock, Options, Setup};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::session::Viewer;
use crate::{Console, router};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) agent: AgentId,
    pub(crate) task: TaskId,
    console: Console,
    _data: tempfile::TempDir,
}

/// An answer of the console, read to its end.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Page {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 4 << 20).await.unwrap();
        Self { status: parts.status, headers: parts.headers, body: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of the first hidden field `name`.
    pub(crate) fn field(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\"")).expect("no such field");
        rest.split_once('"').unwrap().0.to_owned()
    }
}

fn policies() -> Vec<(String, String)> {
    let base = include_str!("../../../policies/base.cedar");
    let asks = include_str!("../../../policies/high-risk-asks.cedar");
    vec![("base".to_owned(), base.to_owned()), ("high-risk-asks".to_owned(), asks.to_owned())]
}

fn choice(tool: &str, verb: Verb, risk: u8, properties: &Value) -> OperationChoice {
    let document = json!({
        "name": tool,
        "description": format!("the server's words about {tool} <script>alert('definition')</script>"),
        "inputSchema": {"type": "object", "properties": properties},
    });
    OperationChoice {
        tool: tool.to_owned(),
        verb,
        risk,
        data: DataClass::D1,
        external: false,
        definition: Definition { document },
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let setup = Setup {
            trust_domain: "remit.test".to_owned(),
            issuer: "http://127.0.0.1:7470".to_owned(),
            administrator: "root".to_owned(),
            administrator_uid: Some(0),
            policies: policies(),
        };
        let options = Options {
            segment_bytes: 1 << 16,
            clock: Arc::new(ManualClock::at(NOW)),
            ..Options::new(data.path(), setup)
        };
        let engine = Engine::open(options).await.unwrap();
        let console = Console::new(engine.clone()).unwrap();
        let (agent, task) = set_up(&engine).await;
        Self { engine, agent, task, console, _data: data }
    }

    pub(crate) fn viewer(&self, name: &str) -> Viewer {
        Viewer {
            person: person(&self.engine, name),
            name: name.to_owned(),
            method: SignInMethod::OneTimeLink,
            session: remit_domain::Moment::new(NOW, 7).fresh_id(),
            form_token: "form-token".to_owned(),
        }
    }

    /// The agent tries a refund with `arguments`, which asks for a person.
    pub(crate) async fn ask(&self, arguments: Value) -> ApprovalId {
        let canonical = serde_json::to_vec(&arguments).unwrap();
        let (content, kept) = self.engine.commitment(self.task, "arguments", canonical).await.unwrap();
        let attempt = AttemptAction {
            task: self.task,
            operation: OperationName::new("helpdesk", "refund"),
            arguments: Arc::new(arguments),
            content,
            approval: None,
        };
        let actor = Actor::Agent { agent: self.agent, task: Some(self.task) };
        let receipt =
            self.engine.submit_with(actor, Command::AttemptAction(Box::new(attempt)), vec![kept]).await.unwrap();
        match Verdict::among(&receipt.events) {
            Some(Verdict::Asked(asked)) => asked.approval,
            other => panic!("not asked: {other:?}"),
        }
    }

    /// A code that signs `name` in.
    pub(crate) async fn code(&self, name: &str) -> String {
        let code = format!("signin_{name}_{}", self.engine.head());
        let offer = Command::OfferSignIn {
            person: person(&self.engine, name),
            code: Digest::of_bytes(code.as_bytes()),
            ttl_seconds: 60,
        };
        self.engine.submit(actor(&self.engine, "root"), offer).await.unwrap();
        code
    }

    /// Signs `name` in; the cookie that they have from then on.
    pub(crate) async fn sign_in(&self, name: &str) -> String {
        let code = self.code(name).await;
        let page = self.post("/sign-in", "", &[("code", &code)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        page.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Page {
        self.send(Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from("http://remit.test", path, cookie, fields).await
    }

    pub(crate) async fn post_from(&self, origin: &str, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Page {
        let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let request = Request::post(path)
            .header("host", "remit.test")
            .header("origin", origin)
            .header("cookie", cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.join("&")))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Page {
        Page::read(router(self.console.clone()).oneshot(request).await.unwrap()).await
    }
}

fn person(engine: &Engine, name: &str) -> PersonId {
    engine.read(|state| state.person_named(name).unwrap().id)
}

fn actor(engine: &Engine, name: &str) -> Actor {
    Actor::Person { person: person(engine, name), method: SignInMethod::LocalSocket }
}

/// People, an agent with a grant, and a task that acts for carla.
async fn set_up(engine: &Engine) -> (AgentId, TaskId) {
    let root = actor(engine, "root");
    let submit = async |command| engine.submit(root.clone(), command).await.unwrap();
    for name in ["olga", "maria", "carla"] {
        submit(Command::AddPerson(AddPerson { name: name.to_owned(), groups: Vec::new() })).await;
    }
    let profile = AgentProfile {
        owner: Some(person(engine, "olga")),
        approvers: vec![person(engine, "maria")],
        purpose: "answers customers <script>alert('purpose')</script>".to_owned(),
        class: Some(Class::Act),
        autonomy: Some(3),
        data_classes: vec![DataClass::D1, DataClass::D2],
        environment: Some(Environment::Test),
        review_at: Some(NOW.plus_seconds(90 * 86_400)),
    };
    submit(Command::RegisterAgent(Box::new(RegisterAgent { name: "support-bot".to_owned(), profile }))).await;
    let agent = engine.read(|state| state.agent_named("support-bot").unwrap().id);
    submit(Command::ActivateAgent { agent }).await;
    let spec = ConnectorSpec::Http { url: "http://127.0.0.1:1/mcp".to_owned() };
    submit(Command::AddConnector(Box::new(AddConnector { name: "helpdesk".to_owned(), owner: None, spec }))).await;
    let connector = engine.read(|state| state.connector_named("helpdesk").unwrap().id);
    let text = json!({"type": "string"});
    let refund =
        json!({"order": text, "note": text, "amount": {"type": "integer"}, "tags": {"type": "array", "items": text}});
    let choices =
        vec![choice("lookup", Verb::Read, 0, &json!({"id": text})), choice("refund", Verb::Write, 3, &refund)];
    submit(Command::ApproveOperations { connector, choices }).await;
    let operations = vec!["helpdesk/*".parse().unwrap()];
    let request = RequestGrant { agent, operations, reason: "the help desk".to_owned(), ttl_seconds: 30 * 86_400 };
    let receipt = submit(Command::RequestGrant(request)).await;
    let Some(Event::GrantRequested(request)) = receipt.events.first() else { panic!("no request: {receipt:?}") };
    engine.submit(actor(engine, "olga"), Command::ApproveGrant { grant: request.id }).await.unwrap();
    let start = StartTask {
        agent,
        purpose: "refund the broken kettle <b>now</b>".to_owned(),
        acting_for: Some(person(engine, "carla")),
        scope: Vec::new(),
        ttl_seconds: None,
        budget: None,
        parent: None,
        key: None,
    };
    let receipt = submit(Command::StartTask(Box::new(start))).await;
    let Some(Event::TaskStarted(started)) = receipt.events.first() else { panic!("not started: {receipt:?}") };
    (agent, started.task)
}
