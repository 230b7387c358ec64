//! A receipt in words.

use remit_domain::Timestamp;
use serde_json::{Value, json};

use super::Output;
use super::output::{Column, text_at};
use super::summary::words;

#[cfg(test)]
mod tests;

const COLUMNS: &[Column] =
    &[("where", "/where"), ("when", "/when"), ("after the commit", "/after"), ("ended", "/ended")];

/// What ended, as the receipt counts it, in the singular and in the plural.
const ENDED: [(&str, &str, &str); 5] = [
    ("/ended/tasks", "task", "tasks"),
    ("/ended/sessions", "session", "sessions"),
    ("/ended/grants", "grant", "grants"),
    ("/ended/keys", "key", "keys"),
    ("/ended/agents", "agent concerned", "agents concerned"),
];

/// Tells `receipt`.
pub fn show(receipt: &Value, output: &Output) {
    let committed = moment(receipt, "/cause/at");
    let seq = text_at(receipt, "/cause/seq");
    let what = receipt.pointer("/cause/event/type").and_then(Value::as_str).unwrap_or("an end");
    output.note(&format!("{} (record {seq}), committed at {committed}", words(what)));
    output.note(&format!("ended with it: {}", ended(receipt)));
    output.table(&points(receipt, committed), COLUMNS, "it took effect nowhere yet");
    sentences(receipt, committed).iter().for_each(|sentence| output.note(sentence));
}

fn moment(receipt: &Value, pointer: &str) -> Timestamp {
    Timestamp::from_millis(receipt.pointer(pointer).and_then(Value::as_i64).unwrap_or_default())
}

/// `3 tasks, 1 grant`
fn ended(receipt: &Value) -> String {
    if receipt.pointer("/cause/event/type").is_some_and(|kind| kind == "RealmKeyStepped") {
        return "everything that the key had signed".to_owned();
    }
    let counted = ENDED.iter().filter_map(|(pointer, one, many)| {
        let count = match receipt.pointer(pointer)? {
            Value::Array(items) => u64::try_from(items.len()).ok()?,
            count => count.as_u64()?,
        };
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
    });
    let counted: Vec<String> = counted.collect();
    if counted.is_empty() { "nothing was live below it".to_owned() } else { counted.join(", ") }
}

/// The points, as a table has them.
fn points(receipt: &Value, committed: Timestamp) -> Value {
    let points = receipt.get("took_effect").and_then(Value::as_array);
    let rows = points.into_iter().flatten().map(|point| {
        let at = point.get("at").and_then(Value::as_i64).map(Timestamp::from_millis);
        json!({
            "where": point.get("point"),
            "when": at.map_or_else(|| "nothing was open there".to_owned(), time_of_day),
            "after": at.map(|at| format!("{} ms", at.millis_since(committed))),
            "ended": point.get("ended"),
        })
    });
    json!({"items": rows.collect::<Vec<_>>()})
}

/// `12:00:00.000Z`
fn time_of_day(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('T').map_or_else(|| text.clone(), |(_, time)| time.to_owned())
}

/// What else there is to say.
fn sentences(receipt: &Value, committed: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    match receipt.get("last_accepted").filter(|last| !last.is_null()) {
        Some(last) => {
            let at = moment(last, "/at");
            let (operation, seq) = (text_at(last, "/operation"), text_at(last, "/seq"));
            said.push(format!(
                "the last call that was accepted: `{operation}` at {at}, {} ms before (record {seq})",
                committed.millis_since(at)
            ));
        }
        None if receipt.get("accepted_after").is_some_and(Value::is_null) => {}
        None => said.push("no call of what ended had been accepted before".to_owned()),
    }
    said.push(match receipt.get("accepted_after").and_then(Value::as_u64) {
        Some(0) => "calls that were accepted after it: none".to_owned(),
        Some(count) => format!("calls that were accepted after it: {count}; keep this receipt, and report it"),
        None => "calls that were accepted after it: not counted, since they cannot be told from others".to_owned(),
    });
    let texts = |name: &str| {
        let items = receipt.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<String>>()
    };
    let left = texts("not_revoked");
    if left.is_empty() {
        said.push("nothing is left that could not be called back".to_owned());
    }
    said.extend(left.iter().map(|what| format!("could not be called back: {what}")));
    let pending = texts("pending");
    if !pending.is_empty() {
        let seq = text_at(receipt, "/cause/seq");
        said.push(format!("not reported yet: {}; `remit receipt show {seq}` asks again", pending.join(", ")));
    }
    said
}
