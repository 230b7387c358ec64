//! What the matrix asks about: one of everything that an address can name, and everybody who asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use http::{Request, header};
use remit_domain::{
    Actor, AgentKey, Command, ConnectorSpec, CredentialKind, DataClass, Digest, Event, GrantId, OperationName,
    ReportSharing, RequestAccess, StartTask, TaskId, Verb,
};
use remit_identity::SigningKey;
use remit_identity::assertion::{self, AssertionClaims};
use remit_testkit::operation;
use serde_json::{Value, json};

use super::rows::Row;
use crate::router::tests::{House, ISSUER, plain};

const MONTH_SECONDS: u64 = 30 * 24 * 3600;

/// A realm with one of everything.
pub(super) struct Estate {
    pub house: House,
    /// What stands for `$name` in the rows.
    names: BTreeMap<&'static str, String>,
    /// Tokens of sessions by asker, and that of a task for the agent.
    tokens: BTreeMap<&'static str, String>,
    key: SigningKey,
    client: String,
    count: AtomicU64,
}

/// Who asks, and in which group they are. `olga` owns `triage`, and `amir` is named there; `leo` is nobody who asks.
const PEOPLE: [(&str, &str, &[&str]); 8] = [
    ("member", "mia", &[]),
    ("content-reader", "carl", &["content-readers"]),
    ("auditor", "aida", &["auditors"]),
    ("reviewer", "rita", &["reviewers"]),
    ("approver", "amir", &[]),
    ("owner", "olga", &[]),
    ("administrator", "ada", &["administrators"]),
    ("leo", "leo", &[]),
];

impl Estate {
    pub(super) async fn build() -> Self {
        let house = House::build().await;
        let (key, _) = SigningKey::generate().unwrap();
        let mut estate = Self {
            house,
            names: BTreeMap::new(),
            tokens: BTreeMap::new(),
            key,
            client: String::new(),
            count: AtomicU64::new(0),
        };
        for (_, name, groups) in PEOPLE.iter().filter(|(_, name, _)| *name != "ada") {
            estate.house.world.person(name, groups).await;
        }
        estate.agents().await;
        estate.work().await;
        estate.things().await;
        estate.changes().await;
        for (asker, name, _) in PEOPLE {
            let token = estate.house.sign_in(name).await;
            estate.tokens.insert(asker, token);
        }
        let leo = estate.house.world.person_named("leo");
        let session = estate.house.world.engine.read(|state| {
            state.sessions.values().find(|session| session.person == leo).map(|session| session.id.to_string())
        });
        estate.names.insert("session", session.unwrap());
        estate
    }

    /// `triage`, which has a key and enforces; `draft`, which is not active yet; `asleep`, which was suspended; and `clerk`.
    async fn agents(&mut self) {
        let amir = self.house.world.person_named("amir");
        let agent = self.house.world.agent("triage", "olga", |profile| {
            profile.approvers = vec![amir];
            profile.enforcer = true;
        });
        let agent = agent.await;
        let profile = json!({
            "owner": "olga", "approvers": ["amir"], "purpose": "answers tickets", "class": "act", "autonomy": 3,
            "data_classes": ["D0", "D1"], "environment": "production", "review_in_seconds": MONTH_SECONDS,
        });
        for name in ["draft", "asleep"] {
            self.house.ok("POST", "/v1/agents", json!({"name": name, "profile": profile})).await;
        }
        self.house.ok("POST", "/v1/agents/asleep/activate", Value::Null).await;
        self.house.ok("POST", "/v1/agents/asleep/suspend", json!({"reason": "a look at it"})).await;
        // So harmless that it may share a secret.
        let clerk = self.house.world.agent("clerk", "olga", |profile| {
            profile.autonomy = Some(1);
            profile.data_classes = vec![DataClass::D0];
        });
        clerk.await;
        let root = self.house.world.root();
        let code = Digest::of_bytes(b"code");
        self.house.world.submit(&root, Command::OfferEnrolment { agent, code, ttl_seconds: 60 }).await;
        let public = self.key.public();
        let key = AgentKey { thumbprint: public.thumbprint(), jwk: public.to_value() };
        self.names.insert("thumbprint", key.thumbprint.clone());
        let itself = Actor::Agent { agent, task: None };
        self.house.world.submit(&itself, Command::EnrolKey { agent: "triage".to_owned(), code, key }).await;
        self.client = self.house.world.engine.read(|state| {
            let domain = state.realm.as_ref().unwrap().trust_domain.clone();
            state.agent(agent).unwrap().spiffe_id(&domain)
        });
    }

