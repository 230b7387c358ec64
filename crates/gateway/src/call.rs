//! Step two, what: from a client's request to the one exact action that is decided, recorded and perhaps run.

use std::sync::Arc;

use remit_domain::{ApprovalId, Feature, OperationName, Refusal};
use serde_json::{Map, Value};

use crate::door::Door;
use crate::limits;
use crate::upstream::Governed;

#[cfg(test)]
mod tests;

/// The member of `_meta` with which a client presents an approval for exactly this call.
const APPROVAL_MEMBER: &str = "remit/approval";

/// The member of `_meta` with which a client of 2026-07-28 asks for log messages.
pub(crate) const LOG_LEVEL_MEMBER: &str = "io.modelcontextprotocol/logLevel";

/// Members of `_meta` that belong to one hop: what a client says of itself to us is not said upstream in its name, and no
/// upstream speaks in ours.
pub(crate) const HOP_PREFIXES: [&str; 2] = ["io.modelcontextprotocol/", "remit/"];

/// The members of `_meta` that always go upstream: the trace that the call is part of. Its other members are free text, and pass as
/// what Remit does not know does.
const TRACE_MEMBERS: [&str; 1] = ["traceparent"];

/// What a client of 2026-07-28 adds when it repeats a request with the answers that it was asked for.
pub(crate) const RESPONSES_MEMBER: &str = "inputResponses";
pub(crate) const STATE_MEMBER: &str = "requestState";

/// One governed request that was read.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub method: Governed,
    /// Whether connectors are joined where it came from, so that names have to say which one is meant.
    pub joined: bool,
    pub operation: OperationName,
    /// What policies decide on.
    pub arguments: Arc<Value>,
    /// RFC 8785 form of `arguments`: the bytes that are committed to.
    pub canonical: Vec<u8>,
    /// Members of the params that are no arguments, in that form: they go upstream too, so they are committed to as well.
    pub beside: Option<Vec<u8>>,
    /// What goes upstream, without `_meta`.
    pub params: Arc<Map<String, Value>>,
    /// The members of `_meta` that always go upstream.
    pub trace: Map<String, Value>,
    /// Other members of `_meta` that Remit does not know. They are no part of what a person approves, since clients put a new
    /// name into each request there; so they go upstream only with calls that need no approval, and are recorded with the outcome.
    pub unknown: Map<String, Value>,
    pub approval: Option<ApprovalId>,
    pub progress_token: Option<Value>,
    pub log_level: Option<String>,
    /// How often the client has waited for an approval of this call before (2026-07-28).
    pub round: u8,
}

/// Why a request could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError {
    /// It is not well-formed; the sentence says what is wrong.
    Malformed(String),
    /// It is well-formed and asks for something that cannot be.
    Refused(Refusal),
}

/// The envelope's part of `params`: what `_meta` says, apart.
struct Meta {
    trace: Map<String, Value>,
    unknown: Map<String, Value>,
    approval: Option<ApprovalId>,
    progress_token: Option<Value>,
    log_level: Option<String>,
}

impl Call {
    /// Reads the params of `method` as they mean at `door`.
    pub fn read(door: &Door, method: Governed, mut params: Map<String, Value>) -> Result<Self, CallError> {
        let meta = Meta::take(&mut params)?;
        let (operation, arguments, mut upstream) = match method {
            Governed::CallTool => tool(door, &mut params)?,
            _ => feature(door, method, &mut params)?,
        };
        let canonical = canonical(&arguments, "`params.arguments`")?;
        // Tasks of 2025-11-25 belong to the hop; none is offered.
        params.remove("task");
        let beside = if params.is_empty() { None } else { Some(canonical_of(&params)?) };
        upstream.extend(params);
        Ok(Self {
            method,
            joined: *door == Door::All,
            operation,
            arguments: Arc::new(arguments),
            canonical,
            beside,
            params: Arc::new(upstream),
            trace: meta.trace,
            unknown: meta.unknown,
            approval: meta.approval,
            progress_token: meta.progress_token,
            log_level: meta.log_level,
            round: 0,
        })
    }

