//! The bridge under fire: whole requests through a gateway in this process, to servers that answer what they please. What has to hold
//! whatever is said is asserted; the input of one run is a string of choices.

pub mod choices;
mod client;
mod judge;
mod server;
mod story;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use remit_domain::{Command, ConnectorSpec, DataClass, Definition, Feature, OperationChoice, TaskId, Verb};
use remit_engine::SystemClock;
use remit_gateway::{Gateway, Settings, Upstreams};
use remit_testkit::World as Realm;
use serde_json::json;

use choices::Choices;
use server::Server;

/// Longest that one run may take.
const RUN_SECONDS_MAX: u64 = 20;

/// A gateway with two servers behind it: `old` begins with a handshake, `new` speaks 2026-07-28.
pub struct Bridge {
    realm: Realm,
    gateway: Arc<Gateway>,
    router: Router,
    server: Arc<Server>,
    task: TaskId,
    token: String,
    /// A session of the client's, for the older generations.
    session: String,
    runs: usize,
}

impl Bridge {
    pub async fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut settings = Settings::at("http://127.0.0.1:7480", "http://127.0.0.1:7470");
        settings.hold_seconds = 0;
        settings.call_seconds_max = 2;
        let audience = settings.audience.clone();
        let realm = Realm::with(|options| {
            options.clock = Arc::new(SystemClock);
            options.audience = audience;
        })
        .await;
        let (server, address) = Server::start(realm.engine.clone()).await;
        let upstreams = Upstreams::new(realm.engine.clone()).unwrap();
        let gateway = Gateway::new(realm.engine.clone(), upstreams, settings);
        let router = gateway.router();
        realm.person("ada", &[]).await;
        realm.agent("triage", "ada", |_| {}).await;
        for name in ["old", "new"] {
            realm.connector(name, ConnectorSpec::Http { url: format!("{address}/{name}") }, choices_of()).await;
        }
        let granted = ["old", "new"].map(|name| offered().map(move |(tool, _)| format!("{name}/{tool}")));
        let granted: Vec<String> = granted.into_iter().flatten().filter(|name| !name.ends_with("/secret")).collect();
        realm.grant("triage", &granted.iter().map(String::as_str).collect::<Vec<_>>(), 86_000).await;
        let task = realm.task("triage").await;
        let token = realm.token(task).await;
        let mut bridge = Self { realm, gateway, router, server, task, token, session: String::new(), runs: 0 };
        bridge.session = bridge.begin().await;
        bridge
    }

    /// How many runs it has behind it.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// How many of the decisions that they led to came to a server.
    pub fn reached(&self) -> usize {
        self.server.reached()
    }

    /// Takes one input through.
    pub async fn run(&mut self, input: &[u8]) {
        self.runs += 1;
        if self.runs.is_multiple_of(500) {
            // Tokens and sessions end.
            self.token = self.realm.token(self.task).await;
        }
        let mut choices = Choices::of(input);
        self.server.expect(story::answers(&mut choices));
        let told = tokio::time::timeout(Duration::from_secs(RUN_SECONDS_MAX), self.tell(&mut choices)).await;
        assert!(told.is_ok(), "nothing ended within {RUN_SECONDS_MAX} seconds");
        self.server.judge();
    }

    /// Ends it; what is under way gets its time.
    pub async fn close(self) {
        self.gateway.close().await;
        self.server.judge();
        self.realm.submit(&self.realm.root(), Command::EndTask { task: self.task, note: String::new() }).await;
    }
}

/// What a server offers: its tools and features, and how risky each is.
fn offered() -> impl Iterator<Item = (&'static str, u8)> {
    let features = Feature::all().into_iter().filter(|feature| *feature != Feature::Logging);
    [("echo", 0), ("refund", 3), ("secret", 0)].into_iter().chain(features.map(|feature| (feature.name(), 0)))
}

fn choices_of() -> Vec<OperationChoice> {
    let choices = offered().map(|(tool, risk)| OperationChoice {
        irreversible: false,
        tool: tool.to_owned(),
        verb: if risk > 0 { Verb::Write } else { Verb::Read },
        risk,
        data: if risk > 0 { DataClass::D1 } else { DataClass::D0 },
        external: false,
        projections: Vec::new(),
        definition: match Feature::of_tool(tool) {
            Some(feature) => feature.definition(),
            None => Definition { document: server::tool(tool) },
        },
    });
    choices.collect()
}

/// What a client of these runs can do.
fn capabilities() -> serde_json::Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}})
}
