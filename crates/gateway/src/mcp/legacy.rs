//! The generations with a handshake, 2025-11-25 and 2025-06-18.
//!
//! Every request still carries its credential. A session only relates a request to the notification that cancels it; it is
//! bound to the task that began it and proves nothing.

use std::sync::Arc;
use std::time::Instant;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use remit_domain::Feature;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::envelope::{Message, RequestId};
use super::streams::{self, Wants};
use super::{Generation, HANDSHAKE, Posted, SESSION_HEADER};
use super::{accepts_stream, call, discover, features, reply, tools};
use crate::call::{Call, CallError, RESPONSES_MEMBER, STATE_MEMBER, severity};
use crate::client::{Manner, known_capabilities};
use crate::upstream::Governed;
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
        Message::Response { id, said } => {
            if let Some(session) = &session {
                gateway.sessions.answer(session, &id, said);
            }
            return StatusCode::ACCEPTED.into_response();
        }
    };
    if super::governed(&method).is_none()
        && let Some(ended) = &posted.caller.ended
    {
        return reply::unknown(&gateway, &posted.door, &refuse::ended(ended), Some(&id));
    }
    let offered =
        |governed: &Governed| !governed.is_list() || features::lists(&gateway, &posted.caller, &posted.door, *governed);
    if let Some(governed) = super::governed(&method).filter(offered) {
        return answer_governed(gateway, posted, session, id, governed, params).await;
    }
    match method.as_str() {
        "initialize" => initialize(&gateway, &posted, &id, &params),
        "ping" => reply::result(Generation::Legacy, &id, Map::new(), None),
        "tools/list" => match tools::list(&gateway, &posted.caller, &posted.door, &params).await {
            Ok(page) => reply::result(Generation::Legacy, &id, page, None),
            Err(error) => reply::error(StatusCode::OK, Some(&id), &error, None),
        },
        "logging/setLevel" if features::any(&gateway, &posted.caller, &posted.door, Feature::Logging) => {
            set_level(&gateway, session.as_deref(), &id, &params)
        }
        _ => {
            let error = refuse::protocol(refuse::METHOD_NOT_FOUND, "Method not found");
            reply::error(StatusCode::OK, Some(&id), &error, None)
        }
    }
}

/// Opens the stream of a session, on which its client hears of changes.
pub(crate) fn listen(gateway: &Arc<Gateway>, posted: &Posted) -> Response {
    let session = match session(gateway, posted) {
        Ok(Some(session)) if accepts_stream(&posted.headers) => session,
        Ok(_) => return reply::only_post(),
        Err(response) => return response,
    };
    if let Some(ended) = &posted.caller.ended {
        return reply::unknown(gateway, &posted.door, &refuse::ended(ended), None);
    }
    let wants = Wants { tools: true, prompts: true, resources: true, ..Wants::default() };
    streams::open(gateway, &posted.caller, &posted.door, wants, None, Some(session)).unwrap_or_else(reply::only_post)
}

/// Which log messages the client of a session wants from now on.
fn set_level(gateway: &Gateway, session: Option<&str>, id: &RequestId, params: &Map<String, Value>) -> Response {
    let level = params.get("level").and_then(Value::as_str).filter(|level| severity(level).is_some());
    match (level, session) {
        (Some(level), Some(session)) => {
            gateway.sessions.set_log_level(session, level);
            reply::result(Generation::Legacy, id, Map::new(), None)
        }
        // Without a session there is nothing that could remember it.
        (Some(_), None) => reply::result(Generation::Legacy, id, Map::new(), None),
        (None, _) => {
            let error = refuse::protocol(refuse::INVALID_PARAMS, "`params.level` is none of the protocol's levels");
            reply::error(StatusCode::OK, Some(id), &error, None)
        }
    }
}

