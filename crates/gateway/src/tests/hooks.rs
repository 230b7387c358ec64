//! Gateways of others, with clients of their own protocols: what they are answered, and what is on record of it.

use std::collections::HashMap;
use std::net::SocketAddr;

use http::StatusCode;
use prost_types::value::Kind;
use prost_types::{Struct, Value as Field};
use remit_domain::{ActionFacts, AgentId, Command, ConnectorSpec, DataClass, Digest, Event, Thing, Verb};
use remit_testkit::operation;
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Request};

use super::world::World;
use crate::hooks::proto::agentgateway::dev::ext_mcp::ext_mcp_client::ExtMcpClient;
use crate::hooks::proto::agentgateway::dev::ext_mcp::{
    AuthorizationError, McpHeader, McpRequest, McpRequestResult, McpResponse, authorization_error, mcp_request_result,
    mcp_response_result,
};
use crate::hooks::proto::envoy::service::auth::v3::attribute_context::{HttpRequest, Request as Reported};
use crate::hooks::proto::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use crate::hooks::proto::envoy::service::auth::v3::check_response::HttpResponse;
use crate::hooks::proto::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};

mod acting;
mod ext_mcp;

/// A world with a gateway of others, `front`, in front of the orders and of the desk.
struct Front {
    world: World,
    channel: Channel,
    /// The token of `front` itself.
    token: String,
    front: AgentId,
}

/// An answer to Envoy.
#[derive(Debug)]
struct Checked {
    status: u16,
    code: Code,
    headers: HashMap<String, String>,
    /// Headers of the client that do not go on.
    removed: Vec<String>,
    problem: Value,
}

impl Checked {
    fn decision(&self) -> &str {
        self.headers.get("remit-decision").map_or("", String::as_str)
    }

    fn refused(&self) -> (u16, &str) {
        assert_eq!(self.headers.get("content-type").map(String::as_str), Some("application/problem+json"));
        (self.status, self.problem["code"].as_str().unwrap_or_default())
    }
}

fn orders() -> ConnectorSpec {
    let known = json!({"region": "eu"}).as_object().cloned().unwrap();
    let resources = vec![Thing { id: "/orders/7".to_owned(), properties: known }];
    ConnectorSpec::Elsewhere { subjects: Vec::new(), resources, trusts_properties: false }
}

/// Where `front` lets clients in: a request to the orders.
fn request(method: &str, path: &str) -> HttpRequest {
    HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        host: "orders".to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        ..HttpRequest::default()
    }
}

fn with_body(mut http: HttpRequest, body: &Value) -> HttpRequest {
    let body = body.to_string();
    http.headers.insert("content-type".to_owned(), "application/json".to_owned());
    http.headers.insert("content-length".to_owned(), body.len().to_string());
    http.raw_body = body.into_bytes();
    http
}

/// A message to the desk.
fn message(method: &str, params: Value) -> HttpRequest {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    HttpRequest { host: "desk".to_owned(), ..with_body(request("POST", "/mcp"), &body) }
}

impl Front {
    async fn new() -> Self {
        let world = World::new().await;
        let front = world.agent("front", "ada", |profile| {
            profile.purpose = "lets clients in".to_owned();
            profile.enforcer = true;
        });
        let front = front.await;
        let properties = json!({
            "subject": {"type": "object", "properties": {"id": {"type": "string"}}},
            "resource": {"type": "object", "properties": {"id": {"type": "string"}, "region": {"type": "string"}}},
            "context": {"type": "object", "properties": {"body": {"type": "object", "properties": {"amount": {"type": "integer"}}}}},
        });
        let choices = vec![
            operation("GET", Verb::Read, 0, DataClass::D0, &json!({"resource": properties["resource"]})),
            operation("POST", Verb::Write, 3, DataClass::D1, &properties),
            operation("PUT", Verb::Write, 3, DataClass::D1, &json!({"resource": properties["resource"]})),
        ];
        world.connector("orders", orders(), choices).await;
        for agent in ["triage", "front"] {
            world.grant(agent, &["orders/GET", "orders/POST", "orders/PUT"], 3_600).await;
        }
        let token = world.token(world.task("front").await).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = world.gateway.hooks_router().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
        Self { world, channel, token, front }
    }

