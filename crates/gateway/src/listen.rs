//! What the gateway's listener serves, and to whom it listens at all.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{Method, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;

use crate::caller::{Asked, identify, sandbox};
use crate::door::Door;
use crate::mcp::{self, Posted, reply};
use crate::{Gateway, limits, metadata, refuse};

#[cfg(test)]
mod tests;

/// How callers of a listener say who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// By a task token.
    Tokens,
    /// Not at all: each is the agent `sandbox`, who reaches only what is marked for it.
    Sandbox,
}

/// A listener's part of the gateway.
#[derive(Clone)]
struct Listener {
    gateway: Arc<Gateway>,
    entrance: Entrance,
}

/// Every address of this listener. INVARIANT: none of them administers anything.
pub(crate) fn router(gateway: Arc<Gateway>, entrance: Entrance) -> Router {
    let listener = Listener { gateway: Arc::clone(&gateway), entrance };
    Router::new()
        .route("/mcp", any(all))
        .route("/mcp/{connector}", any(one))
        .route(metadata::PATH, get(resource))
        .route(&format!("{}/{{connector}}", metadata::PATH), get(resource))
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), from_here))
        .layer(CatchPanicLayer::new())
        .with_state(listener)
}

async fn all(State(listener): State<Listener>, request: Request) -> Response {
    serve(listener, Door::All, request).await
}

async fn one(State(listener): State<Listener>, Path(connector): Path<String>, request: Request) -> Response {
    // A name that could be read as connector and tool at once would be decided as something else than it was asked for.
    // One that is too long cannot have been added, and would only fill the ledger.
    if connector.contains('/') || connector.len() > remit_domain::limits::NAME_BYTES_MAX {
        return StatusCode::NOT_FOUND.into_response();
    }
    serve(listener, Door::One(connector), request).await
}

async fn resource(State(listener): State<Listener>) -> Response {
    axum::Json(metadata::document(&listener.gateway)).into_response()
}

async fn serve(listener: Listener, door: Door, request: Request) -> Response {
    let Listener { gateway, entrance } = listener;
    let (parts, body) = request.into_parts();
    if ![Method::POST, Method::DELETE, Method::GET].contains(&parts.method) {
        return reply::only_post();
    }
    if gateway.stopping.is_cancelled() {
        return reply::stopping();
    }
    // Who first: nothing that an unknown caller sends is read.
    let asked = Asked { method: parts.method.as_str(), path: parts.uri.path() };
    let identified = match entrance {
        Entrance::Tokens => identify(&gateway, &parts.headers, asked),
        Entrance::Sandbox => sandbox(&gateway),
    };
    let caller = match identified {
        Ok(caller) => caller,
        Err(unknown) => return reply::unknown(&gateway, &unknown, None),
    };
    tracing::debug!(
        agent = %caller.agent, run = %caller.run, task = %caller.task, acting_for = ?caller.acting_for,
        attribution = ?caller.attribution, "a caller is known"
    );
    let mut posted = Posted { caller, door, headers: parts.headers, body: bytes::Bytes::new() };
    match parts.method {
        Method::DELETE => return mcp::end_session(&gateway, &posted),
        Method::GET => return mcp::open_stream(&gateway, &posted),
        _ => {}
    }
    // A page in a browser can post other kinds without asking first.
    let json = posted.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(is_json);
    if !json {
        let error = refuse::protocol(refuse::INVALID_REQUEST, "the body must be `application/json`");
        return reply::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, None, &error, None);
    }
    posted.body = match read(body).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    mcp::answer(gateway, posted).await
}

fn is_json(kind: &str) -> bool {
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

async fn read(body: Body) -> Result<bytes::Bytes, Response> {
    let refused = |status: StatusCode, sentence: String| {
        reply::error(status, None, &refuse::protocol(refuse::INVALID_REQUEST, sentence), None)
    };
    let limit = Duration::from_secs(limits::REQUEST_SECONDS_MAX);
    match tokio::time::timeout(limit, axum::body::to_bytes(body, limits::REQUEST_BYTES_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let sentence = format!("the body was cut off, or is larger than {} bytes", limits::REQUEST_BYTES_MAX);
            Err(refused(StatusCode::PAYLOAD_TOO_LARGE, sentence))
        }
        Err(_) => Err(refused(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body did not arrive within {} seconds", limits::REQUEST_SECONDS_MAX),
        )),
    }
}

/// Only requests that name this machine, or a name that the operator gave: a page that resolved its own name to this machine
/// (DNS rebinding) names itself, in `Host` and in `Origin`.
async fn from_here(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let allowed = &gateway.settings.allowed_hosts;
    let headers = request.headers();
    let said = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    // HTTP/2 says it in the address.
    let host = said.or_else(|| request.uri().authority().map(http::uri::Authority::as_str)).unwrap_or_default();
    if headers.get_all(header::HOST).iter().count() > 1 || !is_known(host, allowed) {
        return (StatusCode::MISDIRECTED_REQUEST, "this name is not one of the gateway's").into_response();
    }
    let foreign = headers.get_all(header::ORIGIN).iter().any(|origin| {
        let host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map_or("", |(_, host)| host);
        !is_known(host, allowed)
    });
    if foreign {
        return (StatusCode::FORBIDDEN, "pages of this origin may not use the gateway").into_response();
    }
    next.run(request).await
}

/// Whether `host`, with or without a port, is a name of the loopback interface or one of `allowed`.
fn is_known(host: &str, allowed: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let loopback = ["127.0.0.1", "localhost", "[::1]"];
    !name.is_empty()
        && loopback.into_iter().chain(allowed.iter().map(String::as_str)).any(|known| name.eq_ignore_ascii_case(known))
}
