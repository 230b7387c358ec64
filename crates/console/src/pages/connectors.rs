//! Connectors: what can be reached, what is pinned of it, and what its server says now.

pub(crate) mod approve;
pub(crate) mod classify;
pub(crate) mod list;
pub(crate) mod operation;
pub(crate) mod review;
pub(crate) mod reviewed;
mod schema;
pub(crate) mod show;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use remit_domain::{Connector, ConnectorId, OperationName, Refusal, State};

/// The connector by its name, or by its id.
fn find<'a>(state: &'a State, name: &str) -> Result<&'a Arc<Connector>, Refusal> {
    let named = || state.connectors_by_name.get(name).copied();
    let id = name.parse::<ConnectorId>().ok().or_else(named);
    id.and_then(|id| state.connectors.get(&id))
        .ok_or_else(|| Refusal::unknown("connector", name.chars().take(64).collect::<String>()))
}

/// A part of an address: tools are named as their server likes.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The page of one operation.
pub(crate) fn operation_address(operation: &OperationName) -> String {
    format!("/connectors/{}/operations/{}", operation.connector(), encoded(operation.tool()))
}