    fn asking<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        request
    }

    /// As a configuration asks that calls the requests of nobody `front`'s own, of a filter that sends whole bodies.
    async fn check(&self, http: HttpRequest) -> Checked {
        let own = |attributes: &mut AttributeContext| {
            naming("front")(attributes);
            attributes.context_extensions.insert("bodies".to_owned(), "whole".to_owned());
        };
        self.check_as(http, own).await
    }

    /// As a configuration asks that names a connector for each host, and nobody who acts.
    async fn check_as(&self, http: HttpRequest, say: impl FnOnce(&mut AttributeContext)) -> Checked {
        let mut attributes = AttributeContext {
            context_extensions: [("connector".to_owned(), http.host.clone())].into(),
            request: Some(Reported { http: Some(http) }),
            ..AttributeContext::default()
        };
        say(&mut attributes);
        let asked = self.asking(CheckRequest { attributes: Some(attributes) });
        let answer = AuthorizationClient::new(self.channel.clone()).check(asked).await.unwrap();
        let CheckResponse { status, http_response } = answer.into_inner();
        let (status, headers, removed, body) = match (status.unwrap().code, http_response.unwrap()) {
            (0, HttpResponse::OkResponse(ok)) => (200, ok.headers, ok.headers_to_remove, String::new()),
            (code, HttpResponse::DeniedResponse(denied)) if code != 0 => {
                (denied.status.unwrap().code, denied.headers, Vec::new(), denied.body)
            }
            (code, other) => panic!("{code} does not fit {other:?}"),
        };
        let headers = headers.into_iter().map(|option| {
            assert_eq!(option.append_action, 2, "never beside what a client says under that name");
            let header = option.header.unwrap();
            (header.key, header.value)
        });
        let problem: Value = serde_json::from_str(&body).unwrap_or_default();
        let code = problem["status"].as_u64().map_or(Code::Ok, |_| Code::PermissionDenied);
        Checked { status: u16::try_from(status).unwrap(), code, headers: headers.collect(), removed, problem }
    }

    async fn ask(&self, method: &str, params: Value, say: impl FnOnce(&mut McpRequest)) -> McpRequestResult {
        let mut request = McpRequest {
            service_names: vec!["desk".to_owned()],
            method: method.to_owned(),
            mcp_request: Some(params.to_string().into_bytes()),
            ..McpRequest::default()
        };
        say(&mut request);
        ExtMcpClient::new(self.channel.clone()).check_request(self.asking(request)).await.unwrap().into_inner()
    }

    async fn look(
        &self,
        method: &str,
        result: &Value,
        say: impl FnOnce(&mut McpResponse),
    ) -> mcp_response_result::Result {
        let mut response = McpResponse {
            service_names: vec!["desk".to_owned()],
            method: method.to_owned(),
            mcp_response: result.to_string().into_bytes(),
            ..McpResponse::default()
        };
        say(&mut response);
        let asked = self.asking(response);
        ExtMcpClient::new(self.channel.clone()).check_response(asked).await.unwrap().into_inner().result.unwrap()
    }

    /// The facts of the last decision on record.
    async fn decided(&self) -> ActionFacts {
        let records = self.world.records().await;
        let facts = records.iter().rev().find_map(|committed| match &committed.record.event {
            Event::ActionAllowed(allowed) => Some(allowed.facts.clone()),
            Event::ActionDenied(denied) => Some(denied.facts.clone()),
            Event::ApprovalRequested(requested) => Some(requested.facts.clone()),
            _ => None,
        });
        facts.unwrap()
    }

    fn spiffe_id(&self, agent: &str) -> String {
        self.world
            .engine
            .read(|state| state.agent_named(agent).unwrap().spiffe_id(&state.realm.as_ref().unwrap().trust_domain))
    }

    fn client(&self) -> McpHeader {
        let value = format!("Bearer {}", self.world.token).into_bytes();
        McpHeader { key: "authorization".to_owned(), value }
    }
}

/// Says in Envoy's configuration that `agent` acts.
fn naming(agent: &str) -> impl FnOnce(&mut AttributeContext) {
    move |attributes| drop(attributes.context_extensions.insert("agent".to_owned(), agent.to_owned()))
}

/// Says in agentgateway's configuration that what it asks about is its own.
fn own(request: &mut McpRequest) {
    request.metadata_context = metadata(&[("agent", "front")]);
}

fn metadata(members: &[(&str, &str)]) -> Option<Struct> {
    let field = |value: &str| Field { kind: Some(Kind::StringValue(value.to_owned())) };
    Some(Struct { fields: members.iter().map(|(name, value)| ((*name).to_owned(), field(value))).collect() })
}

