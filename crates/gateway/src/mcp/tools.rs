//! `tools/list`: what the caller could use at this moment, from the state alone. No upstream is asked.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use remit_domain::{Feature, Listing, Operation, OperationName, Reachable, State, Timestamp};
use serde_json::{Map, Value};

use crate::answer::RpcError;
use crate::caller::Caller;
use crate::door::Door;
use crate::{Gateway, limits, refuse};

#[cfg(test)]
mod tests;

/// One page of the list: the pinned definitions of approved operations that some call of this task could be allowed or
/// asked for. The same function decides calls, so a tool that is listed is one that can be used.
pub(super) async fn list(
    gateway: &Gateway,
    caller: &Caller,
    door: &Door,
    params: &Map<String, Value>,
) -> Result<Map<String, Value>, RpcError> {
    let after = match params.get("cursor") {
        None | Some(Value::Null) => None,
        Some(cursor) => Some(
            place(cursor)
                .ok_or_else(|| refuse::protocol(refuse::INVALID_PARAMS, "`cursor` is not one of this list"))?,
        ),
    };
    let (state, now) = (gateway.engine.state(), gateway.engine.now());
    let (task, door) = (caller.task, door.clone());
    // Deciding about some hundred tools takes milliseconds: not on a thread that others wait for.
    let page = tokio::task::spawn_blocking(move || page(&state, task, &door, after.as_deref(), now)).await;
    page.map_err(|_| refuse::protocol(refuse::INTERNAL_ERROR, "the list could not be made"))
}

fn page(
    state: &State,
    task: remit_domain::TaskId,
    door: &Door,
    after: Option<&str>,
    now: Timestamp,
) -> Map<String, Value> {
    let mut candidates: Vec<&Arc<Operation>> = state
        .operations
        .values()
        .filter(|operation| operation.withdrawn.is_none() && door.opens_on(operation.name.connector()))
        .filter(|operation| Feature::of_tool(operation.name.tool()).is_none() && is_called_here(state, operation))
        .filter(|operation| after.is_none_or(|after| operation.name.as_str() > after))
        .collect();
    candidates.sort_by(|one, other| one.name.cmp(&other.name));
    let reachable = state.task(task).ok().map(Arc::clone);
    let mut listed = candidates.into_iter().filter_map(|operation| {
        let listing = remit_domain::listing(state, reachable.as_ref()?, operation, now);
        (listing.reachable != Reachable::Never).then_some((operation, listing))
    });
    let mut last: Option<&OperationName> = None;
    let mut tools = Vec::new();
    for (operation, listing) in listed.by_ref().take(limits::TOOLS_PER_PAGE) {
        tools.push(with_listing(definition(door, operation), &listing));
        last = Some(&operation.name);
    }
    let more = listed.next().is_some();
    if !more && super::access::is_offered(state, door, task, now) {
        tools.push(super::access::definition());
    }
    let mut page = Map::new();
    page.insert("tools".to_owned(), Value::Array(tools));
    if let Some(last) = last.filter(|_| more) {
        page.insert("nextCursor".to_owned(), URL_SAFE_NO_PAD.encode(last.as_str()).into());
    }
    page
}

/// Adds to a description what the agent should know before it calls: under which condition, and who is asked first.
pub(crate) fn with_listing(mut document: Value, listing: &Listing) -> Value {
    let mut words = Vec::new();
    let on_call = listing
        .conditions
        .iter()
        .filter(|condition| condition.contains("context.arguments") || condition.contains("context.projected"));
    words.extend(on_call.map(|condition| format!("Allowed only if: {condition}")));
    if !listing.asks.is_empty() {
        words.push(format!("A person may be asked first: {}", listing.asks.join(", ")));
    }
    if let Some(members) = document.as_object_mut().filter(|_| !words.is_empty()) {
        let own = members.get("description").and_then(Value::as_str).unwrap_or_default();
        let between = if own.is_empty() { "" } else { "\n\n" };
        let described = format!("{own}{between}{}.", words.join(". "));
        members.insert("description".to_owned(), described.into());
    }
    document
}

/// Whether it is called through Remit at all, and not only decided about for somebody else.
fn is_called_here(state: &State, operation: &Operation) -> bool {
    state.connector_named(operation.name.connector()).is_ok_and(|connector| !connector.spec.is_elsewhere())
}

fn place(cursor: &Value) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

/// The definition as it was pinned, without what belongs to the hop between the gateway and the upstream: which arguments
/// are repeated in headers, and how long-running tasks are carried.
fn definition(door: &Door, operation: &Operation) -> Value {
    named(operation, door.tool(&operation.name))
}

/// The same, under the name that its client knows it by.
pub(crate) fn named(operation: &Operation, name: String) -> Value {
    let mut document = operation.definition.document.clone();
    if let Some(members) = document.as_object_mut() {
        members.insert("name".to_owned(), name.into());
        members.remove("execution");
        for schema in ["inputSchema", "outputSchema"] {
            if let Some(schema) = members.get_mut(schema) {
                strip_headers(schema);
            }
        }
    }
    document
}

/// Takes `x-mcp-header` out of a schema and all schemas in it. Properties may have any name, also this one.
fn strip_headers(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("x-mcp-header");
            for (name, member) in members.iter_mut() {
                match (name.as_str(), member) {
                    (
                        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                        Value::Object(schemas),
                    ) => {
                        schemas.values_mut().for_each(strip_headers);
                    }
                    // Values, not schemas.
                    ("enum" | "const" | "default" | "examples", _) => {}
                    (_, member) => strip_headers(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip_headers),
        _ => {}
    }
}
