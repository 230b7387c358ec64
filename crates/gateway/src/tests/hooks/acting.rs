//! Who may ask, and who acts in what is asked about.

use serde_json::{Value, json};
use tonic::{Code, Request};

use super::{Front, error, message, naming, own, request};
use crate::hooks::proto::agentgateway::dev::ext_mcp::ext_mcp_client::ExtMcpClient;
use crate::hooks::proto::agentgateway::dev::ext_mcp::{
    AuthorizationError, McpRequest, McpResponse, authorization_error, mcp_response_result,
};
use crate::hooks::proto::envoy::service::auth::v3::attribute_context::{Peer, Request as Reported};
use crate::hooks::proto::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use crate::hooks::proto::envoy::service::auth::v3::check_response::HttpResponse;
use crate::hooks::proto::envoy::service::auth::v3::{AttributeContext, CheckRequest};

#[tokio::test]
async fn nobody_who_is_unknown_gets_an_answer() {
    let front = Front::new().await;
    let refused = async |token: Option<&str>| {
        let mut asked = Request::new(CheckRequest::default());
        if let Some(token) = token {
            asked.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        AuthorizationClient::new(front.channel.clone()).check(asked).await.unwrap_err().code()
    };
    assert_eq!(refused(None).await, Code::Unauthenticated);
    assert_eq!(refused(Some("nonsense")).await, Code::Unauthenticated);
    let unread = AuthorizationClient::new(front.channel.clone()).check(front.asking(CheckRequest::default())).await;
    assert!(unread.is_ok(), "who is known is answered, whatever it says");
    let mut asked = Request::new(McpRequest::default());
    asked.metadata_mut().insert("authorization", "Bearer nonsense".parse().unwrap());
    let refused = ExtMcpClient::new(front.channel.clone()).check_request(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn an_agent_that_is_no_enforcer_is_told_no_to_everything() {
    let front = Front::new().await;
    fn by<T>(front: &Front, message: T) -> Request<T> {
        let mut asked = Request::new(message);
        asked.metadata_mut().insert("authorization", format!("Bearer {}", front.world.token).parse().unwrap());
        asked
    }
    // A no, and no error of the call, which the configuration of a gateway could take for a yes.
    let refused = |error: &AuthorizationError| {
        let data: Value = serde_json::from_slice(error.mcp_error.as_deref().unwrap()).unwrap();
        assert_eq!(
            (error.code(), data["code"].as_str()),
            (authorization_error::Code::PermissionDenied, Some("not_an_enforcer"))
        );
        assert!(error.reason.contains("`triage`") && error.reason.contains("--enforcer"), "{}", error.reason);
    };
    let attributes = AttributeContext {
        context_extensions: [("connector".to_owned(), "orders".to_owned())].into(),
        request: Some(Reported { http: Some(request("GET", "/orders/7")) }),
        ..AttributeContext::default()
    };
    let asked = by(&front, CheckRequest { attributes: Some(attributes) });
    let answer = AuthorizationClient::new(front.channel.clone()).check(asked).await.unwrap();
    let Some(HttpResponse::DeniedResponse(denied)) = answer.into_inner().http_response else { panic!("let on") };
    let problem: Value = serde_json::from_str(&denied.body).unwrap();
    assert_eq!((denied.status.unwrap().code, problem["code"].as_str()), (403, Some("not_an_enforcer")));
    let mut agentgateway = ExtMcpClient::new(front.channel.clone());
    for method in ["tools/call", "tools/list", "initialize", "notifications/initialized"] {
        let (service_names, method) = (vec!["desk".to_owned()], method.to_owned());
        let asked =
            McpRequest { service_names: service_names.clone(), method: method.clone(), ..McpRequest::default() };
        refused(&error(agentgateway.check_request(by(&front, asked)).await.unwrap().into_inner()).0);
        let mcp_response = b"{}".to_vec();
        let asked = McpResponse { service_names, method, mcp_response, ..McpResponse::default() };
        match agentgateway.check_response(by(&front, asked)).await.unwrap().into_inner().result.unwrap() {
            mcp_response_result::Result::Error(error) => refused(&error),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_enforcer_whose_task_has_ended_is_told_no() {
    let front = Front::new().await;
    let running = front.world.engine.read(|state| state.live_tasks_of(front.front).next().unwrap().id);
    front.world.end(running).await;
    assert_eq!(front.check(request("GET", "/orders/7")).await.refused(), (403, "task_ended"));
    let (refused, data) = error(front.ask("initialize", json!({}), own).await);
    assert_eq!((refused.code(), &data["code"]), (authorization_error::Code::PermissionDenied, &json!("task_ended")));
}

#[tokio::test]
async fn a_request_of_nobody_is_not_the_enforcer_s_own() {
    let front = Front::new().await;
    let nobody = front.check_as(request("GET", "/orders/7"), |_| {}).await;
    assert_eq!(nobody.refused(), (403, "acting_unknown"));
    assert!(nobody.problem["help"].as_str().unwrap().contains("`agent`"));
    let plain = |attributes: &mut AttributeContext| {
        attributes.source = Some(Peer { principal: "CN=client".to_owned(), ..Peer::default() });
    };
    let other = front.check_as(request("GET", "/orders/7"), plain).await;
    assert_eq!(other.refused(), (403, "acting_unknown"), "no name of this world");
    for method in ["tools/call", "tools/list", "initialize"] {
        let (_, data) = error(front.ask(method, json!({"name": "echo"}), |_| {}).await);
        assert_eq!(data["code"], "acting_unknown", "{method}");
    }
    let listed = front.look("tools/list", &json!({"tools": []}), |_| {}).await;
    assert!(matches!(listed, mcp_response_result::Result::Error(_)), "{listed:?}");
    let own = front.check_as(request("GET", "/orders/7"), naming("front")).await;
    assert_eq!((own.status, front.decided().await.named), (200, None));
}

#[tokio::test]
async fn who_acts_is_whoever_the_request_shows_or_the_operator_names() {
    let front = Front::new().await;
    let mut carrying = request("GET", "/orders/7");
    carrying.headers.insert("authorization".to_owned(), format!("Bearer {}", front.world.token));
    assert_eq!(front.check_as(carrying, |_| {}).await.status, 200);
    let facts = front.decided().await;
    assert_eq!((facts.agent, facts.task, facts.enforcer), (front.world.agent, front.world.task, Some(front.front)));

    assert_eq!(front.check_as(request("GET", "/orders/7"), naming("triage")).await.status, 200);
    let facts = front.decided().await;
    assert_eq!((facts.agent, facts.named), (front.front, Some(front.world.agent)));

    let principal = |id: &str| Some(Peer { principal: id.to_owned(), ..Peer::default() });
    let own = front.spiffe_id("triage");
    let by_certificate = front.check_as(request("GET", "/orders/7"), |attributes| attributes.source = principal(&own));
    assert_eq!(by_certificate.await.status, 200);
    assert_eq!(front.decided().await.named, Some(front.world.agent));

    for (said, code) in
        [("spiffe://remit.test/agent/nobody/sandbox", "svid_unknown"), ("spiffe://", "principal_malformed")]
    {
        let said = said.replace("remit.test", own.split('/').nth(2).unwrap());
        let checked =
            front.check_as(request("GET", "/orders/7"), |attributes| attributes.source = principal(&said)).await;
        assert_eq!(checked.refused(), (403, code), "{said}");
    }
    let unknown = front.check_as(request("GET", "/orders/7"), naming("nobody")).await;
    assert_eq!(unknown.refused(), (403, "not_found"));
}

/// Says in Envoy's configuration that what shows nobody is `front`'s own, of a connection with the certificate of `principal`.
fn own_from(principal: &str) -> impl FnOnce(&mut AttributeContext) {
    move |attributes| {
        naming("front")(attributes);
        attributes.source = Some(Peer { principal: principal.to_owned(), ..Peer::default() });
    }
}

#[tokio::test]
async fn the_enforcer_s_own_name_takes_the_place_of_no_certificate() {
    let front = Front::new().await;
    let (triage, idle) = (front.spiffe_id("triage"), {
        front.world.agent("idle", "ada", |_| {}).await;
        front.spiffe_id("idle")
    });
    assert_eq!(front.check_as(request("GET", "/orders/7"), own_from(&triage)).await.status, 200);
    let facts = front.decided().await;
    assert_eq!((facts.agent, facts.named), (front.front, Some(front.world.agent)), "a leg as well");
    let denied = front.check_as(request("GET", "/orders/7"), own_from(&idle)).await;
    assert_eq!(denied.refused(), (403, "denied_by_policy"), "it was granted nothing");
    let nobody = front.check_as(request("GET", "/orders/7"), own_from(&triage.replace("triage", "nobody"))).await;
    assert_eq!(nobody.refused(), (403, "svid_unknown"));
    let own = front.check_as(request("GET", "/orders/7"), own_from("CN=client")).await;
    assert_eq!((own.status, front.decided().await.named), (200, None), "no name of this world");
}

#[tokio::test]
async fn the_enforcer_s_own_name_lets_no_token_come_on_the_connection_of_another() {
    let front = Front::new().await;
    front.world.agent("idle", "ada", |_| {}).await;
    let carrying = || {
        let mut http = request("GET", "/orders/7");
        http.headers.insert("authorization".to_owned(), format!("Bearer {}", front.world.token));
        http
    };
    for other in ["idle", "front"] {
        let checked = front.check_as(carrying(), own_from(&front.spiffe_id(other))).await;
        assert_eq!(checked.refused(), (403, "credential_shared_run"), "{other}");
    }
    assert_eq!(front.check_as(carrying(), own_from(&front.spiffe_id("triage"))).await.status, 200);
    assert_eq!(front.decided().await.agent, front.world.agent);
}

#[tokio::test]
async fn the_enforcer_s_own_name_narrows_no_client_that_shows_its_token() {
    let front = Front::new().await;
    // The desk was granted to `triage` alone.
    let echo = || {
        let mut http = message("tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
        http.headers.insert("authorization".to_owned(), format!("Bearer {}", front.world.token));
        http
    };
    assert_eq!(front.check(echo()).await.status, 200);
    let facts = front.decided().await;
    assert_eq!((facts.agent, facts.named, facts.enforcer), (front.world.agent, None, Some(front.front)));
    front.world.agent("idle", "ada", |_| {}).await;
    let narrowed = front.check_as(echo(), naming("idle")).await;
    assert_eq!(narrowed.refused(), (403, "denied_by_policy"), "another agent's name does");
}

#[tokio::test]
async fn a_credential_of_this_realm_has_to_hold_and_one_of_somebody_else_is_not_looked_at() {
    let front = Front::new().await;
    let with = |credential: &str| {
        let mut request = request("GET", "/orders/7");
        request.headers.insert("authorization".to_owned(), credential.to_owned());
        request
    };
    let another = front.world.start_task(None).await.to_string();
    let stale = front.world.forged(|claims| claims.task = another);
    assert_eq!(front.check(with(&format!("Bearer {stale}"))).await.status, 401);
    let tampered = front.world.token.rsplit_once('.').unwrap().0.to_owned() + ".AAAA";
    assert_eq!(front.check(with(&format!("Bearer {tampered}"))).await.status, 401);
    assert_eq!(front.check(with("Bearer legacy_unknown")).await.status, 401);
    assert_eq!(front.check(with("Bearer a,Bearer b")).await.refused(), (403, "token_malformed"));
    for other in ["Basic dXNlcjpwYXNz", "Bearer opaque", "Bearer e30.e30.AAAA"] {
        assert_eq!(front.check(with(other)).await.status, 200, "{other}");
        assert_eq!(front.decided().await.agent, front.front);
        let of_nobody = front.check_as(with(other), |_| {}).await;
        assert_eq!(of_nobody.refused(), (403, "acting_unknown"), "{other}");
    }
    front.world.end(front.world.task).await;
    let ended = front.check(with(&format!("Bearer {}", front.world.token))).await;
    assert_eq!(ended.refused(), (403, "task_ended"));
    assert!(ended.decision().starts_with("act_"), "the attempt is on record");
}
