//! agentgateway's protocol for policy servers: requests of MCP before they go to their server, and lists before they go to the client.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use prost_types::value::Kind;
use prost_types::{Struct, Value as Field};
use remit_domain::{ActionId, OperationPattern};
use serde_json::{Map, Value};
use tonic::{Request, Response, Status};

use super::acting::{self, Acting, Said};
use super::decide::{Asking, aside};
use super::denial::Denial;
use super::enforcer::{self, Known};
use super::governed::{self, Meant};
use super::lists;
use super::proto::agentgateway::dev::ext_mcp::authorization_error::Code;
use super::proto::agentgateway::dev::ext_mcp::ext_mcp_server::ExtMcp;
use super::proto::agentgateway::dev::ext_mcp::{
    AuthorizationError, HeaderMutation, McpHeader, McpRequest, McpRequestResult, McpResponse, McpResponseResult, Pass,
    mcp_request_result, mcp_response_result,
};
use crate::attempt::Asks;
use crate::caller::Caller;
use crate::door::Door;
use crate::mcp::envelope::{Message, RequestId};
use crate::mcp::strict;
use crate::{Gateway, limits, mcp, refuse};

const REQUEST_PATH: &str = "/agentgateway.dev.ext_mcp.ExtMcp/CheckRequest";
const RESPONSE_PATH: &str = "/agentgateway.dev.ext_mcp.ExtMcp/CheckResponse";

/// In which a request carries the decision that let it on.
const DECISION_HEADER: &str = "remit-decision";
/// Under which the gateway's own expressions find it.
const DECISION_MEMBER: &str = "remit_decision";

/// Headers in which a client says again what its message says.
const SPOKEN_HEADERS: [&str; 3] = [mcp::VERSION_HEADER, mcp::METHOD_HEADER, mcp::NAME_HEADER];

/// Answers agentgateway.
pub(super) struct Service {
    pub gateway: Arc<Gateway>,
}

#[tonic::async_trait]
impl ExtMcp for Service {
    async fn check_request(&self, request: Request<McpRequest>) -> Result<Response<McpRequestResult>, Status> {
        let known = enforcer::known(&self.gateway, &request, REQUEST_PATH).await?;
        let answer = match decide(&self.gateway, &known, request.into_inner()).await {
            Ok(decision) => passed(decision),
            Err(denial) => {
                let result = mcp_request_result::Result::Error(error(&denial));
                McpRequestResult { result: Some(result), header_mutation: None, metadata: None }
            }
        };
        Ok(Response::new(answer))
    }

    async fn check_response(&self, request: Request<McpResponse>) -> Result<Response<McpResponseResult>, Status> {
        use mcp_response_result::Result as Answered;
        let known = enforcer::known(&self.gateway, &request, RESPONSE_PATH).await?;
        let result = match look(&self.gateway, &known, request.into_inner()).await {
            Ok(None) => Answered::Pass(Pass {}),
            Ok(Some(result)) => Answered::Mutated(Value::Object(result).to_string().into_bytes()),
            Err(denial) => Answered::Error(error(&denial)),
        };
        Ok(Response::new(McpResponseResult { result: Some(result) }))
    }
}

/// What the operator's configuration says of a message.
#[derive(Debug, Default)]
struct Context {
    /// The connector, where the server is not named as it is here.
    connector: Option<String>,
    agent: Option<String>,
    principal: Option<String>,
    /// The client's own credential.
    authorization: Option<String>,
}

impl Context {
    fn of(mut said: Option<Struct>) -> Self {
        let mut text = |name: &str| match said.as_mut()?.fields.remove(name)?.kind? {
            Kind::StringValue(text) if !text.is_empty() => Some(text),
            _ => None,
        };
        Self {
            connector: text("connector"),
            agent: text("agent"),
            principal: text("principal"),
            authorization: text("authorization"),
        }
    }

    /// The connectors of the servers that a message is to, in the same order.
    fn connectors(&self, services: &[String]) -> Result<Vec<String>, Denial> {
        let named = match (&self.connector, services) {
            (Some(connector), [_]) => vec![connector.clone()],
            _ => services.to_vec(),
        };
        let is_name = |name: &String| format!("{name}/*").parse::<OperationPattern>().is_ok();
        if named.is_empty() || named.len() > limits::HOOK_SERVICES_MAX || !named.iter().all(is_name) {
            let help = "name the gateway's servers as the connectors are named here, or a `connector` in its metadata";
            return Err(Denial::doubt("connector_unknown", "the servers of this message are no connectors", help));
        }
        Ok(named)
    }
}

