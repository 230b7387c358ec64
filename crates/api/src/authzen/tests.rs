use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use remit_domain::{Command, Edit, PolicyEdit, TaskId};
use remit_review::{Standing, ToolSource};
use remit_testkit::World;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

use crate::{Api, Peer, Settings, router};

mod admission;
mod agents;
mod asking;
mod callers;
mod pages;
mod people;
mod vectors;

const CONSOLE: &str = "http://127.0.0.1:7471";

/// No server of tools is behind what is enforced elsewhere.
struct Nothing;

impl ToolSource for Nothing {
    fn definitions<'a>(
        &'a self,
        _: &'a remit_domain::ConnectorSpec,
    ) -> futures_util::future::BoxFuture<'a, Result<Vec<Value>, remit_domain::Refusal>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn standing(&self, _: remit_domain::ConnectorId) -> futures_util::future::BoxFuture<'_, Standing> {
        Box::pin(async { Standing { standard_error: Vec::new() } })
    }
}

/// A realm with one of the fixtures, and an agent that enforces what it is told.
struct House {
    world: World,
    api: Api,
    router: Router,
    task: TaskId,
    token: String,
}

/// What came back.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answered {
    /// The yes or no, of an answer that has one.
    #[track_caller]
    fn decision(&self) -> bool {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body["decision"].as_bool().unwrap()
    }

    fn reason(&self) -> &str {
        self.body["context"]["reason"].as_str().unwrap_or_default()
    }
}

fn read(path: &str) -> Value {
    let path = format!("{}/../../tests/authzen/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

impl House {
    /// `fixture` is a name in `tests/authzen/fixtures`.
    async fn of(fixture: &str) -> Self {
        Self::with(fixture, |_| {}).await
    }

    /// The same, with an API that is set up as `settle` says.
    async fn with(fixture: &str, settle: impl FnOnce(&mut Settings)) -> Self {
        let world = World::new().await;
        let mut settings = Settings::at(CONSOLE, "http://127.0.0.1:7470/mcp");
        settle(&mut settings);
        let people =
            remit_people::People::new(world.engine.clone(), remit_people::PeopleSettings::at(&settings.console_url))
                .unwrap();
        let api = Api::new(world.engine.clone(), Arc::new(Nothing), people, settings);
        let router = router(api.clone());
        world.person("ana", &[]).await;
        world.person("ben", &["finance"]).await;
        world.agent("enforcer", "ana", |profile| profile.enforcer = true).await;
        let fixture = read(&format!("fixtures/{fixture}.json"));
        for connector in fixture["connectors"].as_array().unwrap() {
            let name = connector["add"]["name"].as_str().unwrap();
            administer(&router, "/v1/connectors", &connector["add"]).await;
            let choices = json!({"choices": connector["choices"]});
            administer(&router, &format!("/v1/connectors/{name}/approve-tools"), &choices).await;
            world.grant("enforcer", &[&format!("{name}/*")], 3_600).await;
        }
        let policies = fixture["policies"].as_array().unwrap().iter();
        let edits = policies.map(|policy| Edit::Policy(serde_json::from_value::<PolicyEdit>(policy.clone()).unwrap()));
        let propose = Command::ProposeChange { edits: edits.collect(), reason: "vectors".to_owned(), revert_of: None };
        world.submit(&world.root(), propose).await;
        let task = world.task("enforcer").await;
        let token = world.token(task).await;
        Self { world, api, router, task, token }
    }

    async fn ask(&self, path: &str, body: &Value) -> Answered {
        send(&self.router, post(path, &self.token, body)).await
    }

    async fn evaluate(&self, body: &Value) -> Answered {
        self.ask("/access/v1/evaluation", body).await
    }

    async fn get(&self, path: &str) -> Answered {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        send(&self.router, request.body(Body::empty()).unwrap()).await
    }
}

/// As the administrator, on the machine itself.
async fn administered(router: &Router, path: &str, body: &Value) -> Answered {
    let mut request = post(path, "", body);
    request.headers_mut().remove(header::AUTHORIZATION);
    request.extensions_mut().insert(Peer::Socket { uid: 0, pid: None });
    send(router, request).await
}

async fn administer(router: &Router, path: &str, body: &Value) {
    let answered = administered(router, path, body).await;
    assert_eq!(answered.status, StatusCode::OK, "{path}: {}", answered.body);
}

fn post(path: &str, token: &str, body: &Value) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(body.to_string()))
        .unwrap()
}

async fn send(router: &Router, request: Request<Body>) -> Answered {
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    Answered { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

/// A question about one action.
fn question(subject: &str, action: Value, resource: (&str, &str)) -> Value {
    json!({
        "subject": {"type": "user", "id": subject},
        "action": action,
        "resource": {"type": resource.0, "id": resource.1},
    })
}
