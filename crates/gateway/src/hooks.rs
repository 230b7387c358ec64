//! Doors for gateways of others: they ask before they let a request on, and enforce the answer themselves.
//!
//! Envoy asks about HTTP requests (`ext_authz`, version 3), agentgateway about requests and results of MCP (`ExtMcp`). Either is translated to
//! the attempt that Remit's own doors make, decided and recorded by the engine; the record says who enforces it. Nothing is held or
//! forwarded here: where a person has to be asked, the answer is a no that says so, and the same request is let on once they have said yes.
//!
//! INVARIANT: whoever is a stranger gets no answer, and whoever is known and no enforcer gets a no to everything. Whatever cannot be read, or
//! could be read in two ways, is a no with a sentence: an error of the call would leave it to the gateway's configuration whether the
//! request goes on.

use std::sync::Arc;

use tonic::service::Routes;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{Gateway, limits};
use proto::agentgateway::dev::ext_mcp::ext_mcp_server::ExtMcpServer;
use proto::envoy::service::auth::v3::authorization_server::AuthorizationServer;

mod acting;
mod arguments;
mod decide;
mod denial;
mod enforcer;
mod envoy;
mod ext_mcp;
mod governed;
mod lists;
mod path;
pub(crate) mod proto;
mod reported;

/// What asks for decisions is answered here, over HTTP/2.
pub(crate) fn router(gateway: Arc<Gateway>) -> axum::Router {
    let envoy = AuthorizationServer::new(envoy::Service { gateway: Arc::clone(&gateway) })
        .max_decoding_message_size(limits::HOOK_MESSAGE_BYTES_MAX);
    let mcp = ExtMcpServer::new(ext_mcp::Service { gateway }).max_decoding_message_size(limits::HOOK_MESSAGE_BYTES_MAX);
    Routes::new(envoy).add_service(mcp).into_axum_router().layer(CatchPanicLayer::new())
}
