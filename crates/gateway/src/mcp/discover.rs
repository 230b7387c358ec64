//! What the gateway says about itself.

use serde_json::{Map, Value, json};

use super::MODERN;

const INSTRUCTIONS: &str = "Every call is decided by policy and recorded. A call that needs a person's approval waits for it; \
     if it comes back as not yet approved, repeat the same call. A refusal says what to do next.";

fn server() -> Value {
    json!({"name": "remit", "title": "Remit", "version": env!("CARGO_PKG_VERSION")})
}

/// The result of `server/discover`.
pub(super) fn discovered() -> Map<String, Value> {
    members(json!({
        "supportedVersions": [MODERN],
        "capabilities": {"tools": {"listChanged": false}},
        "instructions": INSTRUCTIONS,
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": server()},
    }))
}

/// The result of `initialize`.
pub(super) fn initialized(version: &str) -> Map<String, Value> {
    members(json!({
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": false}},
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
