//! What the gateway's listener serves, and to whom it listens at all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{Method, StatusCode, header};
use remit_identity::x509::PeerSvid;
use tower_http::catch_panic::CatchPanicLayer;

use crate::caller::{Asked, Caller, Unknown, identify, sandbox};
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
        .route("/legacy/{account}/{workflow}/mcp", any(legacy_all))
        .route("/legacy/{account}/{workflow}/mcp/{connector}", any(legacy_one))
        .route(metadata::ROOT_PATH, get(resource))
        .route(metadata::PATH, get(resource))
        .route(&format!("{}/{{connector}}", metadata::PATH), get(resource_of_one))
        .layer(middleware::from_fn_with_state(Arc::clone(&gateway), from_here))
        .layer(CatchPanicLayer::new())
        .with_state(listener)
}

/// An account that several workflows share, and which of them the address says it is.
#[derive(Debug)]
struct Legacy {
    account: String,
    workflow: String,
}

async fn all(State(listener): State<Listener>, request: Request) -> Response {
    serve(listener, Door::All, None, request).await
}

async fn one(State(listener): State<Listener>, Path(connector): Path<String>, request: Request) -> Response {
    match door(connector) {
        Some(door) => serve(listener, door, None, request).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn legacy_all(
    State(listener): State<Listener>,
    Path((account, workflow)): Path<(String, String)>,
    request: Request,
) -> Response {
    serve(listener, Door::All, Some(Legacy { account, workflow }), request).await
}

async fn legacy_one(
    State(listener): State<Listener>,
    Path((account, workflow, connector)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    match door(connector) {
        Some(door) => serve(listener, door, Some(Legacy { account, workflow }), request).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The door of one connector. A name that could be read as connector and tool at once would be decided as something else than it was
/// asked for. One that is too long cannot have been added, and would only fill the ledger.
fn door(connector: String) -> Option<Door> {
    let odd = connector.contains('/') || connector.len() > remit_domain::limits::NAME_BYTES_MAX;
    (!odd).then_some(Door::One(connector))
}

async fn resource(State(listener): State<Listener>) -> Response {
    described(&listener, &Door::All)
}

async fn resource_of_one(State(listener): State<Listener>, Path(connector): Path<String>) -> Response {
    described(&listener, &Door::One(connector))
}

fn described(listener: &Listener, door: &Door) -> Response {
    match metadata::document(&listener.gateway, door) {
        Some(document) => axum::Json(document).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Who sends a request.
async fn identified(
    gateway: &Gateway,
    entrance: Entrance,
    parts: &http::request::Parts,
    door: &Door,
    legacy: Option<&Legacy>,
) -> Result<Caller, Unknown> {
    let asked = Asked {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        address: None,
        door,
        legacy: legacy.map(|legacy| (legacy.account.as_str(), legacy.workflow.as_str())),
        peer: parts.extensions.get::<PeerSvid>(),
        from: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip()),
    };
    match entrance {
        // Apart, since it is large and most of it is seldom needed.
        Entrance::Tokens => Box::pin(identify(gateway, &parts.headers, asked)).await,
        Entrance::Sandbox => sandbox(gateway),
    }
}

async fn serve(listener: Listener, door: Door, legacy: Option<Legacy>, request: Request) -> Response {
    let Listener { gateway, entrance } = listener;
    let (parts, body) = request.into_parts();
    if ![Method::POST, Method::DELETE, Method::GET].contains(&parts.method) {
        return reply::only_post();
    }
    if gateway.stopping.is_cancelled() {
        return reply::stopping();
    }
    // Who first: nothing that an unknown caller sends is looked at.
    let caller = match identified(&gateway, entrance, &parts, &door, legacy.as_ref()).await {
        Ok(caller) => caller,
        Err(unknown) => {
            discard(body).await;
            return reply::unknown(&gateway, &door, &unknown, None);
        }
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

/// Lets the rest of a refused request arrive. Many clients send it after its headers; without this, the connection would end under
/// them, on which they ask next where to sign in. Little and not for long, since it is nobody's.
async fn discard(body: Body) {
    let limit = Duration::from_secs(limits::REFUSED_SECONDS_MAX);
    drop(tokio::time::timeout(limit, axum::body::to_bytes(body, limits::REFUSED_BYTES_MAX)).await);
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
