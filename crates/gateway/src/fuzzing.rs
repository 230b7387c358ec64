//! What must hold of the parsers of this crate whatever the bytes: for the fuzz targets of `tests/fuzz`, and in short for the
//! tests. Each function ends by an assertion where it does not hold.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::call::{Call, HOP_PREFIXES};
use crate::door::Door;
use crate::limits;
use crate::mcp::envelope::{self, Message, RequestId};
use crate::mcp::sse;
use crate::upstream::{Governed, fuzzing as upstream};
use anatomy::Anatomy;

mod anatomy;
#[cfg(test)]
mod tests;

/// A posted body: what is accepted means the same to every other reader, what readers could disagree about is refused, and what is neither
/// is accepted. Then what each governed method makes of its params.
pub fn envelope(body: &[u8]) {
    let read = envelope::parse(body);
    let text = std::str::from_utf8(body).ok();
    let plain = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Ok(message) = read else {
        let refused_rightly = !plain.is_some_and(|plain| is_sound(text.unwrap_or_default(), &plain));
        assert!(refused_rightly, "a sound message was refused: {read:?}");
        return;
    };
    let anatomy = Anatomy::of(text.unwrap_or_default());
    assert!(anatomy.is_plain(), "two readers could disagree: {anatomy:?}");
    let plain = plain.unwrap_or_default();
    assert_eq!(plain.get("jsonrpc").and_then(Value::as_str), Some("2.0"));
    if let Message::Request { id, .. } | Message::Response { id, .. } = &message {
        same_id(id, text.unwrap_or_default());
    }
    if let Message::Request { method, params, .. } | Message::Notification { method, params } = &message {
        assert_eq!(plain.get("method").and_then(Value::as_str), Some(method.as_str()));
        let said = plain.get("params").cloned().unwrap_or_else(|| Value::Object(Map::new()));
        assert_eq!(said, Value::Object(params.clone()), "the params are read otherwise elsewhere");
        for door in [Door::One("desk".to_owned()), Door::All] {
            Governed::ALL.into_iter().for_each(|governed| call(&door, governed, params));
        }
    } else if let Message::Response { said: Ok(said), .. } = &message {
        assert_eq!(plain.get("result"), Some(said));
    }
}

/// The id goes back as it came.
fn same_id(id: &RequestId, text: &str) {
    let members: std::collections::HashMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
    let came = members.get("id").map(|id| id.get()).unwrap_or_default();
    let goes = serde_json::to_string(id).unwrap_or_default();
    let same = |came: &str| {
        came == goes
            || serde_json::from_str::<String>(came)
                .ok()
                .is_some_and(|came| serde_json::to_string(&came).ok() == Some(goes.clone()))
    };
    assert!(same(came), "the id {came} came and {goes} would go back");
}

/// Whether nothing is wrong with a message of a method, so that it has to be taken.
fn is_sound(text: &str, plain: &Value) -> bool {
    let id = match plain.get("id") {
        None => true,
        Some(Value::String(id)) => id.len() * 6 + 2 <= limits::ID_BYTES_MAX,
        Some(Value::Number(id)) => id.is_i64() || id.is_u64(),
        Some(_) => false,
    };
    let method = plain.get("method").and_then(Value::as_str).unwrap_or_default();
    id && plain.is_object()
        && Anatomy::of(text).is_plain()
        && plain.get("jsonrpc").and_then(Value::as_str) == Some("2.0")
        && !method.is_empty()
        && method.len() <= limits::METHOD_BYTES_MAX
        && plain.get("params").is_none_or(Value::is_object)
        && plain.get("result").is_none()
        && plain.get("error").is_none()
}

/// One governed request: what is committed to is what goes upstream, all of it, in one byte form.
fn call(door: &Door, method: Governed, params: &Map<String, Value>) {
    let Ok(call) = Call::read(door, method, params.clone()) else { return };
    let committed = stable(&call.canonical);
    assert!(same(&committed, &call.arguments), "{committed} is committed to, {} is decided on", call.arguments);
    let beside = call.beside.as_deref().map(stable).unwrap_or_else(|| Value::Object(Map::new()));
    assert_eq!(Value::Object(call.carried()), beside);
    let mut upstream = Value::Object((*call.params).clone());
    let mut accounted = match method {
        Governed::CallTool => {
            let name = Value::from(call.operation.tool());
            Map::from_iter([("name".to_owned(), name), ("arguments".to_owned(), committed)])
        }
        _ => committed.as_object().cloned().unwrap_or_default(),
    };
    if method != Governed::CallTool {
        assert_eq!(accounted.remove("method"), Some(method.method().into()));
    }
    accounted.extend(beside.as_object().cloned().unwrap_or_default());
    assert!(same(&upstream, &Value::Object(accounted)), "{upstream} would go upstream for {:?}", call.beside);
    assert!(upstream.as_object_mut().is_some_and(|members| members.remove("_meta").is_none()));
    assert!(call.trace.values().all(|text| text.as_str().is_some_and(|text| text.len() <= limits::TRACE_BYTES_MAX)));
    assert!(!call.unknown.keys().any(|name| HOP_PREFIXES.iter().any(|prefix| name.starts_with(prefix))));
    if let Door::One(connector) = door {
        assert_eq!(call.operation.connector(), connector, "another connector is reached than was asked");
    }
    let added = Map::from_iter([("requestState".to_owned(), Value::from("s"))]);
    let (Ok((bare, _)), Ok((again, _))) =
        (call.clone().without("requestState"), call.with(added).and_then(|call| call.without("requestState")))
    else {
        return;
    };
    assert_eq!((bare.beside, bare.params.len()), (again.beside, again.params.len()), "a round changed the call");
}

/// What canonical bytes say. Their form is the only one: written again, they are the same.
fn stable(canonical: &[u8]) -> Value {
    let read: Value = serde_json::from_slice(canonical).unwrap_or_default();
    let again = serde_json_canonicalizer::to_vec(&read).unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(canonical), "the canonical form is not stable");
    read
}

/// Equal as JSON: numbers by their value, so that `1.0` is `1`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// A stream of events: it says the same however it is cut, and what the standard's own words make of it. Each of its messages is then read
/// as one of an upstream.
pub fn events(stream: &[u8]) {
    let (first, rest) = stream.split_first().map_or((1, stream), |(first, rest)| (usize::from(*first).max(1), rest));
    let mut whole = sse::Reader::new(rest.len());
    let Ok(messages) = whole.feed(rest) else {
        narrow(rest);
        return;
    };
    assert_eq!(messages, anatomy::events(rest), "the standard reads the stream otherwise");
    let mut cut = sse::Reader::new(rest.len());
    let pieces: Vec<Vec<u8>> = rest.chunks(first).filter_map(|piece| cut.feed(piece).ok()).flatten().collect();
    assert_eq!(pieces, messages, "a stream that is cut says something else");
    assert_eq!((cut.last_event_id(), cut.retry_milliseconds()), (whole.last_event_id(), whole.retry_milliseconds()));
    cut.restart();
    assert_eq!(cut.feed(rest).ok(), Some(messages.clone()), "something is left over from before a stream was taken up");
    narrow(rest);
    messages.iter().for_each(|message| incoming(message));
}

/// A message of an upstream.
pub fn incoming(bytes: &[u8]) {
    upstream::message(bytes);
}

/// A reader that takes less than there is says so, and takes nothing in part.
fn narrow(stream: &[u8]) {
    let mut small = sse::Reader::new(16);
    let taken = small.feed(stream).unwrap_or_default();
    assert!(taken.iter().all(|message| message.len() <= 16));
}
