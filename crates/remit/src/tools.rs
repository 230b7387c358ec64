//! What servers offer, for the control plane: asked through the gateway's upstreams.

use futures_util::future::BoxFuture;
use remit_domain::{ConnectorId, ConnectorSpec, Refusal};
use remit_gateway::Upstreams;
use remit_review::{Standing, ToolSource};
use serde_json::Value;

/// Asks the upstreams of the gateway.
#[derive(Debug)]
pub struct GatewayTools {
    pub upstreams: Upstreams,
}

impl ToolSource for GatewayTools {
    fn definitions<'a>(&'a self, connector: &'a ConnectorSpec) -> BoxFuture<'a, Result<Vec<Value>, Refusal>> {
        Box::pin(async move {
            self.upstreams.definitions(connector).await.map_err(|fault| {
                Refusal::new("upstream_unavailable", format!("the server cannot be asked what it offers: {fault}"))
                    .help("check that it runs, and its address or command")
            })
        })
    }

    fn standing(&self, connector: ConnectorId) -> BoxFuture<'_, Standing> {
        Box::pin(std::future::ready(Standing { standard_error: self.upstreams.stderr(connector) }))
    }
}
