//! The help desk: a real MCP server with customers, orders, refunds and an outbox, all invented and kept in memory.
//!
//! Speaks MCP 2024-11-05 to 2025-11-25 and 2026-07-28, over standard input and output and over streamable HTTP. It asks
//! nobody who they are: it stands for an upstream that trusts whoever reaches it, which is why a gate belongs in front.

mod data;
mod opening;
mod refusal;
mod requests;
mod tools;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use rmcp::ServiceExt;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use data::Desk;
use tools::HelpDesk;

/// Names that a request's `Host` may carry. Anything else is a web page that resolved a name to this machine
/// (DNS rebinding), and is refused.
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// Largest request body over HTTP. The largest honest one is a message to a customer.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// How long open calls may still run after `serve_http` was told to stop.
const DRAIN_SECONDS_MAX: u64 = 2;

/// Serves one help desk over standard input and output, until the input ends.
///
/// # Errors
/// When the peer does not open with a handshake or a discovery, or the streams break.
pub async fn serve_stdio() -> anyhow::Result<()> {
    let desk = HelpDesk::new(shared_desk());
    let session = match desk.serve(rmcp::transport::stdio()).await {
        Ok(session) => session,
        // Whoever closes the input before saying anything has not failed: it started us and changed its mind.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error).context("could not open the help desk's session on standard input"),
    };
    session.waiting().await.context("the help desk's session broke")?;
    Ok(())
}

/// Serves one help desk over streamable HTTP at `/mcp`, until `shutdown` is cancelled. All callers share its data.
///
/// # Errors
/// When the listener fails.
pub async fn serve_http(listener: tokio::net::TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let desk = shared_desk();
    let service = StreamableHttpService::new(
        move || Ok(HelpDesk::new(Arc::clone(&desk))),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_allowed_hosts(LOOPBACK_HOSTS)
            .enforce_origin_validation()
            .with_max_request_body_bytes(REQUEST_BYTES_MAX)
            .with_cancellation_token(shutdown.child_token()),
    );
    let routes = axum::Router::new().nest_service("/mcp", service);
    let server = axum::serve(listener, routes).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        ended = server => ended.context("the help desk's listener failed"),
        // A caller that keeps its connection open must not keep the program from ending.
        () = drained(&shutdown) => Ok(()),
    }
}

async fn drained(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(Duration::from_secs(DRAIN_SECONDS_MAX)).await;
}

fn shared_desk() -> Arc<Mutex<Desk>> {
    Arc::new(Mutex::new(Desk::opening_day()))
}
