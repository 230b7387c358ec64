//! 2026-07-28: every request says all about itself, in its headers and again in its body, and both must agree.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use remit_domain::Refusal;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::carry::{Carrier, INPUT_REQUEST};
use super::envelope::{Message, RequestId};
use super::parked::Parked;
use super::{
    CAPABILITIES_MEMBER, Generation, METHOD_HEADER, MODERN, NAME_HEADER, Posted, VERSION_HEADER, VERSION_MEMBER,
};
use super::{accepts_stream, call, discover, features, listen, reply, tools};
use crate::answer::{Body, RpcError};
use crate::call::{Call, CallError, RESPONSES_MEMBER, STATE_MEMBER};
use crate::caller::Caller;
use crate::client::{Manner, TASKS_EXTENSION, known_capabilities};
use crate::request_state::{Binding, Continues};
use crate::upstream::Governed;
use crate::{Gateway, hold, refuse};

#[cfg(test)]
mod tests;

/// Answers a message of this generation.
pub(super) async fn answer(gateway: Arc<Gateway>, posted: Posted, message: Message) -> Response {
    let (id, method, params) = match message {
        Message::Request { id, method, params } => (id, method, params),
        // There are no notifications from clients in this generation; whoever sends one expects no answer.
        Message::Notification { .. } => return StatusCode::ACCEPTED.into_response(),
        Message::Response { .. } => {
            let error = refuse::protocol(refuse::INVALID_REQUEST, "the body must be a request");
            return reply::error(StatusCode::BAD_REQUEST, None, &error, None);
        }
    };
    if let Err(error) = check(&posted.headers, &method, &params) {
        return reply::error(StatusCode::BAD_REQUEST, Some(&id), &error, None);
    }
    if super::governed(&method).is_none()
        && let Some(ended) = &posted.caller.ended
    {
        return reply::unknown(&gateway, &posted.door, &refuse::ended(ended), Some(&id));
    }
    if let Some(governed) = super::governed(&method).filter(|governed| !governed.is_gone()) {
        if governed.is_list() && !features::lists(&gateway, &posted.caller, &posted.door, governed) {
            return unknown(&id, method);
        }
        return answer_governed(gateway, posted, id, governed, params).await;
    }
    match method.as_str() {
        "server/discover" => {
            let capabilities = features::capabilities(&gateway, &posted.caller, &posted.door);
            reply::result(Generation::Modern, &id, discover::discovered(capabilities), None)
        }
        "tools/list" => match tools::list(&gateway, &posted.caller, &posted.door, &params).await {
            Ok(mut page) => {
                reply::uncached(&mut page);
                reply::result(Generation::Modern, &id, page, None)
            }
            Err(error) => reply::error(StatusCode::BAD_REQUEST, Some(&id), &error, None),
        },
        "subscriptions/listen" => listen::answer(gateway, &posted, id, &params).await,
        "tasks/get" | "tasks/update" | "tasks/cancel" => later(&gateway, &posted, &id, &method, &params),
        _ => unknown(&id, method),
    }
}

fn unknown(id: &RequestId, method: String) -> Response {
    let error =
        RpcError { data: Some(method.into()), ..refuse::protocol(refuse::METHOD_NOT_FOUND, "Method not found") };
    reply::error(StatusCode::NOT_FOUND, Some(id), &error, None)
}

/// What became of a call that waits for a person (SEP-2663).
fn later(gateway: &Gateway, posted: &Posted, id: &RequestId, method: &str, params: &Map<String, Value>) -> Response {
    if !manner(params).takes_handles() {
        let data = json!({"requiredCapabilities": {"extensions": {TASKS_EXTENSION: {}}}});
        let error = refuse::protocol(refuse::MISSING_CAPABILITY, "Missing required client capability");
        let error = RpcError { data: Some(data), ..error };
        return reply::error(StatusCode::BAD_REQUEST, Some(id), &error, None);
    }
    let answered = match method {
        "tasks/get" => gateway.handles.show(&posted.caller, params),
        "tasks/update" => gateway.handles.update(&posted.caller, params),
        _ => gateway.handles.cancel(&posted.caller, params),
    };
    match answered {
        Ok(result) => reply::result(Generation::Modern, id, result, None),
        Err(error) => reply::error(StatusCode::BAD_REQUEST, Some(id), &error, None),
    }
}