/// Decides about a request; the decision, where one had to be made.
async fn decide(gateway: &Gateway, known: &Known, request: McpRequest) -> Result<Option<ActionId>, Denial> {
    let enforcer = known.enforcer(gateway)?;
    let McpRequest { service_names, method, metadata_context, mcp_request, headers } = request;
    let context = Context::of(metadata_context);
    let connectors = context.connectors(&service_names)?;
    let mut told = Told::read(&headers)?;
    if let Some(authorization) = &context.authorization {
        told.carries(authorization)?;
    }
    let acting = who(gateway, enforcer, &context, &connectors, &told).await?;
    let asking = Asking { gateway, enforcer, acting: &acting };
    let params = mcp_request.map_or_else(|| Ok(Map::new()), |params| object(&params))?;
    told.must_agree(&method, &params)?;
    let is_list = mcp::governed(&method).is_some_and(|governed| governed.is_list());
    if connectors.len() > 1 && mcp::governed(&method).is_some() && !is_list {
        let sentence = format!("`{method}` is for one server, and this one names several");
        return Err(Denial::doubt("connector_ambiguous", sentence, "ask about each server by itself"));
    }
    let mut decision = None;
    let mut passing = Vec::new();
    for connector in connectors {
        let meant = match method.strip_prefix("notifications/") {
            Some(_) => governed::notification(&method)?,
            None => governed::request(&connector, &method, params.clone())?,
        };
        match meant {
            Meant::Action(call) => decision = Some(asking.decide(Asks::of(&call), call.approval).await?),
            Meant::Passing => passing.push(connector),
        }
    }
    if !passing.is_empty() {
        asking.may_pass(passing).await?;
    }
    Ok(decision)
}

/// Looks at a result; what it has to become before the client may see it, if it may not be as it is.
async fn look(gateway: &Gateway, known: &Known, response: McpResponse) -> Result<Option<Map<String, Value>>, Denial> {
    let enforcer = known.enforcer(gateway)?;
    let McpResponse { service_names, method, metadata_context, mcp_response } = response;
    let Some(list) = lists::List::of(&method) else { return Ok(None) };
    let context = Context::of(metadata_context);
    let connectors = context.connectors(&service_names)?;
    let mut told = Told::default();
    if let Some(authorization) = &context.authorization {
        told.carries(authorization)?;
    }
    let acting = who(gateway, enforcer, &context, &connectors, &told).await?;
    if let Some(ended) = &acting.caller.ended {
        return Err(Denial::forbidden(ended.clone()));
    }
    let before = object(&mcp_response)?;
    let (state, now) = (gateway.engine.state(), gateway.engine.now());
    let servers: Vec<lists::Server> = service_names.into_iter().zip(connectors).map(lists::Server::new).collect();
    let looked = aside(&gateway.room, acting.caller.agent, move || {
        let after = list.cut(&state, &acting, &servers, before.clone(), now);
        (after != before).then_some(after)
    });
    looked.await
}

async fn who(
    gateway: &Gateway,
    enforcer: &Caller,
    context: &Context,
    connectors: &[String],
    told: &Told,
) -> Result<Acting, Denial> {
    let door = match connectors {
        [connector] => Door::One(connector.clone()),
        _ => Door::All,
    };
    let said = Said {
        headers: &told.headers,
        method: told.method.as_deref().unwrap_or("POST"),
        address: told.address.as_deref(),
        door: &door,
        agent: context.agent.as_deref(),
        principal: context.principal.as_deref(),
        from: None,
    };
    acting::find(gateway, enforcer, &said).await
}

/// The client's request, as far as it is passed on.
#[derive(Debug, Default)]
struct Told {
    headers: HeaderMap,
    method: Option<String>,
    /// Where it was sent, without query.
    address: Option<String>,
}

