//! A small realm on a real engine, for tests: a help desk agent, its owner, and a question that waits.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode};
use remit_domain::{
    Actor, AgentId, ApprovalId, Command, ConnectorId, ConnectorSpec, DataClass, Digest, Environment, Event, GrantId,
    OperationChoice, OperationName, Refusal, RequestAccess, TaskId, Verb,
};
use remit_engine::Engine;
use remit_people::{People, PeopleSettings};
use remit_review::{Standing, ToolSource};
use remit_testkit::{Authenticator, World as Realm, operation};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::session::Viewer;
use crate::{Console, router};

pub(crate) use remit_testkit::NOW;

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) agent: AgentId,
    pub(crate) task: TaskId,
    pub(crate) server: Arc<Server>,
    realm: Realm,
    console: Console,
}

/// What stands for every connector's server: it offers what a test says.
#[derive(Debug, Default)]
pub(crate) struct Server(pub(crate) Mutex<Vec<Value>>);

impl ToolSource for Server {
    fn definitions<'a>(&'a self, _: &'a ConnectorSpec) -> BoxFuture<'a, Result<Vec<Value>, Refusal>> {
        let offered = self.0.lock().unwrap().clone();
        Box::pin(std::future::ready(Ok(offered)))
    }

    fn standing(&self, _: ConnectorId) -> BoxFuture<'_, Standing> {
        let standard_error = vec!["it started <b>".to_owned(), "\u{1b}[2Jand stumbled".to_owned()];
        Box::pin(std::future::ready(Standing { standard_error }))
    }
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

    /// Whether anything on the page could run besides our two files, which it names by their addresses.
    pub(crate) fn has_foreign_script(&self) -> bool {
        let own = ["htmx", "console"].map(|name| format!("<script src=\"/assets/{name}.js?v="));
        let rest = own.iter().fold(self.body.clone(), |rest, own| rest.replacen(own, "", 1));
        rest.contains("<script")
    }

    /// What the first form that a passkey signs asks of the browser.
    pub(crate) fn options(&self) -> Value {
        serde_json::from_str(&self.attribute("data-options")).unwrap()
    }

    /// The text of the first attribute `name`, as a browser reads it.
    pub(crate) fn attribute(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!(" {name}=\"")).expect("no such attribute");
        let text = rest.split_once('"').unwrap().0;
        text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }
}