/// How the client of a request speaks, from the request itself.
fn manner(params: &Map<String, Value>) -> Manner {
    let capabilities = params.get("_meta").and_then(|meta| meta.get(CAPABILITIES_MEMBER)).and_then(Value::as_object);
    Manner {
        modern: true,
        capabilities: Arc::new(capabilities.map(known_capabilities).unwrap_or_default()),
        can_be_asked: true,
        ..Manner::default()
    }
}

async fn answer_governed(
    gateway: Arc<Gateway>,
    posted: Posted,
    id: RequestId,
    governed: Governed,
    params: Map<String, Value>,
) -> Response {
    let link = call::Link {
        generation: Generation::Modern,
        id,
        accepts_stream: accepts_stream(&posted.headers),
        manner: manner(&params),
        session: None,
        // Leaving the stream is how a client of this generation cancels.
        cancelled: CancellationToken::new(),
        in_flight: None,
    };
    if governed.is_list() {
        return match features::list(&gateway, &posted.caller, &posted.door, governed, params).await {
            Ok(mut answer) => {
                if let Body::Result(page) = &mut answer.body {
                    reply::uncached(page);
                }
                reply::answer(Generation::Modern, &link.id, features::as_error(governed, answer))
            }
            Err(error) => reply::unread(Generation::Modern, &link.id, error),
        };
    }
    let read = Call::read(&posted.door, governed, params).and_then(|call| call.without(STATE_MEMBER));
    match read {
        Ok((call, None)) => call::answer(gateway, posted.caller, call, link).await,
        Ok((call, Some(Value::String(state)))) => resume(gateway, posted.caller, call, &state, link).await,
        Ok((_, Some(_))) => {
            let error = CallError::Malformed("`params.requestState` must be a string".to_owned());
            reply::unread(Generation::Modern, &link.id, error)
        }
        Err(error) => reply::unread(Generation::Modern, &link.id, error),
    }
}

/// Continues a request with the state that the client brought back. What does not fit it is refused, each with its own code.
async fn resume(gateway: Arc<Gateway>, caller: Caller, call: Call, state: &str, link: call::Link) -> Response {
    let refused = |refusal: &Refusal| {
        tracing::warn!(agent = %caller.agent, task = %caller.task, code = refusal.code, "a request could not be continued");
        reply::error(StatusCode::BAD_REQUEST, Some(&link.id), &refuse::error(refuse::INVALID_PARAMS, refusal), None)
    };
    if let Some(ended) = &caller.ended {
        return refused(ended);
    }
    let binding = gateway.engine.read(|state| Binding::of(state, &caller, &call));
    let now = gateway.engine.now().as_seconds();
    let continues = match gateway.request_states.open(state, &binding, now) {
        Ok(continues) => continues,
        Err(refusal) => return refused(&refusal),
    };
    let continued = match continues {
        Continues::Upstream { state } => call.with([(STATE_MEMBER.to_owned(), state.into())].into_iter().collect()),
        Continues::Parked { call: name } => match gateway.parked.take(&name) {
            Some(parked) => return unpark(gateway, caller, call, parked, link).await,
            None => {
                let refusal = Refusal::new("call_not_waiting", "this call does not wait for an answer any more");
                return refused(&refusal.help("look at what it may have done before making it again"));
            }
        },
        Continues::Approval { approval, round, carried } => call.without(RESPONSES_MEMBER).and_then(|(call, said)| {
            if said.is_some_and(|said| said.get(hold::APPROVAL_REQUEST).is_some_and(hold::declines)) {
                return Err(CallError::Refused(refuse::declined_at_client(approval)));
            }
            let call = call.with(carried)?;
            Ok(Call { approval: Some(approval), round, ..call })
        }),
    };
    match continued {
        Ok(call) => call::answer(gateway, caller, call, link).await,
        Err(error) => reply::unread(Generation::Modern, &link.id, error),
    }
}

