//! Lists a server's tools, all pages of them, within limits.

use serde_json::{Map, Value};

use super::connection::Connection;
use super::exchange::{Ask, Reply};
use super::fault::UpstreamFault;
use crate::limits;

/// The definitions of all tools, exactly as the server gives them.
pub(super) async fn list(connection: &Connection) -> Result<Vec<Value>, UpstreamFault> {
    let mut definitions = Vec::new();
    let mut cursor: Option<Value> = None;
    for _ in 0..limits::UPSTREAM_PAGES_MAX {
        let mut params = Map::new();
        if let Some(cursor) = cursor.take() {
            params.insert("cursor".to_owned(), cursor);
        }
        let mut page = match connection.ask(Ask::Tools, params).await? {
            Reply::Result(page) => page,
            Reply::Error(error) => {
                return Err(UpstreamFault::not_sent("the upstream does not list its tools").detail(error.message));
            }
        };
        let Some(Value::Array(tools)) = page.remove("tools") else {
            return Err(UpstreamFault::not_sent("the upstream's list of tools cannot be read"));
        };
        definitions.extend(tools);
        if definitions.len() > limits::UPSTREAM_TOOLS_MAX {
            return Err(UpstreamFault::not_sent(format!(
                "the upstream lists more than {} tools",
                limits::UPSTREAM_TOOLS_MAX
            )));
        }
        match page.remove("nextCursor") {
            Some(next @ Value::String(_)) => cursor = Some(next),
            _ => return Ok(definitions),
        }
    }
    Err(UpstreamFault::not_sent(format!(
        "the upstream's list of tools has more than {} pages",
        limits::UPSTREAM_PAGES_MAX
    )))
}
