//! What a server has besides tools, as it is said to clients of a door: who may see what, and under which names.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use remit_domain::{Feature, OperationName, State, Timestamp};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::answer::{Answer, Body};
use crate::call::{Call, CallError};
use crate::caller::Caller;
use crate::client::{Client, Manner};
use crate::door::Door;
use crate::upstream::Governed;
use crate::{Gateway, gate, limits, refuse};

/// The connectors behind `door` of which `caller` could use `feature`, in the order of their names.
fn connectors(state: &State, caller: &Caller, door: &Door, feature: Feature, now: Timestamp) -> Vec<String> {
    let mut connectors: Vec<String> = match door {
        Door::One(connector) => vec![connector.clone()],
        Door::All => state.connectors_by_name.keys().cloned().collect(),
    };
    connectors.retain(|connector| gate::available(state, caller.task, connector, feature, now));
    connectors.sort();
    connectors
}

/// What is said of the features behind `door` when a client asks what there is (`ServerCapabilities`).
pub(super) fn capabilities(gateway: &Gateway, caller: &Caller, door: &Door) -> Map<String, Value> {
    let (state, now) = (gateway.engine.state(), gateway.engine.now());
    let mut capabilities = Map::new();
    capabilities.insert("tools".to_owned(), json!({"listChanged": true}));
    for (feature, name, capability) in [
        (Feature::Resources, "resources", json!({"listChanged": true, "subscribe": true})),
        (Feature::Prompts, "prompts", json!({"listChanged": true})),
        (Feature::Completions, "completions", json!({})),
        (Feature::Logging, "logging", json!({})),
    ] {
        if !connectors(&state, caller, door, feature, now).is_empty() {
            capabilities.insert(name.to_owned(), capability);
        }
    }
    capabilities
}

/// Whether `feature` of some connector behind `door` could be used.
pub(super) fn any(gateway: &Gateway, caller: &Caller, door: &Door, feature: Feature) -> bool {
    let (state, now) = (gateway.engine.state(), gateway.engine.now());
    !connectors(&state, caller, door, feature, now).is_empty()
}

/// Whether there is anything behind `door` that `method` could list.
pub(super) fn lists(gateway: &Gateway, caller: &Caller, door: &Door, method: Governed) -> bool {
    method.feature().is_some_and(|feature| any(gateway, caller, door, feature))
}

/// One page of a list of resources, templates or prompts. Where connectors are joined, each page comes from one of them.
pub(super) async fn list(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    door: &Door,
    method: Governed,
    mut params: Map<String, Value>,
) -> Result<Answer, CallError> {
    let place = match (door, params.remove("cursor")) {
        (Door::All, Some(Value::String(cursor))) => {
            Some(place(&cursor).ok_or_else(|| CallError::Malformed("`cursor` is not one of this list".to_owned()))?)
        }
        (Door::All, None | Some(Value::Null)) => None,
        (Door::All, Some(_)) => return Err(CallError::Malformed("`cursor` is not one of this list".to_owned())),
        (Door::One(connector), cursor) => Some((connector.clone(), cursor)),
    };
    let feature = method.feature().unwrap_or(Feature::Resources);
    let all = connectors(&gateway.engine.state(), caller, door, feature, gateway.engine.now());
    let (connector, cursor) = match place {
        Some(place) => place,
        None => match all.first() {
            Some(first) => (first.clone(), None),
            None => return Ok(Answer { body: Body::Result(page_of(method, Vec::new())), decision: None }),
        },
    };
    if let Some(cursor) = cursor {
        params.insert("cursor".to_owned(), cursor);
    }
    let call = Call::read(&Door::One(connector.clone()), method, params)?;
    let (client, mut steps) = Client::new(Manner::default(), CancellationToken::new());
    let (inside, who) = (Arc::clone(gateway), caller.clone());
    let answer = gateway.work.spawn(async move { gate::pass(&inside, &who, &call, &client).await });
    let left = async { while steps.recv().await.is_some() {} };
    let seconds = if *door == Door::All { limits::JOINED_PAGE_SECONDS_MAX } else { limits::CALL_SECONDS_MAX };
    let limit = Duration::from_secs(seconds);
    let next = all.iter().find(|other| **other > connector).cloned();
    let Ok((answer, ())) = tokio::time::timeout(limit, async { tokio::join!(answer, left) }).await else {
        return Ok(Answer { body: Body::Result(without(method, &connector, next)), decision: None });
    };
    let Ok(mut answer) = answer else {
        return Err(CallError::Refused(remit_domain::Refusal::new("fault", "Remit failed while it made this list")));
    };
    let succeeded = answer.succeeded();
    match &mut answer.body {
        Body::Result(page) if succeeded => {
            edit(gateway, caller, door, method, &connector, page);
            if *door == Door::All {
                turn(page, &connector, next);
            }
        }
        // A connector that is down costs only its own entries.
        Body::Result(_) | Body::Error(_) if *door == Door::All => {
            answer.body = Body::Result(without(method, &connector, next));
        }
        _ => {}
    }
    Ok(answer)
}

/// The member of a list's result that holds its entries.
pub(crate) fn entries_of(method: Governed) -> &'static str {
    match method {
        Governed::ListPrompts => "prompts",
        Governed::ListTemplates => "resourceTemplates",
        _ => "resources",
    }
}