/// Ends a session. Whether there was one is said only to the task that it belongs to.
pub(crate) fn end(gateway: &Gateway, posted: &Posted) -> Response {
    match named(posted) {
        Ok(Some(session)) if gateway.sessions.end(session, posted.caller.task) => {
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(Some(_)) => reply::no_session(),
        Ok(None) => reply::only_post(),
        Err(response) => response,
    }
}

/// The session that the request names, if it names one. One of another task is as good as none: knowing its id proves
/// nothing.
#[expect(clippy::result_large_err, reason = "the error is the answer itself, and is made once per request at most")]
fn session(gateway: &Gateway, posted: &Posted) -> Result<Option<String>, Response> {
    let Some(named) = named(posted)? else { return Ok(None) };
    if gateway.sessions.touch(named, posted.caller.task, Instant::now()) {
        Ok(Some(named.to_owned()))
    } else {
        Err(reply::no_session())
    }
}

/// The id of a session as it was sent, whether there is such a session or not. Two are none: readers would disagree about which one counts.
#[expect(clippy::result_large_err, reason = "the error is the answer itself, and is made once per request at most")]
fn named(posted: &Posted) -> Result<Option<&str>, Response> {
    let mut named = posted.headers.get_all(SESSION_HEADER).iter();
    match (named.next(), named.next()) {
        (None, _) => Ok(None),
        (Some(named), None) => named.to_str().map(Some).map_err(|_| reply::no_session()),
        (Some(_), Some(_)) => Err(reply::no_session()),
    }
}

fn initialize(gateway: &Gateway, posted: &Posted, id: &RequestId, params: &Map<String, Value>) -> Response {
    let wanted = params.get("protocolVersion").and_then(Value::as_str);
    // A version that needs no handshake, or that nobody knows, gets the newest that has one; the client then decides.
    let version = HANDSHAKE.into_iter().find(|known| Some(*known) == wanted).unwrap_or(HANDSHAKE[0]);
    let capabilities = params.get("capabilities").and_then(Value::as_object);
    let capabilities = capabilities.map(known_capabilities).unwrap_or_default();
    let Some(session) = gateway.sessions.begin(posted.caller.task, capabilities, Instant::now()) else {
        return reply::unavailable(
            id,
            &remit_domain::Refusal::new("overloaded", "too many sessions are open").help("try again later"),
        );
    };
    let offered = features::capabilities(gateway, &posted.caller, &posted.door);
    let mut response = reply::result(Generation::Legacy, id, discover::initialized(version, offered), None);
    if let Ok(session) = HeaderValue::from_str(&session) {
        response.headers_mut().insert(SESSION_HEADER, session);
    }
    response
}

async fn answer_governed(
    gateway: Arc<Gateway>,
    posted: Posted,
    session: Option<String>,
    id: RequestId,
    governed: Governed,
    params: Map<String, Value>,
) -> Response {
    if governed.is_list() {
        return match features::list(&gateway, &posted.caller, &posted.door, governed, params).await {
            Ok(answer) => reply::answer(Generation::Legacy, &id, features::as_error(governed, answer)),
            Err(error) => reply::unread(Generation::Legacy, &id, error),
        };
    }
    let call = match Call::read(&posted.door, governed, params) {
        Ok(call) => call,
        Err(error) => return reply::unread(Generation::Legacy, &id, error),
    };
    // What belongs to the round trips of 2026-07-28 has no meaning from a client with a handshake: its server's state was never given to it.
    if [STATE_MEMBER, RESPONSES_MEMBER].iter().any(|member| call.params.contains_key(*member)) {
        let error = CallError::Malformed("this revision has no `requestState` and no `inputResponses`".to_owned());
        return reply::unread(Generation::Legacy, &id, error);
    }
    if matches!(governed, Governed::Subscribe | Governed::Unsubscribe)
        && let Some(response) = followed(&gateway, session.as_deref(), &id, &call)
    {
        return response;
    }
    let accepts_stream = accepts_stream(&posted.headers);
    let manner = match &session {
        Some(session) => {
            let (capabilities, log_level) = gateway.sessions.manner(session);
            Manner { capabilities, log_level, can_be_asked: accepts_stream, ..Manner::default() }
        }
        None => Manner::default(),
    };
    let cancelled = CancellationToken::new();
    let in_flight = match &session {
        Some(session) => match gateway.sessions.carry(session.clone(), id.clone(), cancelled.clone()) {
            Some(in_flight) => Some(in_flight),
            None => {
                let error =
                    refuse::protocol(refuse::INVALID_REQUEST, "a request of this session has this `id` already");
                return reply::error(StatusCode::OK, Some(&id), &error, None);
            }
        },
        None => None,
    };
    let link = call::Link { generation: Generation::Legacy, id, accepts_stream, manner, session, cancelled, in_flight };
    call::answer(gateway, posted.caller, call, link).await
}

/// The answer to a request about following a resource that the upstream need not hear of: others still follow it, or this session follows too
/// many. What is followed is noted when it was allowed.
fn followed(gateway: &Gateway, session: Option<&str>, id: &RequestId, call: &Call) -> Option<Response> {
    if call.method == Governed::Subscribe {
        let session = session?;
        let error = refuse::protocol(refuse::INVALID_PARAMS, "this session follows too many resources");
        return (!gateway.sessions.has_room(session)).then(|| reply::error(StatusCode::OK, Some(id), &error, None));
    }
    let followed = call.followed();
    let others =
        gateway.sessions.unfollow(session.unwrap_or_default(), &followed) || gateway.streams.follows(&followed);
    others.then(|| reply::result(Generation::Legacy, id, Map::new(), None))
}

/// A client no longer wants an answer. Only requests of its own session can be meant.
fn cancel(gateway: &Gateway, session: Option<&str>, params: &Map<String, Value>) {
    if let (Some(session), Some(id)) = (session, params.get("requestId").and_then(RequestId::of)) {
        gateway.sessions.cancel(session, &id);
    }
}
