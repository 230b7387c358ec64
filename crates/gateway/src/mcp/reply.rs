//! Answers in the form that each generation expects, as HTTP responses.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use remit_domain::{ActionId, Refusal};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Generation;
use super::envelope::RequestId;
use crate::answer::{Answer, Body as Answered, RpcError};
use crate::call::CallError;
use crate::caller::Unknown;
use crate::door::Door;
use crate::{Gateway, metadata, refuse};

/// The header with which every answer names the decision behind it.
pub(crate) const DECISION_HEADER: &str = "remit-decision";

/// The member of `_meta` that says the same inside the protocol.
pub(crate) const DECISION_MEMBER: &str = "remit/decision";

/// How long a client should wait when nothing can be decided, in seconds.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

#[derive(Serialize)]
struct Envelope<'a> {
    jsonrpc: &'static str,
    /// `null` where the request's id could not be read (JSON-RPC 2.0 section 5).
    id: Option<&'a RequestId>,
    #[serde(flatten)]
    answer: Said<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Said<'a> {
    Result(&'a Map<String, Value>),
    Error(&'a RpcError),
}

fn envelope(id: Option<&RequestId>, answer: Said<'_>) -> Vec<u8> {
    let bytes = serde_json::to_vec(&Envelope { jsonrpc: "2.0", id, answer });
    bytes.unwrap_or_else(|_| {
        br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"the answer cannot be written"}}"#.to_vec()
    })
}

/// An answer as a status and a document.
pub(super) fn document(generation: Generation, id: &RequestId, answer: Answer) -> (StatusCode, Vec<u8>) {
    match answer.body {
        Answered::StepUp { mut result, .. } => {
            name_decision(&mut result, answer.decision);
            complete(generation, &mut result);
            (StatusCode::FORBIDDEN, envelope(Some(id), Said::Result(&result)))
        }
        Answered::Result(mut result) => {
            name_decision(&mut result, answer.decision);
            complete(generation, &mut result);
            (StatusCode::OK, envelope(Some(id), Said::Result(&result)))
        }
        Answered::Error(error) => (status_of(generation, &error), envelope(Some(id), Said::Error(&error))),
        // Only who can make a request again is asked by a result.
        Answered::InputRequired(_) => {
            let error = refuse::protocol(refuse::INTERNAL_ERROR, "the client cannot be asked");
            (StatusCode::OK, envelope(Some(id), Said::Error(&error)))
        }
        Answered::Unavailable(refusal) => {
            (StatusCode::SERVICE_UNAVAILABLE, envelope(Some(id), Said::Error(&refuse::unavailable(&refusal))))
        }
    }
}

