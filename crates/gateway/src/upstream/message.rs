//! Messages as they stand on the wire: ours are written from borrowed parts, an upstream's are read once.

use remit_domain::ActionId;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, Serialize as Written};
use serde_json::{Map, Value};

use super::exchange::{Ask, Outgoing, Reply};
use super::fault::UpstreamFault;
use crate::answer::RpcError;
use crate::limits;
use crate::mcp::reply::DECISION_MEMBER;
use crate::mcp::{CAPABILITIES_MEMBER, CLIENT_MEMBER, MODERN, VERSION_MEMBER};

#[cfg(test)]
mod tests;

/// The member of `_meta` with which a request of 2026-07-28 asks for log messages.
const LOG_LEVEL_MEMBER: &str = "io.modelcontextprotocol/logLevel";

/// The member of `_meta` that says to which `subscriptions/listen` a notification belongs.
const SUBSCRIPTION_MEMBER: &str = "io.modelcontextprotocol/subscriptionId";

const PROGRESS_MEMBER: &str = "progressToken";

/// The members of `_meta` that belong to the hop between the gateway and an upstream. They are ours to write.
const OF_THE_HOP: [&str; 6] =
    [VERSION_MEMBER, CLIENT_MEMBER, CAPABILITIES_MEMBER, LOG_LEVEL_MEMBER, DECISION_MEMBER, PROGRESS_MEMBER];

/// What a request says in its `_meta`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meta<'a> {
    /// What the caller says.
    pub said: Option<&'a Map<String, Value>>,
    pub decision: Option<ActionId>,
    /// Under which name progress is wanted, if it is.
    pub progress_token: Option<u64>,
    /// What 2026-07-28 says in every request for want of a handshake.
    pub described: Option<Described<'a>>,
}

/// The gateway as a client, in a request of 2026-07-28.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Described<'a> {
    /// None declares no capability.
    pub capabilities: Option<&'a Map<String, Value>>,
    pub log_level: Option<&'a str>,
}

impl Meta<'_> {
    fn is_empty(&self) -> bool {
        self.said.is_none_or(Map::is_empty)
            && self.decision.is_none()
            && self.progress_token.is_none()
            && self.described.is_none()
    }
}

/// How the gateway names itself to upstreams.
#[derive(Debug, Clone, Copy, Written)]
pub(super) struct ClientInfo {
    name: &'static str,
    version: &'static str,
}

/// This program.
pub(super) const CLIENT: ClientInfo = ClientInfo { name: "remit", version: env!("CARGO_PKG_VERSION") };

impl Serialize for Meta<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        for (name, member) in self.said.into_iter().flatten() {
            if !OF_THE_HOP.contains(&name.as_str()) {
                members.serialize_entry(name, member)?;
            }
        }
        if let Some(decision) = self.decision {
            members.serialize_entry(DECISION_MEMBER, &decision)?;
        }
        if let Some(token) = self.progress_token {
            members.serialize_entry(PROGRESS_MEMBER, &token)?;
        }
        if let Some(described) = self.described {
            members.serialize_entry(VERSION_MEMBER, MODERN)?;
            members.serialize_entry(CLIENT_MEMBER, &CLIENT)?;
            match described.capabilities {
                Some(capabilities) => members.serialize_entry(CAPABILITIES_MEMBER, capabilities)?,
                None => members.serialize_entry(CAPABILITIES_MEMBER, &Map::new())?,
            }
            if let Some(level) = described.log_level {
                members.serialize_entry(LOG_LEVEL_MEMBER, level)?;
            }
        }
        members.end()
    }
}

struct Params<'a> {
    named: &'a Map<String, Value>,
    meta: Meta<'a>,
}

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        for (name, member) in self.named.iter().filter(|(name, _)| *name != "_meta") {
            members.serialize_entry(name, member)?;
        }
        if !self.meta.is_empty() {
            members.serialize_entry("_meta", &self.meta)?;
        }
        members.end()
    }
}

#[derive(Written)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: u64,
    method: &'static str,
    params: Params<'a>,
}

/// One request as it is written.
pub(super) fn request(id: u64, outgoing: &Outgoing<'_>) -> Result<String, UpstreamFault> {
    write(id, &outgoing.ask, outgoing.params, outgoing.meta)
}

