//! Step seven, first half: looks at what came back before anybody relies on it.

use remit_domain::{ActionId, Outcome};
use serde_json::{Map, Value};

use crate::answer::{Answer, RpcError};
use crate::attempt::HOP_PREFIXES;
use crate::upstream::{FaultKind, Reply, UpstreamFault};
use crate::{limits, refuse};

#[cfg(test)]
mod tests;

/// Errors that are about one hop: to the client they would say something about its own message, and some clients then send
/// the call again by themselves.
const HOP_ERRORS: [i64; 6] = [-32700, -32600, -32601, -32020, -32021, -32022];

/// What came of a call: how it is recorded, and what the client gets.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub outcome: Outcome,
    /// The bytes that the record commits to, if anything came back.
    pub content: Option<Vec<u8>>,
    pub answer: Answer,
}

/// Judges the upstream's reply to the action `action`.
///
/// INVARIANT: the outcome carries no word of the upstream, since outcomes are recorded for ever; its words are content.
pub(crate) fn inspect(reply: Result<Reply, UpstreamFault>, action: ActionId) -> Inspected {
    match reply {
        Ok(Reply::Result(result)) => inspect_result(result, action),
        Ok(Reply::Error(error)) => {
            let content = serde_json::to_vec(&error).unwrap_or_default();
            if content.len() > limits::RESULT_BYTES_MAX {
                return withheld(too_large(content.len()), None, action);
            }
            let outcome = Outcome::Failed { reason: format!("the upstream answered with error {}", error.code) };
            Inspected { outcome, content: Some(content), answer: Answer::error(for_client(error), action) }
        }
        Err(fault) => {
            tracing::warn!(%action, fault = %fault.reason, detail = fault.detail.as_deref().unwrap_or(""), "a call failed");
            let reason = fault.reason.clone();
            let outcome = match fault.kind {
                FaultKind::NotSent => Outcome::NotSent { reason },
                FaultKind::Failed => Outcome::Failed { reason },
                FaultKind::Unknown => Outcome::Unknown { reason },
            };
            Inspected { outcome, content: None, answer: refuse::fault(&fault, action) }
        }
    }
}

fn inspect_result(mut result: Map<String, Value>, action: ActionId) -> Inspected {
    let bytes = content_bytes(&result);
    if bytes.len() > limits::RESULT_BYTES_MAX {
        return withheld(too_large(bytes.len()), None, action);
    }
    // `complete` is the only kind of result that ends a call (2026-07-28); servers before it do not say.
    if result.get("resultType").is_some_and(|kind| kind != "complete") {
        return withheld("the tool asks for input that Remit cannot carry".to_owned(), Some(bytes), action);
    }
    let tool_error = match result.get("isError") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return withheld("the upstream's result cannot be read".to_owned(), Some(bytes), action),
    };
    for of_the_hop in ["resultType", "ttlMs", "cacheScope"] {
        result.remove(of_the_hop);
    }
    if let Some(Value::Object(meta)) = result.get_mut("_meta") {
        meta.retain(|name, _| !HOP_PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
    }
    let outcome = if tool_error { Outcome::ToolError } else { Outcome::Succeeded };
    Inspected { outcome, content: Some(bytes), answer: Answer::result(result, action) }
}

/// INVARIANT: what cannot be recorded does not reach the agent.
fn withheld(reason: String, content: Option<Vec<u8>>, action: ActionId) -> Inspected {
    let fault = UpstreamFault::failed(reason.clone());
    Inspected { outcome: Outcome::Failed { reason }, content, answer: refuse::fault(&fault, action) }
}

fn too_large(bytes: usize) -> String {
    format!("the result has {bytes} bytes, and {} are passed on at most", limits::RESULT_BYTES_MAX)
}

/// The bytes of a result that are committed to: its canonical form, or where a number has none, as it came.
fn content_bytes(result: &Map<String, Value>) -> Vec<u8> {
    let canonical = serde_json_canonicalizer::to_vec(result);
    canonical.or_else(|_| serde_json::to_vec(result)).unwrap_or_default()
}

fn for_client(mut error: RpcError) -> RpcError {
    if HOP_ERRORS.contains(&error.code) {
        error.code = refuse::INTERNAL_ERROR;
    }
    error
}
