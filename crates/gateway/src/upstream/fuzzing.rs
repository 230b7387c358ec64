//! What must hold of a message of an upstream, whatever its bytes.

use serde_json::Value;

use super::exchange::Reply;
use super::message::Incoming;

/// Reads a message. What it is taken for is what it says.
pub(crate) fn message(bytes: &[u8]) {
    let Some(incoming) = Incoming::parse(bytes) else { return };
    // What no reader takes in a member that means nothing here, such as bytes that are no text, was skipped.
    let Ok(plain) = serde_json::from_slice::<Value>(bytes) else { return };
    let method = plain.get("method").and_then(Value::as_str);
    match incoming {
        Incoming::Answer(id, reply) => {
            assert_eq!(method, None, "a message with a method was taken for an answer");
            let said = plain.get("id").and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
            assert_eq!(id, said);
            match reply {
                Reply::Result(result) => assert_eq!(plain.get("result"), Some(&Value::Object(result))),
                Reply::Error(_) => assert!(plain.get("error").is_some_and(|error| !error.is_null())),
            }
        }
        Incoming::Request { id, method: named, params } => {
            assert_eq!((Some(&id), method), (plain.get("id"), Some(named.as_str())));
            assert!(params.is_empty() || plain.get("params") == Some(&Value::Object(params)));
        }
        Incoming::Progress { .. }
        | Incoming::Log(_)
        | Incoming::Changed(_)
        | Incoming::Listening(_)
        | Incoming::Cancelled(_)
        | Incoming::Other => {
            assert!(method.is_some() && plain.get("id").is_none_or(Value::is_null), "not a notification: {plain}");
        }
    }
}
