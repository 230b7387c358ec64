//! What every answer has to be, whatever was asked.

use http::StatusCode;
use serde_json::{Map, Value};

use super::client::Answered;

/// The message of an event of ours; nothing for a comment.
pub fn event(event: &[u8]) -> Option<Vec<u8>> {
    if event.starts_with(b":") {
        return None;
    }
    let message = event.strip_prefix(b"event: message\ndata: ").and_then(|rest| rest.strip_suffix(b"\n\n"));
    let message = message.unwrap_or_else(|| panic!("not an event of ours: {}", String::from_utf8_lossy(event)));
    Some(message.to_vec())
}

fn members(message: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(message).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(message)))
}

/// Judges the answer to one posted body: of the protocol's form, to this very request, and no fault of ours.
pub fn answered(body: &[u8], answered: &Answered) {
    let Answered { status, kind, messages } = answered;
    assert!(*status != StatusCode::INTERNAL_SERVER_ERROR, "it panicked over {}", String::from_utf8_lossy(body));
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_request = sent.get("method").is_some() && sent.get("id").is_some();
    let Some((last, before)) = messages.split_last() else {
        let silent = [StatusCode::ACCEPTED, StatusCode::METHOD_NOT_ALLOWED].contains(status);
        assert!(silent && !is_request, "{status} and nothing for {sent}");
        return;
    };
    assert!(["application/json", "text/event-stream"].contains(&kind.as_str()), "{kind}");
    for message in before {
        let message = members(message);
        assert_eq!(message.get("jsonrpc"), Some(&"2.0".into()));
        assert!(message.get("method").is_some_and(Value::is_string), "more than one answer: {message:?}");
    }
    let last = members(last);
    assert_eq!(last.get("jsonrpc"), Some(&"2.0".into()));
    assert!(last.contains_key("result") != last.contains_key("error"), "{last:?}");
    assert!(!last.contains_key("method"), "a stream that ends without an answer: {last:?}");
    let id = last.get("id");
    let unread = id == Some(&Value::Null) && last.contains_key("error") && status.is_client_error();
    assert!(unread || (id.is_some() && id == sent.get("id")), "{last:?} for {sent}");
    let code = last.get("result").map(|result| &result["_meta"]["remit/refusal"]["code"]);
    assert!(code.is_none_or(|code| code != "fault" && code != "undecided"), "{last:?}");
}
