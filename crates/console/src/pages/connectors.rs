//! Connectors: what can be reached, what is pinned of it, and what its server says now.

pub(crate) mod approve;
pub(crate) mod list;
pub(crate) mod review;
pub(crate) mod reviewed;
pub(crate) mod show;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use remit_domain::{Connector, ConnectorId, Refusal, State};

/// The connector by its name, or by its id.
fn find<'a>(state: &'a State, name: &str) -> Result<&'a Arc<Connector>, Refusal> {
    let named = || state.connectors_by_name.get(name).copied();
    let id = name.parse::<ConnectorId>().ok().or_else(named);
    id.and_then(|id| state.connectors.get(&id))
        .ok_or_else(|| Refusal::unknown("connector", name.chars().take(64).collect::<String>()))
}