fn choice(tool: &str, verb: Verb, risk: u8, properties: &Value) -> OperationChoice {
    let mut choice = operation(tool, verb, risk, DataClass::D1, properties);
    let words = format!("the server's words about {tool} <script>alert('definition')</script>");
    choice.definition.document["description"] = json!(words);
    choice
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::at("http://remit.test").await
    }

    /// As [`World::new`], with a console that people open at `console_url`.
    pub(crate) async fn at(console_url: &str) -> Self {
        let realm = Realm::with(|options| options.segment_bytes = 1 << 16).await;
        let server = Arc::new(Server::default());
        let people = People::new(realm.engine.clone(), PeopleSettings::at(console_url)).unwrap();
        let console = Console::new(realm.engine.clone(), server.clone(), people).unwrap();
        let (agent, task) = set_up(&realm).await;
        Self { engine: realm.engine.clone(), agent, task, server, realm, console }
    }

    pub(crate) fn viewer(&self, name: &str) -> Viewer {
        Viewer {
            person: self.realm.person_named(name),
            name: name.to_owned(),
            method: remit_domain::SignInMethod::OneTimeLink,
            session: remit_domain::Moment::new(NOW, 7).fresh_id(),
            form_token: "form-token".to_owned(),
        }
    }

    /// The administrator who began the realm.
    pub(crate) fn root(&self) -> remit_domain::Actor {
        self.realm.root()
    }

    /// Adds the person `name`.
    pub(crate) async fn join(&self, name: &str, groups: &[&str]) {
        self.realm.person(name, groups).await;
    }

    /// The agent tries a refund with `arguments`, which asks for a person.
    pub(crate) async fn ask(&self, arguments: Value) -> ApprovalId {
        self.realm.call(self.task, "helpdesk/refund", arguments).await.asked()
    }

    /// The agent asks, in `task`, for the reading of the new connector `name`, which nothing was granted of.
    pub(crate) async fn wants(&self, task: TaskId, name: &str) -> GrantId {
        let spec = ConnectorSpec::Http { url: format!("http://127.0.0.1:1/{name}") };
        let read = choice("read", Verb::Read, 1, &json!({"id": {"type": "string"}}));
        self.realm.connector(name, spec, vec![read]).await;
        let ask = RequestAccess {
            task,
            operations: vec![OperationName::new(name, "read")],
            reason: "the order is <b>old</b>".to_owned(),
            ttl_seconds: None,
        };
        let itself = Actor::Agent { agent: self.agent, task: Some(task) };
        let receipt = self.realm.submit(&itself, Command::RequestAccess(Box::new(ask))).await;
        match receipt.events.first() {
            Some(Event::GrantRequested(request)) => request.id,
            other => panic!("{other:?}"),
        }
    }

    /// The agent calls `operation` with `arguments`.
    pub(crate) async fn call(&self, operation: &str, arguments: Value) -> remit_testkit::Answer {
        self.realm.call(self.task, operation, arguments).await
    }

    /// A code that signs `name` in.
    pub(crate) async fn code(&self, name: &str) -> String {
        let code = format!("signin_{name}_{}", self.engine.head());
        let offer = Command::OfferSignIn {
            person: self.realm.person_named(name),
            code: Digest::of_bytes(code.as_bytes()),
            ttl_seconds: 60,
        };
        self.realm.submit(&self.realm.root(), offer).await;
        code
    }

    /// Signs `name` in; the cookie that they have from then on.
    pub(crate) async fn sign_in(&self, name: &str) -> String {
        let code = self.code(name).await;
        let page = self.post("/sign-in", "", &[("code", &code)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        page.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    /// A passkey of a browser that is at the console.
    #[expect(clippy::unused_self, reason = "its place is the console of this world")]
    pub(crate) fn authenticator(&self) -> Authenticator {
        Authenticator::new("http://remit.test", "remit.test")
    }

    /// Enrols `passkey` for whoever has `cookie`.
    pub(crate) async fn enrol(&self, cookie: &str, passkey: &mut Authenticator) {
        let page = self.get("/passkeys", cookie).await;
        let credential = passkey.create(&page.options()).to_string();
        let (ceremony, token) = (page.field("ceremony"), page.field("form_token"));
        let fields = [
            ("form_token", token.as_str()),
            ("ceremony", &ceremony),
            ("credential", &credential),
            ("label", "laptop <b>"),
        ];
        let enrolled = self.post("/passkeys", cookie, &fields).await;
        assert_eq!(
            (enrolled.status, enrolled.header("location")),
            (StatusCode::SEE_OTHER, "/passkeys"),
            "{}",
            enrolled.body
        );
    }

    /// Signs in whoever has `passkey`; the cookie that they have from then on.
    pub(crate) async fn sign_in_with(&self, passkey: &mut Authenticator) -> String {
        let page = self.get("/sign-in", "").await;
        let credential = passkey.get(&page.options()).to_string();
        let fields = [("ceremony", page.field("ceremony")), ("credential", credential)];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = self.post("/sign-in/passkey", "", &fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        page.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(crate) fn pass_seconds(&self, seconds: u64) {
        self.realm.advance(seconds);
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
        Page::read(self.answer(request).await).await
    }

    /// The answer before anybody has read it: of a stream there is no end.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        router(self.console.clone()).oneshot(request).await.unwrap()
    }
}

/// People, an agent with a grant, and a task that acts for carla.
async fn set_up(realm: &Realm) -> (AgentId, TaskId) {
    for name in ["olga", "maria", "carla"] {
        realm.person(name, &[]).await;
    }
    let maria = realm.person_named("maria");
    let agent = realm.agent("support-bot", "olga", |profile| {
        profile.approvers = vec![maria];
        profile.data_classes = vec![DataClass::D1, DataClass::D2];
        profile.environment = Some(Environment::Test);
        profile.purpose = "answers customers <script>alert('purpose')</script>".to_owned();
    });
    let agent = agent.await;
    let text = json!({"type": "string"});
    let refund =
        json!({"order": text, "note": text, "amount": {"type": "integer"}, "tags": {"type": "array", "items": text}});
    let choices =
        vec![choice("lookup", Verb::Read, 0, &json!({"id": text})), choice("refund", Verb::Write, 3, &refund)];
    realm.connector("helpdesk", ConnectorSpec::Http { url: "http://127.0.0.1:1/mcp".to_owned() }, choices).await;
    realm.grant("support-bot", &["helpdesk/*"], 30 * 86_400).await;
    let carla = realm.person_named("carla");
    let task = realm.task_with("support-bot", |start| {
        start.purpose = "refund the broken kettle <b>now</b>".to_owned();
        start.acting_for = Some(carla);
    });
    (agent, task.await)
}
