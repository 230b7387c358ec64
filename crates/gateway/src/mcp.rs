//! The Model Context Protocol as a door: from bytes to the gate and back, in its stateless generation (2026-07-28) and in
//! those that begin with a handshake (2025-11-25, 2025-06-18).

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::answer::RpcError;
use crate::caller::Caller;
use crate::door::Door;
use crate::upstream::Governed;
use crate::{Gateway, refuse};

pub(crate) mod access;
mod call;
mod carry;
mod discover;
pub(crate) mod envelope;
pub(crate) mod features;
mod handles;
mod legacy;
mod listen;
mod modern;
mod parked;
pub(crate) mod reply;
mod sessions;
pub(crate) mod sse;
pub(crate) mod streams;
pub(crate) mod strict;
pub(crate) mod tools;

pub(crate) use handles::Handles;
pub(crate) use legacy::end as end_session;
pub(crate) use legacy::listen as open_stream;
pub(crate) use parked::ParkingLot;
pub(crate) use sessions::Sessions;
pub(crate) use streams::Streams;

use envelope::Message;

/// The generation without a handshake.
pub(crate) const MODERN: &str = "2026-07-28";

/// The generations with a handshake, newest first.
pub(crate) const HANDSHAKE: [&str; 2] = ["2025-11-25", "2025-06-18"];

/// Members of `params._meta` that describe a request of [`MODERN`].
pub(crate) const VERSION_MEMBER: &str = "io.modelcontextprotocol/protocolVersion";
pub(crate) const CAPABILITIES_MEMBER: &str = "io.modelcontextprotocol/clientCapabilities";
pub(crate) const CLIENT_MEMBER: &str = "io.modelcontextprotocol/clientInfo";

/// Headers of the protocol.
pub(crate) const VERSION_HEADER: &str = "mcp-protocol-version";
pub(crate) const METHOD_HEADER: &str = "mcp-method";
pub(crate) const NAME_HEADER: &str = "mcp-name";
pub(crate) const SESSION_HEADER: &str = "mcp-session-id";

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// 2026-07-28: every request stands alone.
    Modern,
    /// Before: a handshake, then requests that refer to it.
    Legacy,
}

/// One posted message of a known caller.
#[derive(Debug)]
pub(crate) struct Posted {
    pub caller: Caller,
    pub door: Door,
    pub headers: HeaderMap,
    pub body: bytes::Bytes,
}

/// Answers one posted message.
pub(crate) async fn answer(gateway: Arc<Gateway>, posted: Posted) -> Response {
    let message = match envelope::parse(&posted.body) {
        Ok(message) => message,
        // Both generations take this error with 400: there is no readable request that it could answer otherwise.
        Err(error) => {
            let said = refuse::protocol(error.code, error.sentence);
            return reply::error(StatusCode::BAD_REQUEST, error.id.as_ref(), &said, None);
        }
    };
    match generation(&posted.headers, &message) {
        Ok(Generation::Modern) => modern::answer(gateway, posted, message).await,
        Ok(Generation::Legacy) => legacy::answer(gateway, posted, message).await,
        Err(sentence) => {
            let said = refuse::protocol(refuse::HEADER_MISMATCH, sentence);
            reply::error(StatusCode::BAD_REQUEST, message.id(), &said, None)
        }
    }
}

/// A version that is one of a handshake, or none at all, is of the older generations; anything else is held to the rules of
/// the newest. A body that describes itself as the newest is that, whatever its headers leave out; where they say otherwise, two
/// readers would take it for two different requests.
fn generation(headers: &HeaderMap, message: &Message) -> Result<Generation, &'static str> {
    let described = message.params().and_then(|params| params.get("_meta")).and_then(|meta| meta.get(VERSION_MEMBER));
    let mut versions = headers.get_all(VERSION_HEADER).iter();
    let version = versions.next();
    if versions.next().is_some() {
        return Err("the header `mcp-protocol-version` is there more than once");
    }
    let Some(version) = version else {
        return Ok(if described.is_some_and(Value::is_string) { Generation::Modern } else { Generation::Legacy });
    };
    match HANDSHAKE.into_iter().find(|known| version.as_bytes() == known.as_bytes()) {
        None => Ok(Generation::Modern),
        Some(known) if described.is_none_or(|described| described == known) => Ok(Generation::Legacy),
        Some(_) => Err("the header `mcp-protocol-version` does not say the version that the body does"),
    }
}

/// Whether the headers of a message say nothing else than the message itself. Whoever decides on the one and routes by the other could be misled.
pub(crate) fn must_agree(headers: &HeaderMap, message: &Message) -> Result<(), RpcError> {
    let generation = generation(headers, message).map_err(|said| refuse::protocol(refuse::HEADER_MISMATCH, said))?;
    match (generation, message) {
        (Generation::Modern, Message::Request { method, params, .. }) => modern::check(headers, method, params),
        _ => Ok(()),
    }
}

/// The governed request behind a method's name.
pub(crate) fn governed(method: &str) -> Option<Governed> {
    Governed::ALL.into_iter().find(|governed| governed.method() == method)
}

/// Whether the client takes an answer as a stream of events.
fn accepts_stream(headers: &HeaderMap) -> bool {
    let accepts = |value: &http::HeaderValue| {
        value.to_str().is_ok_and(|value| {
            value.split(',').any(|kind| {
                let kind = kind.split(';').next().unwrap_or_default().trim();
                kind.eq_ignore_ascii_case("text/event-stream") || kind == "*/*"
            })
        })
    };
    headers.get_all(http::header::ACCEPT).iter().any(accepts)
}
