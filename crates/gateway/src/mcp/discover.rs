//! What the gateway says about itself.

use serde_json::{Map, Value, json};

use super::MODERN;
use crate::client::TASKS_EXTENSION;

const INSTRUCTIONS: &str = "Every call is decided by policy and recorded. A call that needs a person's approval waits for it; \
     if it comes back as not yet approved, repeat the same call. A refusal says what to do next.";

fn server() -> Value {
    json!({"name": "remit", "title": "Remit", "version": env!("CARGO_PKG_VERSION")})
}

/// The result of `server/discover` for a caller who could use what `capabilities` say.
pub(super) fn discovered(mut capabilities: Map<String, Value>) -> Map<String, Value> {
    // A call that waits for a person can be fetched later (SEP-2663).
    capabilities.insert("extensions".to_owned(), json!({TASKS_EXTENSION: {}}));
    members(json!({
        "supportedVersions": [MODERN],
        "capabilities": capabilities,
        "instructions": INSTRUCTIONS,
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": server()},
    }))
}

/// The result of `initialize`.
pub(super) fn initialized(version: &str, capabilities: Map<String, Value>) -> Map<String, Value> {
    members(json!({
        "protocolVersion": version,
        "capabilities": capabilities,
        "serverInfo": server(),
        "instructions": INSTRUCTIONS,
    }))
}

fn members(document: Value) -> Map<String, Value> {
    match document {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