/// The page of a connector that has nothing to say, where others have.
fn without(method: Governed, connector: &str, next: Option<String>) -> Map<String, Value> {
    let mut page = page_of(method, Vec::new());
    turn(&mut page, connector, next);
    page
}

fn page_of(method: Governed, entries: Vec<Value>) -> Map<String, Value> {
    [(entries_of(method).to_owned(), Value::Array(entries))].into_iter().collect()
}

/// Leaves out what the caller could not use anyway, and names the rest as this door does.
fn edit(
    gateway: &Gateway,
    caller: &Caller,
    door: &Door,
    method: Governed,
    connector: &str,
    page: &mut Map<String, Value>,
) {
    let (state, now) = (gateway.engine.state(), gateway.engine.now());
    let Some(Value::Array(entries)) = page.get_mut(entries_of(method)) else { return };
    entries.truncate(limits::ENTRIES_PER_PAGE_MAX);
    entries.retain_mut(|entry| {
        let (member, asks) = match method {
            Governed::ListPrompts => ("name", Some("prompts/get")),
            Governed::ListTemplates => ("uriTemplate", None),
            _ => ("uri", Some("resources/read")),
        };
        let Some(own) = entry.get(member).and_then(Value::as_str).map(str::to_owned) else { return false };
        let seen = asks.is_none_or(|asks| could_use(&state, caller, connector, asks, member, &own, now));
        if seen && let Some(entry) = entry.as_object_mut() {
            let named =
                if method == Governed::ListPrompts { door.name(connector, &own) } else { door.uri(connector, &own) };
            entry.insert(member.to_owned(), named.into());
        }
        seen
    });
}

/// Whether a rule that looks at the name or address itself would let this caller use it. The same function decides calls.
pub(crate) fn could_use(
    state: &State,
    caller: &Caller,
    connector: &str,
    method: &str,
    member: &str,
    own: &str,
    now: Timestamp,
) -> bool {
    let feature = if method == "prompts/get" { Feature::Prompts } else { Feature::Resources };
    let operation = state.operations.get(&OperationName::new(connector, feature.name()));
    let arguments = json!({"method": method, member: own});
    operation
        .zip(state.task(caller.task).ok())
        .is_some_and(|(operation, task)| remit_domain::preview(state, task, operation, &arguments, now).0 != "deny")
}

/// Where a list of joined connectors goes on: in this one, or in the next.
fn turn(page: &mut Map<String, Value>, connector: &str, next: Option<String>) {
    let own = page.remove("nextCursor").filter(Value::is_string);
    let place = match (own, next) {
        (Some(cursor), _) => json!([connector, cursor]),
        (None, Some(next)) => json!([next]),
        (None, None) => return,
    };
    page.insert("nextCursor".to_owned(), URL_SAFE_NO_PAD.encode(place.to_string()).into());
}

fn place(cursor: &str) -> Option<(String, Option<Value>)> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let parts: Vec<Value> = serde_json::from_slice(&bytes).ok()?;
    let mut parts = parts.into_iter();
    match (parts.next()?, parts.next(), parts.next()) {
        (Value::String(connector), cursor, None) if cursor.as_ref().is_none_or(Value::is_string) => {
            Some((connector, cursor))
        }
        _ => None,
    }
}

/// Addresses of resources in a result, as clients of the joined door have to say them to read what is there.
pub(super) fn locate(result: &mut Map<String, Value>, connector: &str) {
    fn rename(holder: &mut Value, connector: &str) {
        if let Some(Value::String(uri)) = holder.get_mut("uri") {
            *uri = Door::All.uri(connector, uri);
        }
    }
    fn block(content: &mut Value, connector: &str) {
        match content.get("type").and_then(Value::as_str) {
            Some("resource_link") => rename(content, connector),
            Some("resource") => {
                if let Some(resource) = content.get_mut("resource") {
                    rename(resource, connector);
                }
            }
            _ => {}
        }
    }
    let each = |result: &mut Map<String, Value>, member: &str, act: &dyn Fn(&mut Value)| {
        if let Some(Value::Array(items)) = result.get_mut(member) {
            items.iter_mut().for_each(act);
        }
    };
    each(result, "contents", &|contents| rename(contents, connector));
    each(result, "content", &|content| block(content, connector));
    each(result, "messages", &|message| {
        if let Some(content) = message.get_mut("content") {
            block(content, connector);
        }
    });
}

/// What a `tools/call`-shaped refusal is for requests whose results have another shape: an error of the protocol that says the same.
pub(super) fn as_error(method: Governed, answer: Answer) -> Answer {
    let Answer { body, decision } = answer;
    let body = match body {
        Body::Result(mut result)
            if method != Governed::CallTool && result.get("isError") == Some(&Value::Bool(true)) =>
        {
            let text = result
                .get("content")
                .and_then(|content| content.pointer("/0/text")?.as_str())
                .unwrap_or("refused")
                .to_owned();
            let mut error = refuse::protocol(refuse::REFUSED, text);
            error.data = result.remove("_meta");
            Body::Error(error)
        }
        body => body,
    };
    Answer { body, decision }
}
