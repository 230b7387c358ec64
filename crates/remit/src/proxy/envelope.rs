//! What is read of a message: enough to know its way, and nothing of what it carries.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[cfg(test)]
mod tests;

/// The id of a request: a string or a number, as JSON writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    fn of(raw: &RawValue) -> Option<Self> {
        match serde_json::from_str(raw.get()) {
            Ok(value @ (Value::String(_) | Value::Number(_))) => Some(Self(value.to_string())),
            _ => None,
        }
    }

    /// As it stands in a message.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

/// What a message of the client is.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    Request {
        id: Id,
        method: String,
    },
    Notification {
        method: String,
        /// The request that it cancels, if it is a cancellation.
        cancels: Option<Id>,
    },
    /// The answer to something that the server asked.
    Response,
}

/// A message of the client, as far as its way depends on it.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    /// The version that the message says of itself (2026-07-28, `params._meta`).
    pub version: Option<String>,
    /// `params.name` or `params.uri`, where a header repeats it.
    pub name: Option<String>,
}

/// A request of the client.
#[derive(Debug, Clone)]
pub struct Request {
    pub id: Id,
    pub method: String,
    pub version: Option<String>,
    pub name: Option<String>,
}

/// Why a line is no message.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Whether it is not even JSON.
    pub is_json: bool,
    pub id: Option<Id>,
    pub reason: String,
}

/// Members of a message. A member that stands twice is an error here: whoever reads on could take the other one.
#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    method: Option<String>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Params<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    uri: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "requestId")]
    request_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<&'a RawValue>,
}

/// Reads a line of the client.
///
/// # Errors
/// If it is not one JSON-RPC message.
pub fn read(line: &[u8]) -> Result<Message, Unreadable> {
    let unreadable = |is_json, id: Option<Id>, reason: &str| Unreadable { is_json, id, reason: reason.to_owned() };
    let text = std::str::from_utf8(line).map_err(|_| unreadable(false, None, "it is not UTF-8"))?;
    let outer: Outer<'_> = match serde_json::from_str(text) {
        Ok(outer) => outer,
        Err(error) => return Err(unreadable(!error.is_syntax() && !error.is_eof(), None, &error.to_string())),
    };
    let id = outer.id.and_then(Id::of);
    if outer.id.is_some() && id.is_none() {
        return Err(unreadable(true, None, "its `id` is neither a string nor a number"));
    }
    let params = object::<Params<'_>>(outer.params).map_err(|reason| unreadable(true, id.clone(), &reason))?;
    let meta = object::<Meta<'_>>(params.meta).map_err(|reason| unreadable(true, id.clone(), &reason))?;
    let kind = match (outer.method, id) {
        (Some(method), Some(id)) => Kind::Request { id, method },
        (Some(method), None) => {
            let cancels = (method == "notifications/cancelled").then_some(params.request_id).flatten();
            Kind::Notification { method, cancels: cancels.and_then(Id::of) }
        }
        (None, _) if outer.result.is_some() || outer.error.is_some() => Kind::Response,
        (None, id) => return Err(unreadable(true, id, "it has no `method`")),
    };
    let name = match &kind {
        Kind::Request { method, .. } if matches!(method.as_str(), "tools/call" | "prompts/get") => text_of(params.name),
        Kind::Request { method, .. } if method == "resources/read" => text_of(params.uri),
        _ => None,
    };
    Ok(Message { kind, version: text_of(meta.version), name })
}

/// Reads an object; whatever else stands there says nothing about the way.
fn object<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> Result<T, String> {
    match raw.map(RawValue::get) {
        Some(text) if text.starts_with('{') => serde_json::from_str(text).map_err(|error| error.to_string()),
        _ => Ok(T::default()),
    }
}

fn text_of(raw: Option<&RawValue>) -> Option<String> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

/// A message of the gateway.
#[derive(Debug)]
pub struct Said<'a> {
    /// The request that it answers.
    pub answers: Option<Id>,
    /// The error, of an answer that does not say whom it answers.
    pub stray_error: Option<&'a RawValue>,
    /// The version that the answer to `initialize` settles on.
    pub version: Option<String>,
}

/// Reads a message of the gateway; nothing if it is none.
pub fn said(message: &[u8]) -> Option<Said<'_>> {
    #[derive(Deserialize)]
    struct Initialized {
        #[serde(rename = "protocolVersion")]
        version: String,
    }
    let outer: Outer<'_> = serde_json::from_str(std::str::from_utf8(message).ok()?).ok()?;
    let answers = if outer.method.is_none() { outer.id.and_then(Id::of) } else { None };
    let stray_error = if outer.method.is_none() && answers.is_none() { outer.error } else { None };
    let version = outer.result.and_then(|result| serde_json::from_str::<Initialized>(result.get()).ok());
    Some(Said { answers, stray_error, version: version.map(|initialized| initialized.version) })
}
