mod configuration;
mod consent;
mod elsewhere;
mod exchange;
mod own;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use remit_domain::{
    Actor, AgentKey, Command, ConnectorId, ConnectorSpec, DataClass, Digest, Refusal, TaskId, Verb, WorkloadIdentity,
};
use remit_engine::SystemClock;
use remit_identity::assertion::{self, AssertionClaims};
use remit_identity::x509::PeerSvid;
use remit_identity::{SigningKey, SpiffeId, base64url, dpop, jwt_svid};
use remit_review::{Standing, ToolSource};
use remit_testkit::World;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::OAuthSettings;
use crate::{Api, Settings, router};

pub(super) const ISSUER: &str = "https://remit.test";
const JWT_SPIFFE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct NoTools;

impl ToolSource for NoTools {
    fn definitions<'a>(&'a self, _: &'a ConnectorSpec) -> BoxFuture<'a, Result<Vec<Value>, Refusal>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn standing(&self, _: ConnectorId) -> BoxFuture<'_, Standing> {
        async { Standing { standard_error: Vec::new() } }.boxed()
    }
}

/// A realm with the agents `triage` and `helper`, and the connectors `helpdesk` and `crm`.
pub(super) struct House {
    pub world: World,
    pub api: Api,
    router: Router,
    count: std::sync::atomic::AtomicU64,
}

/// One request to an endpoint.
#[derive(Default)]
pub(super) struct Ask<'a> {
    pub form: Vec<(&'a str, String)>,
    /// The key that the proof is made with.
    pub proof: Option<&'a SigningKey>,
    pub svid: Option<PeerSvid>,
}

impl House {
    pub async fn build() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(settle: impl FnOnce(&mut OAuthSettings)) -> Self {
        let world = World::with(|options| {
            options.clock = Arc::new(SystemClock);
            options.setup.issuer = ISSUER.to_owned();
        });
        let world = world.await;
        world.agent("triage", "root", |_| {}).await;
        world.agent("helper", "root", |_| {}).await;
        for connector in ["helpdesk", "crm"] {
            let spec = ConnectorSpec::Http { url: "http://localhost:1/mcp".to_owned() };
            let tool = |name| remit_testkit::operation(name, Verb::Read, 0, DataClass::D0, &json!({"amount": {}}));
            world.connector(connector, spec, vec![tool("read.one"), tool("read.all"), tool("close")]).await;
        }
        let mut settings = Settings::at(ISSUER, world.engine.audience());
        settings.oauth.dynamic_registration = true;
        settle(&mut settings.oauth);
        let people =
            remit_people::People::new(world.engine.clone(), remit_people::PeopleSettings::at(&settings.console_url))
                .unwrap();
        let api = Api::new(world.engine.clone(), Arc::new(NoTools), people, settings);
        let router = router(api.clone());
        Self { world, api, router, count: 0.into() }
    }

    pub fn gateway(&self) -> &str {
        self.world.engine.audience()
    }

    pub fn now(&self) -> i64 {
        self.world.engine.now().as_seconds()
    }

    pub fn fresh(&self) -> String {
        format!("jti-{}", self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }

    pub fn id(&self, agent: &str) -> String {
        self.world.engine.read(|state| state.agent_named(agent).unwrap().spiffe_id("remit.test"))
    }

    /// A key of `agent`'s own.
    pub async fn key(&self, agent: &str) -> SigningKey {
        let (key, _) = SigningKey::generate().unwrap();
        let code = Digest::of_bytes(self.fresh().as_bytes());
        let id = self.world.agent_named(agent);
        let offer = Command::OfferEnrolment { agent: id, code, ttl_seconds: 60 };
        self.world.submit(&self.world.root(), offer).await;
        let own = AgentKey { thumbprint: key.kid().to_owned(), jwk: key.public().to_value() };
        let enrol = Command::EnrolKey { agent: agent.to_owned(), code, key: own };
        self.world.submit(&Actor::Agent { agent: id, task: None }, enrol).await;
        key
    }

    /// Binds a program to `agent`, so that it has SVIDs of its own.
    pub async fn bind(&self, agent: &str) -> WorkloadIdentity {
        let workload = WorkloadIdentity::Local { selectors: vec![format!("unix:path:/usr/bin/{agent}")] };
        let bind = Command::BindWorkload { agent: self.world.agent_named(agent), workload: workload.clone() };
        self.world.submit(&self.world.root(), bind).await;
        workload
    }

    /// A JWT-SVID for the authorization server: of `agent`, or of a run of it.
    pub fn jwt_svid(&self, agent: &str, run: Option<&str>) -> String {
        let run = run.map(|run| format!("/run/{run}")).unwrap_or_default();
        let id = SpiffeId::parse(&format!("{}{run}", self.id(agent))).unwrap();
        jwt_svid::mint(&self.world.engine.keys(), &id, ISSUER, 60, self.now()).unwrap().token
    }

    pub fn assertion(&self, agent: &str, key: &SigningKey, audience: &str) -> String {
        let (iat, jti) = (self.now(), self.fresh());
        let claims = AssertionClaims { client: self.id(agent), aud: audience.to_owned(), exp: iat + 30, iat, jti };
        assertion::make(key, &claims).unwrap()
    }

    /// The parameters by which `agent` proves itself.
    pub fn by<'a>(&self, agent: &str, key: &SigningKey) -> Vec<(&'a str, String)> {
        let assertion = self.assertion(agent, key, ISSUER);
        vec![("client_assertion_type", JWT_BEARER.to_owned()), ("client_assertion", assertion)]
    }

    pub async fn post(&self, path: &str, ask: Ask<'_>) -> (StatusCode, Value) {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&ask.form).finish();
        let kind = "application/x-www-form-urlencoded";
        let mut request = Request::post(path).header(header::CONTENT_TYPE, kind).body(Body::from(form)).unwrap();
        if let Some(key) = ask.proof {
            let (address, jti) = (format!("{ISSUER}{path}"), self.fresh());
            let proof = dpop::make_proof(key, "POST", &address, self.now(), &jti, None).unwrap();
            request.headers_mut().insert("dpop", proof.parse().unwrap());
        }
        if let Some(svid) = ask.svid {
            request.extensions_mut().insert(svid);
        }
        let (status, _, body) = self.send(request).await;
        (status, body)
    }

    pub async fn token(&self, form: Vec<(&str, String)>, proof: Option<&SigningKey>) -> (StatusCode, Value) {
        self.post("/oauth/token", Ask { form, proof, svid: None }).await
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Option<String>, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let location = response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, location, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Option<String>, Value) {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// What the authorization server says of `token` to the agent `triage`.
    pub async fn introspect(&self, token: &str, key: &SigningKey) -> Value {
        let mut form = self.by("triage", key);
        form.push(("token", token.to_owned()));
        let (status, body) = self.post("/oauth/introspect", Ask { form, ..Ask::default() }).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }
}

/// What a token says.
pub(super) fn claims(answer: &Value) -> Value {
    let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_slice(&base64url::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The task of a token.
pub(super) fn task_of(answer: &Value) -> TaskId {
    claims(answer)["task"].as_str().unwrap().parse().unwrap()
}

pub(super) fn form<'a>(pairs: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// `one` followed by `other`.
pub(super) fn both<'a>(mut one: Vec<(&'a str, String)>, other: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    one.extend(form(other));
    one
}