/// Gives an open call what its upstream asked for, and follows it on.
async fn unpark(gateway: Arc<Gateway>, caller: Caller, call: Call, parked: Parked, link: call::Link) -> Response {
    let Parked { question, steps, .. } = parked;
    let (progress_token, log_level) = (call.progress_token.clone(), call.log_level.clone());
    let said = match call.without(RESPONSES_MEMBER) {
        Ok((call, said)) => (call, said.and_then(|said| said.get(INPUT_REQUEST).cloned())),
        Err(error) => return reply::unread(Generation::Modern, &link.id, error),
    };
    let (call, said) = said;
    let carrier = call::carrier(gateway, caller, Arc::new(call), Generation::Modern, link.id, steps);
    let mut carrier = Carrier { accepts_stream: link.accepts_stream, progress_token, log_level, ..carrier };
    let Some(said) = said else {
        // What was asked is not there: it is asked again.
        let end = carrier.park(question);
        return reply::written(end.status, end.body, end.decision, None);
    };
    let _ = question.answer.send(Ok(said));
    call::respond(carrier).await
}

/// The ladder of checks, in the order in which the reference servers apply them.
///
/// INVARIANT: whatever is decided, is decided on the body; a header that says otherwise would only serve to mislead whoever
/// routes by it, so it is refused.
pub(super) fn check(headers: &HeaderMap, method: &str, params: &Map<String, Value>) -> Result<(), RpcError> {
    let mismatch = |sentence: String| refuse::protocol(refuse::HEADER_MISMATCH, sentence);
    for name in [VERSION_HEADER, METHOD_HEADER, NAME_HEADER] {
        if headers.get_all(name).iter().count() > 1 {
            return Err(mismatch(format!("the header `{name}` is there more than once")));
        }
    }
    let meta = params.get("_meta").and_then(Value::as_object);
    let version = meta.and_then(|meta| meta.get(VERSION_MEMBER)).and_then(Value::as_str);
    let capabilities =
        meta.and_then(|meta| meta.get(CAPABILITIES_MEMBER)).filter(|capabilities| capabilities.is_object());
    let (Some(version), Some(_)) = (version, capabilities) else {
        let sentence = format!("`params._meta` must carry `{VERSION_MEMBER}` and `{CAPABILITIES_MEMBER}`");
        return Err(refuse::protocol(refuse::INVALID_PARAMS, sentence));
    };
    if plain(headers, VERSION_HEADER) != Some(version) {
        return Err(mismatch(format!("the header `{VERSION_HEADER}` does not say the version that the body does")));
    }
    if plain(headers, METHOD_HEADER) != Some(method) {
        return Err(mismatch(format!("the header `{METHOD_HEADER}` does not say the method that the body does")));
    }
    let named = match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    };
    if let Some(member) = named {
        let said = plain(headers, NAME_HEADER).and_then(decoded);
        if said.is_none() || said.as_deref() != params.get(member).and_then(Value::as_str) {
            return Err(mismatch(format!("the header `{NAME_HEADER}` does not say the `{member}` that the body does")));
        }
    }
    if version != MODERN {
        let data = json!({"supported": [MODERN], "requested": version});
        return Err(RpcError {
            data: Some(data),
            ..refuse::protocol(refuse::UNSUPPORTED_VERSION, "Unsupported protocol version")
        });
    }
    Ok(())
}

fn plain<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A header's value in clear: as it is, or from `=?base64?…?=` where it has characters that headers cannot carry.
fn decoded(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|value| value.strip_suffix("?=")) {
        Some(encoded) => STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
        None => Some(value.to_owned()),
    }
}
