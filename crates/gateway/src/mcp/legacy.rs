//! The generations with a handshake, 2025-11-25 and 2025-06-18.
//!
//! Every request still carries its credential. A session only relates a request to the notification that cancels it; it is
//! bound to the task that began it and proves nothing.

use std::sync::Arc;
use std::time::Instant;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::envelope::{Message, RequestId};
use super::{Generation, HANDSHAKE, Posted, SESSION_HEADER};
use super::{accepts_stream, call, discover, reply, tools};
use crate::attempt::ToolCall;
use crate::{Gateway, refuse};

/// Answers a message of these generations: once the caller is known, always with status 200, since clients show no other.
pub(super) async fn answer(gateway: Arc<Gateway>, posted: Posted, message: Message) -> Response {
    let session = match session(&gateway, &posted) {
        Ok(session) => session,
        Err(response) => return response,
    };
    let (id, method, params) = match message {
        Message::Request { id, method, params } => (id, method, params),
        Message::Notification { method, params } => {
            if method == "notifications/cancelled" {
                cancel(&gateway, session.as_deref(), &params);
            }
            return StatusCode::ACCEPTED.into_response();
        }
        Message::Response => return StatusCode::ACCEPTED.into_response(),
    };
    if method != "tools/call"
        && let Some(ended) = &posted.caller.ended
    {
        return reply::unknown(&gateway, &refuse::ended(ended), Some(&id));
    }
    match method.as_str() {
        "initialize" => initialize(&gateway, &posted, &id, &params),
        "ping" => reply::result(Generation::Legacy, &id, Map::new(), None),
        "tools/list" => match tools::list(&gateway, &posted.caller, &posted.door, &params).await {
            Ok(page) => reply::result(Generation::Legacy, &id, page, None),
            Err(error) => reply::error(StatusCode::OK, Some(&id), &error, None),
        },
        "tools/call" => tools_call(gateway, posted, session, id, params).await,
        _ => {
            let error = refuse::protocol(refuse::METHOD_NOT_FOUND, "Method not found");
            reply::error(StatusCode::OK, Some(&id), &error, None)
        }
    }
}

/// Ends a session. Whether there was one is said only to the task that it belongs to.
pub(crate) fn end(gateway: &Gateway, posted: &Posted) -> Response {
    let session = posted.headers.get(SESSION_HEADER).and_then(|session| session.to_str().ok());
    match session {
        Some(session) if gateway.sessions.end(session, posted.caller.task) => StatusCode::NO_CONTENT.into_response(),
        Some(_) => reply::no_session(),
        None => reply::only_post(),
    }
}

/// The session that the request names, if it names one. One of another task is as good as none: knowing its id proves
/// nothing.
#[expect(clippy::result_large_err, reason = "the error is the answer itself, and is made once per request at most")]
fn session(gateway: &Gateway, posted: &Posted) -> Result<Option<String>, Response> {
    let Some(named) = posted.headers.get(SESSION_HEADER) else { return Ok(None) };
    let named = named.to_str().map_err(|_| reply::no_session())?;
    if gateway.sessions.touch(named, posted.caller.task, Instant::now()) {
        Ok(Some(named.to_owned()))
    } else {
        Err(reply::no_session())
    }
}

fn initialize(gateway: &Gateway, posted: &Posted, id: &RequestId, params: &Map<String, Value>) -> Response {
    let wanted = params.get("protocolVersion").and_then(Value::as_str);
    // A version that needs no handshake, or that nobody knows, gets the newest that has one; the client then decides.
    let version = HANDSHAKE.into_iter().find(|known| Some(*known) == wanted).unwrap_or(HANDSHAKE[0]);
    let Some(session) = gateway.sessions.begin(posted.caller.task, Instant::now()) else {
        return reply::unavailable(
            id,
            &remit_domain::Refusal::new("overloaded", "too many sessions are open").help("try again later"),
        );
    };
    let mut response = reply::result(Generation::Legacy, id, discover::initialized(version), None);
    if let Ok(session) = HeaderValue::from_str(&session) {
        response.headers_mut().insert(SESSION_HEADER, session);
    }
    response
}

async fn tools_call(
    gateway: Arc<Gateway>,
    posted: Posted,
    session: Option<String>,
    id: RequestId,
    params: Map<String, Value>,
) -> Response {
    let cancelled = CancellationToken::new();
    let in_flight = session.map(|session| gateway.sessions.carry(session, id.clone(), cancelled.clone()));
    let accepts_stream = accepts_stream(&posted.headers);
    let link = call::Link { generation: Generation::Legacy, id, accepts_stream, cancelled, in_flight };
    call::answer(gateway, posted.caller, ToolCall::read(&posted.door, params), link).await
}

/// A client no longer wants an answer. Only requests of its own session can be meant.
fn cancel(gateway: &Gateway, session: Option<&str>, params: &Map<String, Value>) {
    if let (Some(session), Some(id)) = (session, params.get("requestId").and_then(RequestId::of)) {
        gateway.sessions.cancel(session, &id);
    }
}
