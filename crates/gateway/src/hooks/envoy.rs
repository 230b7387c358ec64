//! Envoy's external authorization, version 3: one HTTP request, and whether it may go on.

use std::sync::Arc;

use http::{HeaderName, Method, StatusCode};
use remit_domain::{ActionId, Connector, ConnectorSpec, OperationName, Refusal};
use serde_json::Value;
use tonic::{Code, Request, Response, Status};
use url::Url;

use super::acting::{self, Said};
use super::arguments::{self, Arguments, Subject};
use super::decide::Asking;
use super::denial::Denial;
use super::enforcer::{self, Known};
use super::governed::{self, Meant};
use super::proto::envoy::config::core::v3::{HeaderValue, HeaderValueOption, header_value_option::HeaderAppendAction};
use super::proto::envoy::service::auth::v3::authorization_server::Authorization;
use super::proto::envoy::service::auth::v3::check_response::HttpResponse;
use super::proto::envoy::service::auth::v3::{CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse};
use super::proto::envoy::r#type::v3::HttpStatus;
use super::proto::google::rpc;
use super::reported::{Body, Reported, body_unknown};
use crate::Gateway;
use crate::attempt::Asks;
use crate::call;
use crate::door::Door;
use crate::mcp;
use crate::mcp::envelope::{self, Message};

const CHECK_PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

/// In which a request carries the decision that let it on.
const DECISION_HEADER: &str = "remit-decision";

/// Where the MCP server of a connector is that Remit starts itself, unless the configuration says otherwise.
const MCP_PATH: &str = "/mcp";

/// Answers Envoy.
pub(super) struct Service {
    pub gateway: Arc<Gateway>,
}

#[tonic::async_trait]
impl Authorization for Service {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let known = enforcer::known(&self.gateway, &request, CHECK_PATH).await?;
        let answer = match decide(&self.gateway, &known, request.into_inner()).await {
            Ok(decision) => allowed(decision),
            Err(denial) => denied(&denial),
        };
        Ok(Response::new(answer))
    }
}

/// Decides about what is reported; the decision, where one had to be made.
async fn decide(gateway: &Gateway, known: &Known, request: CheckRequest) -> Result<Option<ActionId>, Denial> {
    let enforcer = known.enforcer(gateway)?;
    let reported = Reported::read(request.attributes)?;
    let (door, address) = (Door::One(reported.connector.clone()), reported.address());
    let said = Said {
        headers: &reported.headers,
        method: &reported.method,
        address: Some(&address),
        door: &door,
        agent: reported.agent.as_deref(),
        principal: reported.principal.as_deref(),
        from: reported.from,
    };
    let acting = acting::find(gateway, enforcer, &said).await?;
    let asking = Asking { gateway, enforcer, acting: &acting };
    let connector = gateway.engine.read(|state| state.connector_named(&reported.connector).ok().cloned());
    if let Some(connector) = connector.as_deref().filter(|connector| !connector.spec.is_elsewhere()) {
        return message(&asking, connector, &reported).await;
    }
    http(&asking, connector.as_deref(), &reported).await.map(Some)
}

/// Decides about a request as what it is: an action of HTTP on a path.
async fn http(asking: &Asking<'_>, connector: Option<&Connector>, reported: &Reported) -> Result<ActionId, Denial> {
    let operation = OperationName::new(&reported.connector, &reported.method);
    let arguments = asking.gateway.engine.read(|state| {
        let subject = Subject { agent: &asking.acting.agent(state)?.name, principal: reported.principal.as_deref() };
        let known = state.operations.get(&operation);
        let schema = known.map_or(Value::Null, |operation| operation.definition.input_schema());
        arguments::of(reported, &subject, connector.map(|connector| &connector.spec), &schema)
    })?;
    let Arguments { named, beside } = arguments;
    let named = Value::Object(named);
    let canonical = call::canonical(&named, "what is decided about")?;
    let beside = (!beside.is_empty()).then(|| call::canonical(&Value::Object(beside), "what is asked about"));
    let asks = Asks { operation, arguments: Arc::new(named), canonical, beside: beside.transpose()? };
    match reported.body {
        Body::Unknown => {
            let unseen = body_unknown("a person would have to approve this request with its body");
            asking.decide_without_people(asks, unseen).await
        }
        Body::Whole(_) | Body::None => asking.decide(asks, None).await,
    }
}