    /// The same request again, with members beside its arguments that continue it.
    pub fn with(&self, members: Map<String, Value>) -> Result<Self, CallError> {
        let mut next = self.clone();
        let mut beside = self.carried();
        for (name, member) in members {
            beside.insert(name.clone(), member.clone());
            Arc::make_mut(&mut next.params).insert(name, member);
        }
        next.beside = if beside.is_empty() { None } else { Some(canonical_of(&beside)?) };
        Ok(next)
    }

    /// The same request without the member `name` beside its arguments.
    pub fn without(mut self, name: &str) -> Result<(Self, Option<Value>), CallError> {
        let mut beside = self.carried();
        let member = beside.remove(name);
        if member.is_some() {
            Arc::make_mut(&mut self.params).remove(name);
            self.beside = if beside.is_empty() { None } else { Some(canonical_of(&beside)?) };
        }
        Ok((self, member))
    }

    /// The resource that it is about: its connector, and its server's own address for it.
    pub fn followed(&self) -> (String, String) {
        let uri = self.arguments.get("uri").and_then(Value::as_str).unwrap_or_default();
        (self.operation.connector().to_owned(), uri.to_owned())
    }

    /// What it carries beside its arguments.
    pub fn carried(&self) -> Map<String, Value> {
        self.beside.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }
}

/// The operation of a `tools/call`, its arguments, and what goes upstream of them.
fn tool(door: &Door, params: &mut Map<String, Value>) -> Result<(OperationName, Value, Map<String, Value>), CallError> {
    let name = text(params, "name", "the name of a tool", limits::TOOL_NAME_BYTES_MAX)?;
    let arguments = match params.remove("arguments") {
        None => Value::Object(Map::new()),
        Some(arguments @ Value::Object(_)) => arguments,
        Some(_) => return Err(malformed("`params.arguments` must be an object")),
    };
    let operation = door.operation(&name);
    let mut upstream = Map::new();
    upstream.insert("name".to_owned(), operation.tool().into());
    upstream.insert("arguments".to_owned(), arguments.clone());
    Ok((operation, arguments, upstream))
}

/// The same of a request about something that is not a tool: its operation is the feature, its arguments are its params.
fn feature(
    door: &Door,
    method: Governed,
    params: &mut Map<String, Value>,
) -> Result<(OperationName, Value, Map<String, Value>), CallError> {
    let mut upstream = Map::new();
    let take = |params: &mut Map<String, Value>, upstream: &mut Map<String, Value>, names: &[&str]| {
        for name in names {
            if let Some(member) = params.remove(*name) {
                upstream.insert((*name).to_owned(), member);
            }
        }
    };
    let connector = match method {
        Governed::ReadResource | Governed::Subscribe | Governed::Unsubscribe => {
            let uri = text(params, "uri", "the address of a resource", limits::URI_BYTES_MAX)?;
            let (connector, own) = door.located(&uri);
            upstream.insert("uri".to_owned(), own.into());
            connector.to_owned()
        }
        Governed::GetPrompt => {
            let name = text(params, "name", "the name of a prompt", limits::TOOL_NAME_BYTES_MAX)?;
            let (connector, own) = door.named(&name);
            upstream.insert("name".to_owned(), own.into());
            take(params, &mut upstream, &["arguments"]);
            connector.to_owned()
        }
        Governed::Complete => {
            take(params, &mut upstream, &["ref", "argument", "context"]);
            refer(door, &mut upstream)?
        }
        Governed::ListResources | Governed::ListTemplates | Governed::ListPrompts => {
            take(params, &mut upstream, &["cursor"]);
            match door {
                Door::One(connector) => connector.clone(),
                Door::All => String::new(),
            }
        }
        Governed::CallTool => return Err(malformed("a tool is not a feature")),
    };
    let mut arguments = upstream.clone();
    arguments.insert("method".to_owned(), method.method().into());
    let operation = OperationName::new(&connector, method.feature().map_or("", Feature::name));
    Ok((operation, Value::Object(arguments), upstream))
}

/// Takes the connector out of what a completion refers to.
fn refer(door: &Door, upstream: &mut Map<String, Value>) -> Result<String, CallError> {
    let Some(Value::Object(reference)) = upstream.get_mut("ref") else {
        return Err(malformed("`params.ref` must be an object"));
    };
    for (member, prompt) in [("name", true), ("uri", false)] {
        if let Some(Value::String(text)) = reference.get_mut(member) {
            let (connector, own) = if prompt { door.named(text) } else { door.located(text) };
            let (connector, own) = (connector.to_owned(), own.to_owned());
            *text = own;
            return Ok(connector);
        }
    }
    Err(malformed("`params.ref` must name a prompt or a resource"))
}