fn write(id: u64, ask: &Ask<'_>, params: &Map<String, Value>, meta: Meta<'_>) -> Result<String, UpstreamFault> {
    let request = Request { jsonrpc: "2.0", id, method: ask.method(), params: Params { named: params, meta } };
    let written = serde_json::to_string(&request);
    written.map_err(|error| UpstreamFault::not_sent("the request cannot be written").detail(error))
}

#[derive(Written)]
struct Response<'a> {
    jsonrpc: &'static str,
    id: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a RpcError>,
}

/// The answer to a request of the server's.
pub(super) fn response(id: &Value, answer: &Result<Value, RpcError>) -> String {
    let response = Response { jsonrpc: "2.0", id, result: answer.as_ref().ok(), error: answer.as_ref().err() };
    serde_json::to_string(&response).unwrap_or_default()
}

/// The notification that gives up the request `id`.
pub(super) fn cancelled(id: u64) -> String {
    let params = serde_json::json!({"requestId": id, "reason": "the caller no longer waits for it"});
    serde_json::json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string()
}

/// A message from an upstream.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    /// An answer to the request with this id; `None` if it is not an id of ours.
    Answer(Option<u64>, Reply),
    /// The server asks something; its id is given back as it came.
    Request {
        id: Value,
        method: String,
        params: Map<String, Value>,
    },
    Progress {
        token: Option<u64>,
        params: Map<String, Value>,
    },
    Log(Map<String, Value>),
    Changed(Change),
    /// The server has taken the `subscriptions/listen` with this id.
    Listening(Option<u64>),
    /// The server has ended the `subscriptions/listen` with this id (stdio).
    Cancelled(Option<u64>),
    Other,
}

/// What a server says has changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Tools,
    Resources,
    Prompts,
    Resource { uri: String },
}

#[derive(Deserialize)]
struct Message {
    id: Option<Value>,
    method: Option<String>,
    params: Option<Value>,
    result: Option<Value>,
    error: Option<Value>,
}

impl Incoming {
    /// Reads one message; `None` if it is not one.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        // A list of what would be in a message is none, and neither is a batch.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return None;
        }
        let message: Message = serde_json::from_slice(bytes).ok()?;
        if let Some(method) = message.method {
            let params = match message.params {
                Some(Value::Object(params)) => params,
                _ => Map::new(),
            };
            return Some(match message.id {
                Some(id) => Self::Request { id, method, params },
                None => Self::notification(&method, params),
            });
        }
        let id = message.id.as_ref().and_then(ours);
        if let Some(error) = message.error {
            let unreadable = |_| RpcError {
                code: crate::refuse::INTERNAL_ERROR,
                message: "an unreadable error".to_owned(),
                data: None,
            };
            return Some(Self::Answer(id, Reply::Error(serde_json::from_value(error).unwrap_or_else(unreadable))));
        }
        match message.result {
            Some(Value::Object(result)) => Some(Self::Answer(id, Reply::Result(result))),
            _ => None,
        }
    }

    fn notification(method: &str, mut params: Map<String, Value>) -> Self {
        match method {
            "notifications/progress" => Self::Progress { token: params.get(PROGRESS_MEMBER).and_then(ours), params },
            "notifications/message" => Self::Log(params),
            "notifications/tools/list_changed" => Self::Changed(Change::Tools),
            "notifications/resources/list_changed" => Self::Changed(Change::Resources),
            "notifications/prompts/list_changed" => Self::Changed(Change::Prompts),
            "notifications/resources/updated" => match params.remove("uri") {
                Some(Value::String(uri)) if uri.len() <= limits::NEWS_URI_BYTES_MAX => {
                    Self::Changed(Change::Resource { uri })
                }
                _ => Self::Other,
            },
            "notifications/subscriptions/acknowledged" => {
                Self::Listening(params.get("_meta").and_then(|meta| meta.get(SUBSCRIPTION_MEMBER)).and_then(ours))
            }
            "notifications/cancelled" => Self::Cancelled(params.get("requestId").and_then(ours)),
            _ => Self::Other,
        }
    }
}

/// Our ids are whole numbers; some servers write them as text.
fn ours(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}
