//! The seam to whoever speaks to the servers.

use futures_util::future::BoxFuture;
use remit_domain::{ConnectorId, ConnectorSpec, Refusal};
use serde::Serialize;
use serde_json::Value;

/// Where a person's choice of tools comes from: whoever speaks to the servers behind connectors.
pub trait ToolSource: Send + Sync + 'static {
    /// What the server of `connector` offers now: every tool's definition as the server lists it, and the built-in
    /// definition of every feature that it has.
    ///
    /// # Errors
    /// The refusal that tells a person why the server cannot be asked, and what to do.
    fn definitions<'a>(&'a self, connector: &'a ConnectorSpec) -> BoxFuture<'a, Result<Vec<Value>, Refusal>>;

    /// How the connection of `connector` stands; nothing is opened for it.
    fn standing(&self, connector: ConnectorId) -> BoxFuture<'_, Standing> {
        let _ = connector;
        Box::pin(std::future::ready(Standing::default()))
    }
}

/// How a connection stands, for whoever answers for the connector.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The last lines that the server's process wrote on its standard error, the newest last.
    pub standard_error: Vec<String>,
}