    /// A connector, a grant and a request for one, tasks, a question that waits, and a finding.
    async fn work(&mut self) {
        let world = &self.house.world;
        let tools = vec![
            operation("lookup", Verb::Read, 0, DataClass::D1, &json!({"id": {"type": "string"}})),
            operation("refund", Verb::Write, 3, DataClass::D1, &json!({"id": {"type": "string"}})),
        ];
        world.connector("helpdesk", ConnectorSpec::Http { url: "http://helpdesk/mcp".to_owned() }, tools).await;
        let grant = world.grant("triage", &["helpdesk/*"], MONTH_SECONDS).await;
        let ask = json!({"agent": "triage", "operations": ["helpdesk/*"], "reason": "more", "ttl_seconds": 3600});
        let asked = self.house.ok("POST", "/v1/grants", ask).await["id"].as_str().unwrap().to_owned();
        let leo = world.person_named("leo");
        let task = world.task_with("triage", |start| start.acting_for = Some(leo)).await;
        let run = world.engine.read(|state| state.task(task).unwrap().run);
        let wanted = self.wanted(task).await;
        let (answer, content) = world.attempt(task, "helpdesk/refund", json!({"id": "7"})).await;
        let approval = answer.asked();
        let digest = world.engine.read(|state| state.approval(approval).unwrap().digest);
        let ended = world.task("triage").await;
        world.submit(&world.root(), Command::EndTask { task: ended, note: String::new() }).await;
        let end = world.engine.head() - 1;
        let own = self.own_task().await;
        let report = ReportSharing {
            credential: Digest::of_bytes(b"token"),
            kind: CredentialKind::Token,
            agent: world.agent_named("triage"),
            task: Some(task),
            parties: vec!["one".to_owned(), "two".to_owned()],
        };
        let receipt = world.submit(&Actor::Remit, Command::ReportSharing(Box::new(report))).await;
        let Some(Event::FindingOpened(finding)) = receipt.events.first() else { panic!("{receipt:?}") };
        let token = world.token(task).await;
        self.tokens.insert("agent", token);
        self.names.extend([
            ("grant", grant.to_string()),
            ("asked", asked),
            ("task", task.to_string()),
            ("wanted", wanted.to_string()),
            ("run", run.to_string()),
            ("content", content.commitment.to_string()),
            ("approval", approval.to_string()),
            ("digest", digest.to_string()),
            ("ended", ended.to_string()),
            ("end", end.to_string()),
            ("own", own.to_string()),
            ("finding", finding.finding.to_string()),
        ]);
    }

    /// What `triage` asks for in `task`, of a connector that it has no grant for.
    async fn wanted(&self, task: TaskId) -> GrantId {
        let world = &self.house.world;
        let tool = |name| operation(name, Verb::Read, 0, DataClass::D1, &json!({"id": {"type": "string"}}));
        let spec = ConnectorSpec::Http { url: "http://archive/mcp".to_owned() };
        world.connector("archive", spec, vec![tool("read"), tool("find")]).await;
        let ask = RequestAccess {
            task,
            operations: vec![OperationName::new("archive", "find")],
            reason: "the ticket names an old order".to_owned(),
            ttl_seconds: None,
        };
        let itself = Actor::Agent { agent: world.agent_named("triage"), task: Some(task) };
        let receipt = world.submit(&itself, Command::RequestAccess(Box::new(ask))).await;
        let Some(Event::GrantRequested(request)) = receipt.events.first() else { panic!("{receipt:?}") };
        request.id
    }