/// Decides about a request to an MCP server as what its body says.
async fn message(asking: &Asking<'_>, connector: &Connector, reported: &Reported) -> Result<Option<ActionId>, Denial> {
    let message = read(connector, reported)?;
    let meant = match message {
        Message::Request { method, params, .. } => governed::request(&connector.name, &method, params)?,
        Message::Notification { method, .. } => governed::notification(&method)?,
        Message::Response { .. } => {
            let sentence = "nobody can decide here what a server is answered to a question of its own";
            return Err(Denial::doubt("method_unknown", sentence, "use Remit's own gateway for it"));
        }
    };
    match meant {
        Meant::Action(call) => asking.decide(Asks::of(&call), call.approval).await.map(Some),
        Meant::Passing => asking.may_pass(vec![connector.name.clone()]).await.map(|()| None),
    }
}

/// The one message that a request to an MCP server carries.
fn read(connector: &Connector, reported: &Reported) -> Result<Message, Denial> {
    if reported.path != mcp_path(connector, reported) || reported.query.is_some() {
        return Err(Denial::doubt(
            "path_unknown",
            format!("`{}` is not the address of the MCP server `{}`", reported.path, connector.name),
            "say in the gateway's configuration where it is: `context_extensions`, `mcp_path`",
        ));
    }
    if reported.method != Method::POST.as_str() {
        // Clients take this for a server without a stream or sessions (MCP, Streamable HTTP), and go on without.
        let refusal = Refusal::new("method_not_allowed", "only requests of MCP can be decided here");
        return Err(Denial::of(StatusCode::METHOD_NOT_ALLOWED, refusal.help("send it by POST")));
    }
    let Body::Whole(bytes) = &reported.body else {
        return Err(Denial::forbidden(body_unknown("this decision depends on the body")));
    };
    if !reported.is_json() {
        return Err(Denial::doubt("body_unreadable", "a message of MCP is `application/json`", "send JSON"));
    }
    let message = envelope::parse(bytes)
        .map_err(|error| Denial::doubt("body_malformed", error.sentence, "send one message of JSON-RPC"))?;
    mcp::must_agree(&reported.headers, &message)?;
    Ok(message)
}

/// Where the server of `connector` is, as its clients see it.
fn mcp_path(connector: &Connector, reported: &Reported) -> String {
    let own = match &connector.spec {
        ConnectorSpec::Http { url } => Url::parse(url).ok().map(|url| url.path().to_owned()),
        ConnectorSpec::Stdio { .. } | ConnectorSpec::Elsewhere { .. } => None,
    };
    reported.mcp_path.clone().or(own).unwrap_or_else(|| MCP_PATH.to_owned())
}

/// The request goes on as it is, with the decision if there is one, and never with one that its client made up. Envoy removes headers after it
/// has set others, so the one that is set in place of the client's is not removed as well.
fn allowed(decision: Option<ActionId>) -> CheckResponse {
    let headers: Vec<_> = decision.map(|decision| header(DECISION_HEADER, decision.to_string())).into_iter().collect();
    let headers_to_remove = if headers.is_empty() { vec![DECISION_HEADER.to_owned()] } else { Vec::new() };
    CheckResponse {
        status: Some(rpc::Status { code: Code::Ok as i32, message: String::new() }),
        http_response: Some(HttpResponse::OkResponse(OkHttpResponse { headers, headers_to_remove })),
    }
}

fn denied(denial: &Denial) -> CheckResponse {
    let mut headers = vec![header(http::header::CONTENT_TYPE.as_str(), "application/problem+json".to_owned())];
    headers.extend(denial.decision.map(|decision| header(DECISION_HEADER, decision.to_string())));
    let retry: HeaderName = http::header::RETRY_AFTER;
    headers.extend(denial.retry_after_seconds.map(|seconds| header(retry.as_str(), seconds.to_string())));
    let code = match denial.status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        _ => Code::PermissionDenied,
    };
    CheckResponse {
        status: Some(rpc::Status { code: code as i32, message: denial.refusal.to_string() }),
        http_response: Some(HttpResponse::DeniedResponse(DeniedHttpResponse {
            status: Some(HttpStatus { code: denial.status.as_u16().into() }),
            headers,
            body: Value::Object(denial.problem()).to_string(),
        })),
    }
}

/// A header in place of whatever the request says under its name.
fn header(name: &str, value: String) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: name.to_owned(), value, raw_value: Vec::new() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd as i32,
    }
}
