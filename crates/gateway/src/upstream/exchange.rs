//! One question to an upstream and its answer, over whatever wire.

use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Permit;
use crate::answer::RpcError;

/// What can be asked of an upstream.
///
/// INVARIANT: a call is asked for with a permit; there is no other way to have one sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask<'a> {
    Discover,
    Initialize,
    Tools,
    Call(&'a Permit),
}

impl Ask<'_> {
    pub fn method(&self) -> &'static str {
        match self {
            Self::Discover => "server/discover",
            Self::Initialize => "initialize",
            Self::Tools => "tools/list",
            Self::Call(_) => "tools/call",
        }
    }
}

/// What is sent.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    pub ask: Ask<'a>,
    pub params: Map<String, Value>,
    /// Headers besides those of the protocol, where the wire has headers.
    pub headers: ::http::HeaderMap,
    pub watch: Watch,
}

impl Outgoing<'_> {
    /// Asks for progress under the name `token`, if anybody wants to hear of it.
    pub fn ask_for_progress(&mut self, token: u64) {
        if self.watch.progress.is_some() {
            let meta = self.params.entry("_meta").or_insert_with(|| Value::Object(Map::new()));
            if let Some(meta) = meta.as_object_mut() {
                meta.insert("progressToken".to_owned(), token.into());
            }
        }
    }
}

/// How whoever asks follows what he asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    /// Takes the params of progress notifications, if they are wanted.
    pub progress: Option<mpsc::Sender<Map<String, Value>>>,
    /// Cancelled to give the question up; the upstream is told.
    pub cut: CancellationToken,
}

/// What an upstream answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Result(Map<String, Value>),
    Error(RpcError),
}

/// A message from an upstream.
#[derive(Debug)]
pub(super) enum Incoming {
    /// An answer to the request with this id; `None` if it is not an id of ours.
    Answer(Option<u64>, Reply),
    Progress {
        token: Option<u64>,
        params: Map<String, Value>,
    },
    ToolsChanged,
    /// The server asks something; its id is given back as it came.
    Request {
        id: Value,
        method: String,
    },
    Other,
}

impl Incoming {
    /// Reads one message; `None` if it is not one.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let Ok(Value::Object(mut message)) = serde_json::from_slice(bytes) else { return None };
        let id = message.remove("id");
        if let Some(Value::String(method)) = message.remove("method") {
            return Some(match (method.as_str(), id) {
                (_, Some(id)) => Self::Request { id, method },
                ("notifications/tools/list_changed", None) => Self::ToolsChanged,
                ("notifications/progress", None) => match message.remove("params") {
                    Some(Value::Object(params)) => {
                        Self::Progress { token: params.get("progressToken").and_then(ours), params }
                    }
                    _ => Self::Other,
                },
                _ => Self::Other,
            });
        }
        let id = id.as_ref().and_then(ours);
        if let Some(error) = message.remove("error") {
            let unreadable = || RpcError {
                code: crate::refuse::INTERNAL_ERROR,
                message: "an unreadable error".to_owned(),
                data: None,
            };
            return Some(Self::Answer(
                id,
                Reply::Error(serde_json::from_value(error).unwrap_or_else(|_| unreadable())),
            ));
        }
        match message.remove("result") {
            Some(Value::Object(result)) => Some(Self::Answer(id, Reply::Result(result))),
            _ => None,
        }
    }
}

/// Our ids are whole numbers; some servers write them as text.
fn ours(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// One request as it is written.
pub(super) fn request(id: u64, method: &str, params: &Map<String, Value>) -> String {
    serde_json::json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

/// The notification that gives up the request `id`.
pub(super) fn cancelled(id: u64) -> String {
    let params = serde_json::json!({"requestId": id, "reason": "the caller no longer waits for it"});
    serde_json::json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string()
}
