//! The echo: an MCP server that says what it was told, and costs as little as possible while it does.
//!
//! Speaks 2026-07-28 and the generations with a handshake (2025-11-25, 2025-06-18) over Streamable HTTP, without sessions and
//! without streams. It is there to be measured through: it asks nobody who they are, holds no header against the body, and
//! has no effect but its answer.

mod answers;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use answers::{Answer, Echo};

/// The one address of the protocol.
const PATH: &str = "/mcp";

/// Header in which a client names the version that it speaks.
const VERSION_HEADER: &str = "mcp-protocol-version";

/// Largest request body, in bytes: as much as Remit takes.
const REQUEST_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Serves the tool `echo` and `numbered` further ones at `/mcp` of `listener`, until `shutdown` is cancelled.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, numbered: usize, shutdown: CancellationToken) -> anyhow::Result<()> {
    let echo = Arc::new(Echo::new(numbered));
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.context("the echo's listener failed")?,
            () = shutdown.cancelled() => return Ok(()),
        };
        // An answer is one small write: it must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true).context("cannot set up a connection of the echo")?;
        tokio::spawn(converse(stream, Arc::clone(&echo)));
    }
}

async fn converse(stream: TcpStream, echo: Arc<Echo>) {
    let service = service_fn(move |request| {
        let echo = Arc::clone(&echo);
        async move { Ok::<_, Infallible>(respond(&echo, request).await) }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection of the echo ended");
    }
}

async fn respond(echo: &Echo, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.uri().path() != PATH {
        return empty(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::POST {
        let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let modern = request.headers().get(VERSION_HEADER).is_some_and(|version| version == answers::MODERN);
    match Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect().await {
        Ok(body) => match echo.answer(modern, &body.to_bytes()) {
            Answer::Nothing => empty(StatusCode::ACCEPTED),
            Answer::Document(status, document) => {
                let mut response = Response::new(Full::new(Bytes::from(document)));
                *response.status_mut() = status;
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, json);
                response
            }
        },
        Err(_) => empty(StatusCode::PAYLOAD_TOO_LARGE),
    }
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
