//! Lists what a server offers: its tools, all pages of them, within limits; then the features that it has besides.

use remit_domain::Feature;
use serde_json::{Map, Value};

use super::connection::{Connection, Wire};
use super::exchange::{Ask, Reply};
use super::fault::UpstreamFault;
use super::mirror;
use super::signals::Dialect;
use crate::limits;
use crate::refuse::METHOD_NOT_FOUND;

/// The definitions of all tools exactly as the server gives them, and the built-in ones of its features.
pub(super) async fn list(connection: &Connection) -> Result<Vec<Value>, UpstreamFault> {
    let mut definitions = tools(connection).await?;
    definitions.retain(|definition| can_be_called(connection, definition));
    let offered = Feature::all().into_iter().filter(|feature| connection.offer().has(*feature));
    definitions.extend(offered.map(|feature| feature.definition().document));
    Ok(definitions)
}

async fn tools(connection: &Connection) -> Result<Vec<Value>, UpstreamFault> {
    let mut definitions = Vec::new();
    let mut cursor: Option<Value> = None;
    for _ in 0..limits::UPSTREAM_PAGES_MAX {
        let mut params = Map::new();
        if let Some(cursor) = cursor.take() {
            params.insert("cursor".to_owned(), cursor);
        }
        let mut page = match connection.ask(Ask::Tools, &params).await? {
            Reply::Result(page) => page,
            // A server may have features and no tools at all.
            Reply::Error(error) if error.code == METHOD_NOT_FOUND && !connection.offer().has_tools() => {
                return Ok(definitions);
            }
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

/// One tool that cannot be called does not keep the others from it.
fn can_be_called(connection: &Connection, definition: &Value) -> bool {
    let name = definition.get("name").and_then(Value::as_str).unwrap_or_default();
    if Feature::is_reserved(name) {
        tracing::warn!(tool = name, "leaving out a tool: names that begin with `@` are reserved");
        return false;
    }
    // Marks are about headers, which only one wire has.
    if connection.dialect() == Dialect::Modern
        && matches!(connection.wire(), Wire::Http(_))
        && let Err(reason) = mirror::marked(definition)
    {
        tracing::warn!(tool = name, %reason, "leaving out a tool: its arguments cannot be repeated in headers");
        return false;
    }
    true
}