impl Meta {
    fn take(params: &mut Map<String, Value>) -> Result<Self, CallError> {
        let mut meta = match params.remove("_meta") {
            None => Map::new(),
            Some(Value::Object(meta)) => meta,
            Some(_) => return Err(malformed("`params._meta` must be an object")),
        };
        let progress_token = meta.remove("progressToken");
        if progress_token.as_ref().is_some_and(|token| !token.is_string() && !token.is_i64() && !token.is_u64()) {
            return Err(malformed("`params._meta.progressToken` must be a string or a whole number"));
        }
        let approval = meta.remove(APPROVAL_MEMBER).map(presented).transpose()?;
        let log_level = match meta.remove(LOG_LEVEL_MEMBER) {
            Some(Value::String(level)) if severity(&level).is_some() => Some(level),
            None => None,
            Some(_) => return Err(malformed("the log level is none of the protocol's")),
        };
        let mut trace = Map::new();
        for name in TRACE_MEMBERS {
            // What is no such text stays with the members that Remit does not know: nothing else may go along unread.
            if meta.get(name).and_then(Value::as_str).is_some_and(is_trace)
                && let Some(member) = meta.remove(name)
            {
                trace.insert(name.to_owned(), member);
            }
        }
        meta.retain(|name, _| !HOP_PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        canonical_of(&meta)?;
        Ok(Self { trace, unknown: meta, approval, progress_token, log_level })
    }
}

/// Whether this is a trace's name and nothing else (W3C Trace Context, `traceparent`): letters of hexadecimal numbers and dashes.
fn is_trace(text: &str) -> bool {
    text.len() <= limits::TRACE_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// How severe a log level is (RFC 5424, 0 is the least here); nothing if the protocol has no such level.
pub(crate) fn severity(level: &str) -> Option<usize> {
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
        .iter()
        .position(|known| *known == level)
}

fn malformed(sentence: impl Into<String>) -> CallError {
    CallError::Malformed(sentence.into())
}

/// A text that names something. It is recorded as it is, and people read records on terminals.
fn text(params: &mut Map<String, Value>, member: &str, what: &str, bytes_max: usize) -> Result<String, CallError> {
    match params.remove(member) {
        Some(Value::String(text))
            if !text.is_empty() && text.len() <= bytes_max && !text.chars().any(char::is_control) =>
        {
            Ok(text)
        }
        Some(Value::String(_)) => {
            Err(malformed(format!("`params.{member}` is empty, too long or has control characters")))
        }
        _ => Err(malformed(format!("`params.{member}` must be {what}"))),
    }
}

fn presented(approval: Value) -> Result<ApprovalId, CallError> {
    let text = approval.as_str().unwrap_or_default();
    text.parse().map_err(|error: remit_domain::IdError| {
        CallError::Refused(Refusal::new("approval_unknown", error.to_string()).help("call without it to ask a person"))
    })
}

/// The one byte form of what is committed to. The envelope has refused numbers that other readers would round, so that what is
/// hashed, what people are shown and what the upstream reads are the same.
pub(crate) fn canonical(value: &Value, what: &str) -> Result<Vec<u8>, CallError> {
    let bytes = serde_json_canonicalizer::to_vec(value)
        .map_err(|error| malformed(format!("{what} have no canonical form: {error}")))?;
    if bytes.len() > limits::ARGUMENTS_BYTES_MAX {
        return Err(malformed(format!("{what} are larger than {} bytes", limits::ARGUMENTS_BYTES_MAX)));
    }
    Ok(bytes)
}

fn canonical_of(members: &Map<String, Value>) -> Result<Vec<u8>, CallError> {
    let bytes = serde_json_canonicalizer::to_vec(members)
        .map_err(|error| malformed(format!("the params have no canonical form: {error}")))?;
    if bytes.len() > limits::ARGUMENTS_BYTES_MAX {
        return Err(malformed(format!("the params are larger than {} bytes", limits::ARGUMENTS_BYTES_MAX)));
    }
    Ok(bytes)
}