/// 2026-07-28 wants a capability that is missing answered with 400.
fn status_of(generation: Generation, error: &RpcError) -> StatusCode {
    match (generation, error.code) {
        (Generation::Modern, refuse::MISSING_CAPABILITY) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// What is answered depends on the caller and on this very moment: kept any longer it would outlive a revocation.
pub(super) fn uncached(result: &mut Map<String, Value>) {
    result.insert("ttlMs".to_owned(), 0.into());
    result.insert("cacheScope".to_owned(), "private".into());
}

/// What is asked of a client of 2026-07-28 before there can be a result.
pub(super) fn asking(
    id: &RequestId,
    mut result: Map<String, Value>,
    decision: Option<ActionId>,
) -> (StatusCode, Vec<u8>) {
    result.insert("resultType".to_owned(), "input_required".into());
    name_decision(&mut result, decision);
    (StatusCode::OK, envelope(Some(id), Said::Result(&result)))
}

/// A handle with which the result can be fetched later (SEP-2663).
pub(super) fn handle(id: &RequestId, mut handle: Map<String, Value>, decision: ActionId) -> (StatusCode, Vec<u8>) {
    handle.insert("resultType".to_owned(), "task".into());
    name_decision(&mut handle, Some(decision));
    (StatusCode::OK, envelope(Some(id), Said::Result(&handle)))
}

/// Names the decision behind a result.
pub(super) fn name_decision(result: &mut Map<String, Value>, decision: Option<ActionId>) {
    let Some(decision) = decision else { return };
    let meta = result.entry("_meta").or_insert_with(|| Value::Object(Map::new()));
    if let Some(meta) = meta.as_object_mut() {
        meta.insert(DECISION_MEMBER.to_owned(), decision.to_string().into());
    }
}

/// Every result of 2026-07-28 says of what type it is; before, none does.
fn complete(generation: Generation, result: &mut Map<String, Value>) {
    if generation == Generation::Modern {
        result.insert("resultType".to_owned(), "complete".into());
    }
}

/// An answer as one document.
pub(super) fn answer(generation: Generation, id: &RequestId, answer: Answer) -> Response {
    let decision = answer.decision;
    let (status, body) = document(generation, id, answer);
    respond(status, body, decision)
}

/// A result.
pub(super) fn result(
    generation: Generation,
    id: &RequestId,
    mut result: Map<String, Value>,
    decision: Option<ActionId>,
) -> Response {
    complete(generation, &mut result);
    respond(StatusCode::OK, envelope(Some(id), Said::Result(&result)), decision)
}

/// An error.
pub(crate) fn error(
    status: StatusCode,
    id: Option<&RequestId>,
    error: &RpcError,
    decision: Option<ActionId>,
) -> Response {
    respond(status, envelope(id, Said::Error(error)), decision)
}

/// Nothing can be decided now.
pub(super) fn unavailable(id: &RequestId, refusal: &Refusal) -> Response {
    respond(StatusCode::SERVICE_UNAVAILABLE, envelope(Some(id), Said::Error(&refuse::unavailable(refusal))), None)
}

/// The gateway takes no more requests.
pub(crate) fn stopping() -> Response {
    match refuse::stopping().body {
        Answered::Unavailable(refusal) => {
            error(StatusCode::SERVICE_UNAVAILABLE, None, &refuse::unavailable(&refusal), None)
        }
        _ => respond(StatusCode::SERVICE_UNAVAILABLE, Vec::new(), None),
    }
}

/// Nobody knows who asks at `door`, or whoever it is is not let in.
pub(crate) fn unknown(gateway: &Gateway, door: &Door, unknown: &Unknown, id: Option<&RequestId>) -> Response {
    let scope = metadata::scope(door);
    let unanswered = refuse::unknown(unknown, &metadata::address(gateway, door), scope.as_deref());
    let mut response = error(unanswered.status, id, &unanswered.error, None);
    challenge(&mut response, unanswered.challenge.as_deref());
    response
}

/// Says what credential would help.
fn challenge(response: &mut Response, challenge: Option<&str>) {
    if let Some(challenge) = challenge.and_then(|challenge| HeaderValue::from_str(challenge).ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
}

/// There is no such session of this task. Clients begin a new one at this status.
pub(super) fn no_session() -> Response {
    error(StatusCode::NOT_FOUND, None, &refuse::protocol(refuse::INVALID_REQUEST, "Session not found"), None)
}

/// A request whose params cannot be read, or ask for something that cannot be.
pub(super) fn unread(generation: Generation, id: &RequestId, error: CallError) -> Response {
    match error {
        CallError::Refused(refusal) => answer(generation, id, refuse::refusal(&refusal)),
        CallError::Malformed(sentence) => {
            let status = if generation == Generation::Modern { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            self::error(status, Some(id), &refuse::protocol(refuse::INVALID_PARAMS, sentence), None)
        }
    }
}

/// No more streams can be kept.
pub(super) fn no_room(id: &RequestId) -> Response {
    unavailable(id, &Refusal::new("overloaded", "too many streams are open").help("try again later"))
}

/// An answer that was written before. For a caller whose token does not reach far enough its status and `wider` say so to the client; the
/// refusal is in it all the same.
pub(super) fn written(status: StatusCode, body: Vec<u8>, decision: Option<ActionId>, wider: Option<&str>) -> Response {
    let mut response = respond(status, body, decision);
    challenge(&mut response, wider);
    response
}

/// Only POST is served here; streams are answers to requests.
pub(crate) fn only_post() -> Response {
    let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, Vec::new(), None);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// Puts the decision's name on an answer.
pub(super) fn mark(response: &mut Response, decision: Option<ActionId>) {
    if let Some(decision) = decision.and_then(|decision| HeaderValue::from_str(&decision.to_string()).ok()) {
        response.headers_mut().insert(DECISION_HEADER, decision);
    }
}

fn respond(status: StatusCode, body: Vec<u8>, decision: Option<ActionId>) -> Response {
    let written = !body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if written {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, RETRY_SECONDS);
    }
    mark(&mut response, decision);
    response
}