    /// A task that `triage` started with its own key.
    async fn own_task(&self) -> TaskId {
        let world = &self.house.world;
        let agent = world.agent_named("triage");
        let start = StartTask {
            configuration: None,
            agent,
            purpose: "its own work".to_owned(),
            acting_for: None,
            scope: Vec::new(),
            ttl_seconds: None,
            budget: None,
            parent: None,
            key: self.names.get("thumbprint").cloned(),
            authority: Vec::new(),
            delegation: None,
        };
        let itself = Actor::Agent { agent, task: None };
        let receipt = world.submit(&itself, Command::StartTask(Box::new(start))).await;
        let Some(Event::TaskStarted(started)) = receipt.events.first() else { panic!("{receipt:?}") };
        started.task
    }

    /// A legacy account, a client, a running program, a key of the realm, and what a server offers.
    async fn things(&mut self) {
        let account = json!({
            "name": "cron", "workflows": {"nightly": "clerk"}, "due_in_seconds": MONTH_SECONDS, "reason": "until it can",
        });
        self.house.ok("POST", "/v1/legacy-accounts", account).await;
        let client = json!({"name": "notes", "redirect_uris": ["https://notes.example/back"]});
        self.house.ok("POST", "/v1/clients", client).await;
        let local = json!({"kind": "local", "selectors": ["unix:uid:1001"]});
        self.house.ok("POST", "/v1/agents/triage/workloads", local).await;
        let keys = self.house.ok("GET", "/v1/keys", Value::Null).await;
        self.names.insert("key", keys["all"][0]["key"].as_str().unwrap().to_owned());
        self.names.insert("realm", keys["realm"].as_str().unwrap().to_owned());
        let tools = self.house.ok("GET", "/v1/connectors/helpdesk/tools", Value::Null).await;
        let read = tools["items"].as_array().unwrap().iter().find(|tool| tool["tool"] == "read_ticket").unwrap();
        self.names.insert("offered", read["digest"].as_str().unwrap().to_owned());
    }

    /// A second administrator, `ben`, and what he proposed: one waits, one was approved, and one was an emergency.
    async fn changes(&mut self) {
        self.house.world.person("ben", &["administrators"]).await;
        let ben = self.house.sign_in("ben").await;
        for (name, path) in
            [("applied", "/v1/changes"), ("emergency", "/v1/changes/emergency"), ("change", "/v1/changes")]
        {
            let text = format!(
                "@id(\"{name}\") @reason(\"a test\") forbid (principal, action, resource) when {{ resource.risk > 3 }};"
            );
            let edit = json!({"artefact": "policy", "name": name, "text": text});
            let (status, made) =
                self.house.bearer("POST", path, &ben, json!({"edits": [edit], "reason": "tries"})).await;
            assert!(status.is_success(), "{path}: {made}");
            self.names.insert(name, made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned());
            if name == "applied" {
                let path = format!("/v1/changes/{}/approve", self.names["applied"]);
                self.house.ok("POST", &path, Value::Null).await;
            }
        }
    }

    /// What `asker` sends for `row`.
    pub(super) fn request(&self, row: &Row, asker: &str) -> Request<Body> {
        let body: Value = match row.body {
            "" => Value::Null,
            body => serde_json::from_str(&self.filled(body)).unwrap(),
        };
        let mut request = plain(&row.method.to_uppercase(), &self.filled(&row.asked()), &body);
        let token = match asker {
            "enrolled" => Some(self.assertion()),
            asker => self.tokens.get(asker).cloned(),
        };
        if let Some(token) = token {
            request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        request
    }

    /// The session's token of `asker`.
    pub(super) fn token(&self, asker: &str) -> &str {
        &self.tokens[asker]
    }

    /// `text` with what each `$name` stands for.
    pub(super) fn filled(&self, text: &str) -> String {
        // Longer names first, since one may begin another.
        self.names.iter().rev().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
    }

    /// Proof of the agent's key, for one use.
    fn assertion(&self) -> String {
        let now = self.house.world.engine.now().as_seconds();
        let claims = AssertionClaims {
            client: self.client.clone(),
            aud: ISSUER.to_owned(),
            exp: now + 30,
            iat: now,
            jti: self.count.fetch_add(1, Ordering::Relaxed).to_string(),
        };
        assertion::make(&self.key, &claims).unwrap()
    }
}
