//! 2026-07-28: every request says all about itself, in its headers and again in its body, and both must agree.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::envelope::{Message, RequestId};
use super::{
    CAPABILITIES_MEMBER, Generation, METHOD_HEADER, MODERN, NAME_HEADER, Posted, VERSION_HEADER, VERSION_MEMBER,
};
use super::{accepts_stream, call, discover, reply, tools};
use crate::answer::RpcError;
use crate::attempt::ToolCall;
use crate::{Gateway, refuse};

#[cfg(test)]
mod tests;

/// Answers a message of this generation.
pub(super) async fn answer(gateway: Arc<Gateway>, posted: Posted, message: Message) -> Response {
    let (id, method, params) = match message {
        Message::Request { id, method, params } => (id, method, params),
        // There are no notifications from clients in this generation; whoever sends one expects no answer.
        Message::Notification { .. } => return StatusCode::ACCEPTED.into_response(),
        Message::Response => {
            let error = refuse::protocol(refuse::INVALID_REQUEST, "the body must be a request");
            return reply::error(StatusCode::BAD_REQUEST, None, &error, None);
        }
    };
    if let Err(error) = check(&posted.headers, &method, &params) {
        return reply::error(StatusCode::BAD_REQUEST, Some(&id), &error, None);
    }
    if method != "tools/call"
        && let Some(ended) = &posted.caller.ended
    {
        return reply::unknown(&gateway, &refuse::ended(ended), Some(&id));
    }
    match method.as_str() {
        "server/discover" => reply::result(Generation::Modern, &id, discover::discovered(), None),
        "tools/list" => match tools::list(&gateway, &posted.caller, &posted.door, &params).await {
            Ok(mut page) => {
                // A list depends on the caller and on this very moment: kept any longer it would outlive a revocation.
                page.insert("ttlMs".to_owned(), 0.into());
                page.insert("cacheScope".to_owned(), "private".into());
                reply::result(Generation::Modern, &id, page, None)
            }
            Err(error) => reply::error(StatusCode::BAD_REQUEST, Some(&id), &error, None),
        },
        "tools/call" => tools_call(gateway, posted, id, params).await,
        _ => {
            let error = RpcError {
                data: Some(method.into()),
                ..refuse::protocol(refuse::METHOD_NOT_FOUND, "Method not found")
            };
            reply::error(StatusCode::NOT_FOUND, Some(&id), &error, None)
        }
    }
}

async fn tools_call(gateway: Arc<Gateway>, posted: Posted, id: RequestId, params: Map<String, Value>) -> Response {
    let link = call::Link {
        generation: Generation::Modern,
        id,
        accepts_stream: accepts_stream(&posted.headers),
        // Leaving the stream is how a client of this generation cancels.
        cancelled: CancellationToken::new(),
        in_flight: None,
    };
    call::answer(gateway, posted.caller, ToolCall::read(&posted.door, params), link).await
}

/// The ladder of checks, in the order in which the reference servers apply them.
///
/// INVARIANT: whatever is decided, is decided on the body; a header that says otherwise would only serve to mislead whoever
/// routes by it, so it is refused.
fn check(headers: &HeaderMap, method: &str, params: &Map<String, Value>) -> Result<(), RpcError> {
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