impl Told {
    fn read(said: &[McpHeader]) -> Result<Self, Denial> {
        let doubt = || {
            let sentence =
                format!("the headers of this request cannot be read, or are more than {}", limits::HOOK_HEADERS_MAX);
            Denial::doubt("headers_unread", sentence, "send fewer headers")
        };
        let mut headers = HeaderMap::new();
        for McpHeader { key, value } in said.iter().filter(|header| !header.key.starts_with(':')) {
            let header = HeaderName::from_bytes(key.as_bytes()).ok().zip(HeaderValue::from_bytes(value).ok());
            let (name, value) = header.filter(|_| headers.len() < limits::HOOK_HEADERS_MAX).ok_or_else(doubt)?;
            headers.append(name, value);
        }
        let line = |name: &str| {
            let header = said.iter().find(|header| header.key == name)?;
            std::str::from_utf8(&header.value).ok()
        };
        let target = line(":path").map(|target| target.split('?').next().unwrap_or_default());
        let address = line(":scheme").zip(line(":authority")).zip(target);
        let address = address.map(|((scheme, authority), path)| format!("{scheme}://{authority}{path}"));
        Ok(Self { headers, method: line(":method").map(str::to_owned), address })
    }

    /// Whether the headers of the protocol, as far as any of them is passed on, say nothing else than the message: the same as at Remit's own doors.
    fn must_agree(&self, method: &str, params: &Map<String, Value>) -> Result<(), Denial> {
        if !SPOKEN_HEADERS.iter().any(|name| self.headers.contains_key(*name)) {
            return Ok(());
        }
        let (method, params) = (method.to_owned(), params.clone());
        let message = match method.starts_with("notifications/") {
            true => Message::Notification { method, params },
            // Its id is not passed on, and no header says it.
            false => Message::Request { id: RequestId::Number("0".to_owned()), method, params },
        };
        Ok(mcp::must_agree(&self.headers, &message)?)
    }

    /// Notes the credential that the configuration passes on, which may be the one that the headers have too.
    fn carries(&mut self, authorization: &str) -> Result<(), Denial> {
        let doubt = |sentence: &str| Denial::doubt("token_malformed", sentence, "pass on the client's own credential");
        let said = HeaderValue::from_str(authorization).map_err(|_| doubt("the credential cannot be read"))?;
        match self.headers.get(AUTHORIZATION) {
            Some(own) if *own != said => Err(doubt("the metadata and the headers carry two credentials")),
            Some(_) => Ok(()),
            None => {
                self.headers.insert(AUTHORIZATION, said);
                Ok(())
            }
        }
    }
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, Denial> {
    let doubt = |sentence: String| {
        Denial::of(StatusCode::BAD_REQUEST, remit_domain::Refusal::new("request_malformed", sentence))
    };
    match strict::read(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(doubt("what is asked about is no JSON object".to_owned())),
        Err(error) => Err(doubt(format!("what is asked about cannot be read: {error}"))),
    }
}

/// The request goes on as it is, with the decision if there is one, and never with one that its client made up.
fn passed(decision: Option<ActionId>) -> McpRequestResult {
    let decision = decision.map(|decision| decision.to_string());
    let set = decision
        .iter()
        .map(|decision| McpHeader { key: DECISION_HEADER.to_owned(), value: decision.clone().into_bytes() });
    let set: Vec<McpHeader> = set.collect();
    let remove = if set.is_empty() { vec![DECISION_HEADER.to_owned()] } else { Vec::new() };
    let metadata = decision.map(|decision| Struct {
        fields: [(DECISION_MEMBER.to_owned(), Field { kind: Some(Kind::StringValue(decision)) })].into_iter().collect(),
    });
    McpRequestResult {
        result: Some(mcp_request_result::Result::Pass(Pass {})),
        header_mutation: Some(HeaderMutation { set, remove }),
        metadata,
    }
}

/// A no as the gateway tells it to the client.
fn error(denial: &Denial) -> AuthorizationError {
    let code = match denial.status {
        StatusCode::SERVICE_UNAVAILABLE => Code::ResourceExhausted,
        StatusCode::BAD_REQUEST => Code::Invalid,
        _ => Code::PermissionDenied,
    };
    let reason = match &denial.refusal.help {
        Some(help) => format!("{}; {help}", denial.refusal),
        None => denial.refusal.to_string(),
    };
    let mut data = denial.problem();
    let document = refuse::document(&denial.refusal, denial.decision, denial.approval);
    data.insert(refuse::REFUSAL_MEMBER.to_owned(), document);
    let mcp_error = Some(Value::Object(data).to_string().into_bytes());
    AuthorizationError { code: code as i32, reason, mcp_error }
}