fn error(result: McpRequestResult) -> (AuthorizationError, Value) {
    match result.result.unwrap() {
        mcp_request_result::Result::Error(error) => {
            let data = serde_json::from_slice(error.mcp_error.as_deref().unwrap()).unwrap();
            (error, data)
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_a_request_is_to_is_what_the_configuration_says() {
    let front = Front::new().await;
    let unnamed = front.check_as(request("GET", "/orders/7"), |attributes| {
        naming("front")(attributes);
        attributes.context_extensions.remove("connector");
    });
    let unnamed = unnamed.await;
    assert_eq!(unnamed.refused(), (403, "connector_unnamed"));
    assert!(unnamed.problem["help"].as_str().unwrap().contains("context_extensions"));
}

#[tokio::test]
async fn a_request_is_decided_as_its_method_on_its_path_and_nothing_is_awaited() {
    let front = Front::new().await;
    let checked = front.check(request("GET", "/orders/7?full=1")).await;
    assert_eq!((checked.status, checked.code), (200, Code::Ok));
    assert_eq!(checked.headers.len(), 1, "nothing else is added: {checked:?}");
    assert!(checked.removed.is_empty(), "Envoy would remove what it has just set in place of the client's");
    let facts = front.decided().await;
    assert_eq!(
        (facts.operation.as_str(), facts.agent, facts.enforcer, facts.named),
        ("orders/GET", front.front, Some(front.front), None)
    );
    let arguments = front.world.engine.content(&facts.arguments, facts.task).await.unwrap().unwrap();
    assert_eq!(arguments, br#"{"resource":{"id":"/orders/7","region":"eu"}}"#);
    assert!(checked.decision().starts_with("act_"));
    assert!(front.world.engine.read(|state| state.actions.is_empty()), "no outcome is awaited");
}

#[tokio::test]
async fn what_is_looked_through_takes_room_as_what_is_decided() {
    let front = Front::new().await;
    front.world.grant("front", &["desk/echo"], 3_600).await;
    let greeting = || message("initialize", json!({"protocolVersion": "2025-11-25"}));
    let page = json!({"tools": [{"name": "echo"}]});
    let list =
        || front.look("tools/list", &page, |response| response.metadata_context = metadata(&[("agent", "front")]));
    let places: Vec<_> = std::iter::from_fn(|| front.world.gateway.room.enter(front.front)).collect();
    for http in [greeting(), message("tools/call", json!({"name": "echo", "arguments": {}}))] {
        assert_eq!(front.check(http).await.refused(), (503, "overloaded"));
    }
    match list().await {
        mcp_response_result::Result::Error(error) => {
            assert_eq!(error.code(), authorization_error::Code::ResourceExhausted);
        }
        other => panic!("{other:?}"),
    }
    drop(places);
    assert_eq!(front.check(greeting()).await.status, 200);
    assert!(!matches!(list().await, mcp_response_result::Result::Error(_)));
}

#[tokio::test]
async fn what_nobody_approved_or_could_read_is_denied_with_a_sentence() {
    let front = Front::new().await;
    let unknown = front.check(request("DELETE", "/orders/7")).await;
    assert_eq!(unknown.refused(), (403, "operation_unknown"));
    assert!(unknown.problem["detail"].is_string() && unknown.problem["decision_id"] == unknown.decision());
    let elsewhere = HttpRequest { host: "nowhere.example".to_owned(), ..request("GET", "/orders/7") };
    assert_eq!(front.check(elsewhere).await.refused(), (403, "operation_unknown"));
    assert_eq!(front.check(request("GET", "/orders/../admin")).await.refused(), (403, "path_ambiguous"));
    let cut =
        HttpRequest { headers: [("content-length".to_owned(), "9".to_owned())].into(), ..request("POST", "/orders") };
    assert_eq!(front.check(cut.clone()).await.refused(), (403, "body_unknown"));
    // Where no rule could look at it, it does not matter.
    assert_eq!(front.check(HttpRequest { method: "GET".to_owned(), ..cut }).await.status, 200);
}

#[tokio::test]
async fn what_a_person_has_to_approve_is_denied_until_they_have_and_then_let_on_once() {
    let front = Front::new().await;
    let post = |amount: u32| with_body(request("POST", "/orders/7"), &json!({"amount": amount, "note": "x"}));
    let first = front.check(post(5)).await;
    assert_eq!(first.refused(), (403, "approval_required"));
    assert_eq!((&first.problem["retry_after"], first.headers["retry-after"].as_str()), (&json!(5), "5"));
    let approval = first.problem["approval"].as_str().unwrap().to_owned();
    let again = front.check(post(5)).await;
    assert_eq!(
        (again.refused(), again.problem["approval"].as_str()),
        ((403, "approval_required"), Some(approval.as_str()))
    );
    front.world.approve(front.world.question().await).await;
    assert_eq!(front.check(post(6)).await.refused(), (403, "approval_required"), "another amount is another action");
    let granted = front.check(post(5)).await;
    assert_eq!((granted.status, granted.headers.len()), (200, 1));
    assert_eq!(front.check(post(5)).await.refused(), (403, "approval_required"), "once is once");
    let facts = front.decided().await;
    let arguments = front.world.engine.content(&facts.arguments, facts.task).await.unwrap().unwrap();
    let arguments: Value = serde_json::from_slice(&arguments).unwrap();
    assert_eq!(arguments["context"], json!({"body": {"amount": 5}}));
}

#[tokio::test]
async fn an_approval_is_for_the_host_the_query_and_the_body_whatever_the_schema_names() {
    let front = Front::new().await;
    let put = |path: &str, note: &str| with_body(request("PUT", path), &json!({"note": note}));
    let waits = async |http: HttpRequest| {
        let checked = front.check_as(http, |attributes| {
            naming("front")(attributes);
            attributes.context_extensions.insert("connector".to_owned(), "orders".to_owned());
            attributes.context_extensions.insert("bodies".to_owned(), "whole".to_owned());
        });
        let checked = checked.await;
        (checked.status == 403).then(|| checked.refused().1.to_owned())
    };
    let required = || Some("approval_required".to_owned());
    assert_eq!(waits(put("/orders/7?full=1", "x")).await, required());
    let facts = front.decided().await;
    let beside = front.world.engine.content(facts.beside.as_ref().unwrap(), facts.task).await.unwrap().unwrap();
    let beside: Value = serde_json::from_slice(&beside).unwrap();
    let context = beside["context"].as_object().unwrap();
    assert_eq!((&context["query"], &context["body_size_bytes"]), (&json!("full=1"), &json!(12)), "{beside}");
    assert_eq!(context["body_sha256"], Digest::of_bytes(br#"{"note":"x"}"#).to_string());
    front.world.approve(front.world.question().await).await;
    for other in [
        put("/orders/7?full=0", "x"),
        put("/orders/7", "x"),
        put("/orders/7?full=1", "y"),
        HttpRequest { host: "other.example".to_owned(), ..put("/orders/7?full=1", "x") },
        request("PUT", "/orders/7?full=1"),
    ] {
        assert_eq!(waits(other).await, required(), "another action");
    }
    assert_eq!(waits(put("/orders/7?full=1", "x")).await, None);
}

#[tokio::test]
async fn nobody_is_asked_about_a_body_that_may_not_be_all_there() {
    let front = Front::new().await;
    let put = || with_body(request("PUT", "/orders/7"), &json!({"note": "x"}));
    let cut = || {
        let mut http = put();
        http.headers.insert("x-envoy-auth-partial-body".to_owned(), "true".to_owned());
        http
    };
    let refused = front.check(cut()).await;
    assert_eq!(refused.refused(), (403, "body_unknown"));
    assert!(refused.decision().starts_with("act_"), "the attempt is on record");
    let unsaid = front.check_as(request("PUT", "/orders/7"), naming("front")).await;
    assert_eq!(unsaid.refused(), (403, "body_unknown"), "nobody says that bodies are passed on");
    let mut upgrade = request("PUT", "/orders/7");
    for (name, value) in [("upgrade", "websocket"), ("content-length", "0")] {
        upgrade.headers.insert(name.to_owned(), value.to_owned());
    }
    assert_eq!(front.check(upgrade).await.refused(), (403, "body_unknown"), "Envoy may have written the length");
    assert!(front.world.engine.read(|state| state.approvals.is_empty()), "nobody was asked");
    // An approval of a request without a body, or with this one, does not let it on either.
    for whole in [put(), request("PUT", "/orders/7")] {
        let asked = front.check(whole).await;
        assert_eq!(asked.refused(), (403, "approval_required"));
        let approval = asked.problem["approval"].as_str().unwrap().parse().unwrap();
        front.world.approve((approval, Digest::of_bytes(b""))).await;
        assert_eq!(front.check(cut()).await.refused(), (403, "body_unknown"));
    }
}

#[tokio::test]
async fn a_no_of_a_person_is_said_as_it_is() {
    let front = Front::new().await;
    let post = || with_body(request("POST", "/orders/7"), &json!({"amount": 5}));
    front.check(post()).await;
    let (approval, _) = front.world.question().await;
    front.world.deny(approval, "not this customer").await;
    let denied = front.check(post()).await;
    assert_eq!(denied.refused(), (403, "approval_denied"));
    assert!(denied.problem["detail"].as_str().unwrap().contains("not this customer"));
}

#[tokio::test]
async fn a_message_to_an_mcp_server_is_decided_as_the_tool_that_it_calls() {
    let front = Front::new().await;
    front.world.grant("front", &["desk/echo", "desk/refund"], 3_600).await;
    let checked = front.check(message("tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}))).await;
    assert_eq!(checked.status, 200, "{checked:?}");
    let facts = front.decided().await;
    assert_eq!((facts.operation.as_str(), facts.enforcer), ("desk/echo", Some(front.front)));
    let arguments = front.world.engine.content(&facts.arguments, facts.task).await.unwrap().unwrap();
    assert_eq!(arguments, br#"{"text":"hi"}"#);
    assert!(front.world.desk.calls().is_empty(), "nothing is forwarded");
    let refund = message("tools/call", json!({"name": "refund", "arguments": {"amount": 5}}));
    assert_eq!(front.check(refund).await.refused(), (403, "approval_required"));
    let secret = message("tools/call", json!({"name": "secret", "arguments": {}}));
    assert_eq!(front.check(secret).await.refused(), (403, "denied_by_policy"));
}

#[tokio::test]
async fn messages_that_nobody_decides_on_pass_for_whoever_could_use_something() {
    let front = Front::new().await;
    let greeting = || message("initialize", json!({"protocolVersion": "2025-11-25"}));
    assert_eq!(front.check(greeting()).await.refused(), (403, "nothing_reachable"));
    front.world.grant("front", &["desk/echo"], 3_600).await;
    for method in ["initialize", "ping", "tools/list"] {
        let passed = front.check(message(method, json!({}))).await;
        assert_eq!((passed.status, passed.headers.len()), (200, 0), "{method}");
        assert_eq!(passed.removed, ["remit-decision"], "none that the client made up goes on");
    }
    let said = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let said = HttpRequest { host: "desk".to_owned(), ..with_body(request("POST", "/mcp"), &said) };
    assert_eq!(front.check(said).await.status, 200);

    let batch = HttpRequest { host: "desk".to_owned(), ..with_body(request("POST", "/mcp"), &json!([])) };
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    let answer = HttpRequest { host: "desk".to_owned(), ..with_body(request("POST", "/mcp"), &answer) };
    let modern = |http: HttpRequest| HttpRequest {
        headers: http
            .headers
            .into_iter()
            .chain([("mcp-protocol-version".to_owned(), "2026-07-28".to_owned())])
            .collect(),
        ..http
    };
    for (http, code) in [
        (message("tasks/get", json!({})), "method_unknown"),
        (answer, "method_unknown"),
        (batch, "body_malformed"),
        (HttpRequest { path: "/mcp?to=other".to_owned(), ..greeting() }, "path_unknown"),
        (HttpRequest { path: "/admin".to_owned(), ..greeting() }, "path_unknown"),
        (HttpRequest { raw_body: Vec::new(), ..greeting() }, "body_unknown"),
        (HttpRequest { method: "GET".to_owned(), ..greeting() }, "method_not_allowed"),
        (modern(message("tools/call", json!({"name": "echo"}))), "request_malformed"),
    ] {
        let checked = front.check(http).await;
        let status = if code == "method_not_allowed" { 405 } else { 403 };
        assert_eq!(checked.refused(), (status, code));
    }
}

#[tokio::test]
async fn an_agent_does_not_call_through_remit_what_somebody_else_enforces() {
    let front = Front::new().await;
    let params = json!({"name": "orders__GET", "arguments": {}});
    let answered = super::world::read(front.world.modern("/mcp", "tools/call", params).send().await.unwrap()).await;
    assert_eq!(answered.refused(), Some("enforced_elsewhere"));
    let listed = super::world::read(front.world.modern("/mcp", "tools/list", json!({})).send().await.unwrap()).await;
    assert!(!listed.body().to_string().contains("orders__"), "{:?}", listed.body());
}

#[tokio::test]
async fn nothing_is_let_on_when_nothing_can_be_recorded() {
    let front = Front::new().await;
    let suspended = Command::EndTask { task: front.world.task, note: String::new() };
    front.world.submit(&front.world.ada, suspended).await;
    front.world.engine.close().await;
    let checked = front.check(request("GET", "/orders/7")).await;
    assert_eq!(checked.status, StatusCode::SERVICE_UNAVAILABLE.as_u16());
    let refused = error(front.ask("tools/call", json!({"name": "echo"}), own).await).0;
    assert_eq!(refused.code(), authorization_error::Code::ResourceExhausted);
}
