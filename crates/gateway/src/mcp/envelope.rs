//! JSON-RPC 2.0 messages as clients post them: one message, strictly read.

use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::strict::{Strict, must_be_plain};
use crate::answer::RpcError;
use crate::{limits, refuse};

#[cfg(test)]
mod tests;

/// The id of a request: given back exactly as it came, since whole numbers may be of any size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum RequestId {
    Text(String),
    /// The digits as they were written.
    Number(String),
}

impl RequestId {
    fn read(raw: &RawValue) -> Option<Self> {
        let raw = raw.get();
        if raw.len() > limits::ID_BYTES_MAX {
            return None;
        }
        if raw.starts_with('"') {
            return serde_json::from_str(raw).ok().map(Self::Text);
        }
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        whole.then(|| Self::Number(raw.to_owned()))
    }

    /// The id that a member of a notification's params refers to.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(Self::Number(number.to_string())),
            _ => None,
        }
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(digits) => {
                RawValue::from_string(digits.clone()).map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
        }
    }
}

/// One posted message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    Request {
        id: RequestId,
        method: String,
        params: Map<String, Value>,
    },
    Notification {
        method: String,
        params: Map<String, Value>,
    },
    /// An answer to a request of ours.
    Response {
        id: RequestId,
        said: Result<Value, RpcError>,
    },
}

impl Message {
    /// The id of a request.
    pub fn id(&self) -> Option<&RequestId> {
        match self {
            Self::Request { id, .. } => Some(id),
            Self::Notification { .. } | Self::Response { .. } => None,
        }
    }

    /// The params, if it has any.
    pub fn params(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::Request { params, .. } | Self::Notification { params, .. } => Some(params),
            Self::Response { .. } => None,
        }
    }
}

/// Why bytes are not a message, with the id of the request if that much could be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnvelopeError {
    pub id: Option<RequestId>,
    /// A JSON-RPC error code.
    pub code: i64,
    pub sentence: String,
}

/// The members of a message before they are judged.
#[derive(Default)]
struct Members {
    version: Option<Value>,
    id: Option<Box<RawValue>>,
    method: Option<Value>,
    params: Option<Value>,
    result: Option<Value>,
    error: Option<Value>,
}

impl Members {
    /// What the message answers, if it is an answer: a result or an error, never both.
    fn said(&mut self) -> Option<Result<Value, RpcError>> {
        match (self.result.take(), self.error.take()) {
            (Some(result), None) => Some(Ok(result)),
            (None, Some(error)) => Some(Err(serde_json::from_value(error)
                .unwrap_or_else(|_| refuse::protocol(refuse::INTERNAL_ERROR, "an unreadable error")))),
            _ => None,
        }
    }
}

/// Reads one message. Batches are refused, as every supported generation says; so is whatever two readers could take for
/// two different messages.
pub(crate) fn parse(bytes: &[u8]) -> Result<Message, EnvelopeError> {
    let refused = |id: Option<RequestId>, code: i64, sentence: String| EnvelopeError { id, code, sentence };
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(refused(
            None,
            refuse::INVALID_REQUEST,
            "the body must be a single JSON-RPC message, not a batch".to_owned(),
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = reader.deserialize_map(Reader).and_then(|members| reader.end().map(|()| members));
    let mut members = read.map_err(|error| {
        let code = if error.is_data() { refuse::INVALID_REQUEST } else { refuse::PARSE_ERROR };
        refused(None, code, format!("the body is not a message that can be read: {error}"))
    })?;
    let id = members.id.as_deref().map(RequestId::read);
    let known = id.clone().flatten();
    let invalid = |sentence: &str| Err(refused(known.clone(), refuse::INVALID_REQUEST, sentence.to_owned()));
    if members.version != Some(Value::String("2.0".to_owned())) {
        return invalid("`jsonrpc` must be \"2.0\"");
    }
    if id == Some(None) {
        return invalid("`id` must be a string or a whole number, and not too long");
    }
    let answers = members.result.is_some() || members.error.is_some();
    let method = match members.method.take() {
        None if answers => match (known, members.said()) {
            (Some(id), Some(said)) => return Ok(Message::Response { id, said }),
            (known, _) => {
                let sentence = "an answer has an `id` and either a `result` or an `error`".to_owned();
                return Err(refused(known, refuse::INVALID_REQUEST, sentence));
            }
        },
        Some(Value::String(method)) if !answers && !method.is_empty() && method.len() <= limits::METHOD_BYTES_MAX => {
            method
        }
        _ => return invalid("`method` must be the name of a method"),
    };
    let params = match members.params {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) => return Err(refused(known, refuse::INVALID_PARAMS, "`params` must be an object".to_owned())),
    };
    Ok(match known {
        Some(id) => Message::Request { id, method, params },
        None => Message::Notification { method, params },
    })
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        let mut seen = std::collections::BTreeSet::new();
        let below = Strict { depth: 1 };
        while let Some(name) = access.next_key::<String>()? {
            must_be_plain(&name)?;
            match name.as_str() {
                "jsonrpc" => members.version = Some(access.next_value_seed(below)?),
                "id" => members.id = Some(access.next_value()?),
                "method" => members.method = Some(access.next_value_seed(below)?),
                "params" => members.params = Some(access.next_value_seed(below)?),
                "result" => members.result = Some(access.next_value_seed(below)?),
                "error" => members.error = Some(access.next_value_seed(below)?),
                // Unknown members of the envelope mean nothing to us; they are still read strictly.
                _ => drop(access.next_value_seed(below)?),
            }
            if !seen.insert(name) {
                return Err(A::Error::custom("the message names a member twice"));
            }
        }
        Ok(members)
    }
}
