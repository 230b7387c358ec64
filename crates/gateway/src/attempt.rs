//! Step two, what: from a `tools/call` to the one exact action that is decided, recorded and perhaps run.

use std::sync::Arc;

use remit_domain::{ApprovalId, AttemptAction, Command, ContentRef, OperationName, Refusal};
use remit_engine::{Content, Engine, Receipt, SubmitError};
use serde_json::{Map, Value};

use crate::caller::Caller;
use crate::limits;

#[cfg(test)]
mod tests;

/// The member of `_meta` with which a client presents an approval for exactly this call.
const APPROVAL_MEMBER: &str = "remit/approval";

/// Members of `_meta` that belong to one hop: what a client says of itself to us is not said upstream in its name, and no
/// upstream speaks in ours.
pub(crate) const HOP_PREFIXES: [&str; 2] = ["io.modelcontextprotocol/", "remit/"];

/// The members of `_meta` that go upstream: the trace that the call is part of (W3C Trace Context), nothing that acts.
const TRACE_MEMBERS: [&str; 2] = ["traceparent", "tracestate"];

/// Through which address a call came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Door {
    /// `/mcp/{connector}`: tools are named as their server names them.
    One(String),
    /// `/mcp`: tools are named `connector__tool`.
    All,
}

impl Door {
    /// The operation that a tool's name means here. A name that can mean none gives a name that no operation has, so that
    /// the attempt is decided and recorded like any other.
    pub fn operation(&self, tool: &str) -> OperationName {
        match self {
            Self::One(connector) => OperationName::new(connector, tool),
            // The names of connectors have no `__`, so there is one way to take this apart.
            Self::All => match tool.split_once("__") {
                Some((connector, tool)) => OperationName::new(connector, tool),
                None => OperationName::new("", tool),
            },
        }
    }

    /// How an operation is named to clients of this door.
    pub fn tool(&self, operation: &OperationName) -> String {
        match self {
            Self::One(_) => operation.tool().to_owned(),
            Self::All => format!("{}__{}", operation.connector(), operation.tool()),
        }
    }

    /// Whether operations of `connector` are behind it.
    pub fn opens_on(&self, connector: &str) -> bool {
        matches!(self, Self::All) || matches!(self, Self::One(own) if own == connector)
    }
}

/// A `tools/call` that was read.
#[derive(Debug, Clone)]
pub(crate) struct ToolCall {
    pub operation: OperationName,
    pub arguments: Arc<Value>,
    /// RFC 8785 form of `arguments`: the bytes that are committed to.
    canonical: Vec<u8>,
    approval: Option<ApprovalId>,
    pub progress_token: Option<Value>,
    /// The members of `_meta` that go upstream.
    pub meta: Map<String, Value>,
}

/// Why a `tools/call` could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError {
    /// It is not well-formed; the sentence says what is wrong.
    Malformed(String),
    /// It is well-formed and asks for something that cannot be.
    Refused(Refusal),
}

impl ToolCall {
    /// Reads the params of a `tools/call`.
    pub fn read(door: &Door, mut params: Map<String, Value>) -> Result<Self, CallError> {
        let malformed = |sentence: &str| CallError::Malformed(sentence.to_owned());
        let Some(Value::String(name)) = params.remove("name") else {
            return Err(malformed("`params.name` must be the name of a tool"));
        };
        // It is recorded as it is, and people read records on terminals.
        if name.is_empty() || name.len() > limits::TOOL_NAME_BYTES_MAX || name.chars().any(char::is_control) {
            return Err(malformed("`params.name` is empty, too long or has control characters"));
        }
        let arguments = match params.remove("arguments") {
            None => Value::Object(Map::new()),
            Some(arguments @ Value::Object(_)) => arguments,
            Some(_) => return Err(malformed("`params.arguments` must be an object")),
        };
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
        // INVARIANT: what goes upstream is what was decided, shown and recorded. Whatever else the message holds would be a
        // way past all three, so it stays here.
        meta.retain(|name, _| TRACE_MEMBERS.contains(&name.as_str()));
        let canonical = canonical(&arguments)?;
        let operation = door.operation(&name);
        Ok(Self { operation, arguments: Arc::new(arguments), canonical, approval, progress_token, meta })
    }
}

fn presented(approval: Value) -> Result<ApprovalId, CallError> {
    let text = approval.as_str().unwrap_or_default();
    text.parse().map_err(|error: remit_domain::IdError| {
        CallError::Refused(Refusal::new("approval_unknown", error.to_string()).help("call without it to ask a person"))
    })
}

/// The one byte form of the arguments. The envelope has refused numbers that other readers would round, so that what is
/// hashed, what people are shown and what the upstream reads are the same.
fn canonical(arguments: &Value) -> Result<Vec<u8>, CallError> {
    let bytes = serde_json_canonicalizer::to_vec(arguments)
        .map_err(|error| CallError::Malformed(format!("`params.arguments` have no canonical form: {error}")))?;
    if bytes.len() > limits::ARGUMENTS_BYTES_MAX {
        return Err(CallError::Malformed(format!(
            "`params.arguments` are larger than {} bytes",
            limits::ARGUMENTS_BYTES_MAX
        )));
    }
    Ok(bytes)
}

/// One exact action, ready to be decided as often as it takes.
#[derive(Debug)]
pub(crate) struct Attempt {
    action: AttemptAction,
    /// The sealed arguments, until they are kept.
    sealed: Option<Content>,
}

impl Attempt {
    /// Commits to the arguments of `call` under the caller's task.
    pub async fn prepare(engine: &Engine, caller: &Caller, call: &ToolCall) -> Result<Self, SubmitError> {
        let (content, sealed): (ContentRef, Content) =
            engine.commitment(caller.task, "arguments", call.canonical.clone()).await?;
        let action = AttemptAction {
            task: caller.task,
            operation: call.operation.clone(),
            arguments: Arc::clone(&call.arguments),
            content,
            approval: call.approval,
        };
        Ok(Self { action, sealed: Some(sealed) })
    }

    /// Has it decided. The second time is the same action: same commitment, so an approval given meanwhile fits it.
    pub async fn submit(&mut self, engine: &Engine, caller: &Caller) -> Result<Receipt, SubmitError> {
        let contents = self.sealed.take().into_iter().collect();
        engine.submit_with(caller.actor(), Command::AttemptAction(Box::new(self.action.clone())), contents).await
    }
}
