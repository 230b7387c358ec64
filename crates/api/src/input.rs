//! Reading requests: strictly, and with an answer that says what is wrong.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use remit_domain::Refusal;
use remit_identity::json::Members;
use serde::de::DeserializeOwned;

use crate::{Api, Problem, limits};

#[cfg(test)]
mod tests;

/// A JSON body. An empty one counts as an empty object, so that actions without details need none.
#[derive(Debug)]
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = Bytes::from_request(request, api).await.map_err(|_| {
            let sentence =
                format!("the request's body cannot be read, or has more than {} bytes", limits::BODY_BYTES_MAX);
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Refusal::new("body_too_large", sentence))
        })?;
        // A form on another site can post text, but not JSON.
        let json = content_type.is_some_and(|value| value.to_str().is_ok_and(is_json));
        if !bytes.is_empty() && !json {
            let refusal =
                Refusal::new("bad_content_type", "the request's body is not JSON").help("send `application/json`");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal));
        }
        Ok(Self(read(&bytes)?))
    }
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads one JSON object whose members are all known, and named once.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    // Members that are named twice could mean one thing to us and another to whoever checked the request before.
    Members::parse(bytes).map_err(|error| Refusal::new("bad_request", error.to_string()))?;
    serde_json::from_slice(bytes).map_err(|error| {
        Refusal::new("bad_request", format!("the request's body cannot be used: {error}"))
            .help("`remit schema openapi` describes every request")
    })
}

/// The query of the address, as a typed value.
#[derive(Debug)]
pub(crate) struct Ask<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Ask<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(query) = Query::try_from_uri(&parts.uri).map_err(|error| {
            Refusal::new("bad_query", format!("the address cannot be used: {}", error.body_text()))
                .help("`remit schema openapi` describes every request")
        })?;
        Ok(Self(query))
    }
}
