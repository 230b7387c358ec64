//! Step seven, first half: looks at what came back before anybody relies on it.

use std::sync::Arc;

use remit_domain::{ActionId, Operation, Outcome};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, InputRequired, RpcError};
use crate::call::HOP_PREFIXES;
use crate::permit::Permit;
use crate::request_state::Continues;
use crate::upstream::{FaultKind, Governed, Reply, UpstreamFault};
use crate::{Gateway, limits, refuse};

#[cfg(test)]
mod tests;

/// Errors that are about one hop: to the client they would say something about its own message, and some clients then send
/// the call again by themselves.
const HOP_ERRORS: [i64; 5] = [-32700, -32600, -32601, -32020, -32022];

/// What came of a call: how it is recorded, and what the client gets.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub outcome: Outcome,
    /// The bytes that the record commits to, if anything came back.
    pub content: Option<Vec<u8>>,
    pub answer: Answer,
}

/// What may come back for one action.
#[derive(Debug)]
pub(crate) struct Expected {
    action: ActionId,
    method: Governed,
    operation: Option<Arc<Operation>>,
    outputs: crate::outputs::Outputs,
}

impl Expected {
    /// What the action of `permit`, a `method`, may be answered with.
    pub fn of(gateway: &Gateway, permit: &Permit, method: Governed) -> Self {
        let operation = gateway.engine.read(|state| state.operations.get(permit.operation()).cloned());
        Self { action: permit.action(), method, operation, outputs: gateway.outputs.clone() }
    }
}

/// Judges the upstream's reply. `words` is what it said meanwhile and `unknown` what was sent to it unread: they are recorded with
/// the result.
///
/// INVARIANT: the outcome carries no word of the upstream, since outcomes are recorded for ever; its words are content.
pub(crate) fn inspect(
    reply: Result<Reply, UpstreamFault>,
    expected: &Expected,
    words: Vec<Value>,
    unknown: Map<String, Value>,
) -> Inspected {
    let action = expected.action;
    match reply {
        Ok(Reply::Result(result)) => inspect_result(result, expected, words, unknown),
        Ok(Reply::Error(error)) => {
            let rest = rest_of(&words, &unknown);
            let content =
                content_of(&json!({"error": error}), words, unknown, || serde_json::to_vec(&error).unwrap_or_default());
            if content.len() > limits::RESULT_BYTES_MAX {
                return withheld(too_large(content.len()), rest, action);
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
            let sent = fault.kind != FaultKind::NotSent;
            let content = rest_of(&words, &unknown).filter(|_| sent);
            Inspected { outcome, content, answer: refuse::fault(&fault, action) }
        }
    }
}

fn inspect_result(
    mut result: Map<String, Value>,
    expected: &Expected,
    words: Vec<Value>,
    unknown: Map<String, Value>,
) -> Inspected {
    let action = expected.action;
    let rest = rest_of(&words, &unknown);
    let bytes = match words.is_empty() && unknown.is_empty() {
        true => content_bytes(&result),
        false => content_of(&json!({"result": result}), words, unknown, Vec::new),
    };
    if bytes.len() > limits::RESULT_BYTES_MAX {
        return withheld(too_large(bytes.len()), rest, action);
    }
    // `complete` ends a call, and `input_required` asks for more (2026-07-28); servers before it do not say.
    match result.remove("resultType").as_ref().map(|kind| kind.as_str().unwrap_or_default()) {
        None | Some("complete") => {}
        Some("input_required") if expected.method.may_ask() => return asks(result, bytes, action),
        Some(_) => {
            return withheld(
                "the upstream's result is of a kind that Remit does not know".to_owned(),
                Some(bytes),
                action,
            );
        }
    }
    let tool_error = match result.get("isError") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return withheld("the upstream's result cannot be read".to_owned(), Some(bytes), action),
    };
    if !tool_error
        && let Some(operation) = &expected.operation
        && let Err(why) = expected.outputs.must_fit(operation, &result)
    {
        return withheld(why, Some(bytes), action);
    }
    for of_the_hop in ["ttlMs", "cacheScope"] {
        result.remove(of_the_hop);
    }
    if let Some(Value::Object(meta)) = result.get_mut("_meta") {
        meta.retain(|name, _| !HOP_PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
    }
    let outcome = if tool_error { Outcome::ToolError } else { Outcome::Succeeded };
    Inspected { outcome, content: Some(bytes), answer: Answer::result(result, action) }
}

/// The server wants something from the client first.
fn asks(mut result: Map<String, Value>, bytes: Vec<u8>, action: ActionId) -> Inspected {
    let requests = match result.remove("inputRequests") {
        None => Map::new(),
        Some(Value::Object(requests)) if requests.len() <= limits::INPUT_REQUESTS_MAX => requests,
        Some(_) => return withheld("the upstream's questions cannot be read".to_owned(), Some(bytes), action),
    };
    let continues = match result.remove("requestState") {
        None => None,
        Some(Value::String(state)) if state.len() <= limits::UPSTREAM_STATE_BYTES_MAX => {
            Some(Continues::Upstream { state })
        }
        Some(_) => return withheld("the upstream's state cannot be carried".to_owned(), Some(bytes), action),
    };
    let answer = Answer::ask(InputRequired { requests, continues }, Some(action));
    Inspected { outcome: Outcome::InputRequired, content: Some(bytes), answer }
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

/// The same, with what was said meanwhile and what was sent unread; `alone` where there is nothing of that.
fn content_of(
    came: &Value,
    words: Vec<Value>,
    unknown: Map<String, Value>,
    alone: impl FnOnce() -> Vec<u8>,
) -> Vec<u8> {
    if words.is_empty() && unknown.is_empty() {
        return alone();
    }
    let mut content = came.as_object().cloned().unwrap_or_default();
    if !words.is_empty() {
        content.insert("notifications".to_owned(), Value::Array(words));
    }
    if !unknown.is_empty() {
        content.insert("sent_meta".to_owned(), Value::Object(unknown));
    }
    content_bytes(&content)
}

/// What passed beside a result that is not kept itself, if anything did.
fn rest_of(words: &[Value], unknown: &Map<String, Value>) -> Option<Vec<u8>> {
    let passed = !words.is_empty() || !unknown.is_empty();
    passed.then(|| content_of(&json!({}), words.to_vec(), unknown.clone(), Vec::new))
}

fn for_client(mut error: RpcError) -> RpcError {
    if error.code == refuse::ADDRESS_NEEDED {
        // Leading the client's person anywhere is for `@elicitation` to allow; an error is no way round it.
        return refuse::protocol(
            refuse::INTERNAL_ERROR,
            "the tool wants a person led to an address, which Remit does not pass on",
        );
    }
    if HOP_ERRORS.contains(&error.code) {
        error.code = refuse::INTERNAL_ERROR;
    }
    error
}
