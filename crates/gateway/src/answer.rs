//! What a call is answered with, before any generation of the protocol has put it into its own form.

use remit_domain::{ActionId, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JSON-RPC error (JSON-RPC 2.0 section 5.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RpcError {
    pub code: i64,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// The answer to one call.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub body: Body,
    /// The decision behind it, where one was made.
    pub decision: Option<ActionId>,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// A result of the tool, or a refusal in the form of one.
    Result(Map<String, Value>),
    Error(RpcError),
    /// Nothing could be decided, so nothing happened.
    Unavailable(Refusal),
}

impl Answer {
    pub fn result(result: Map<String, Value>, decision: ActionId) -> Self {
        Self { body: Body::Result(result), decision: Some(decision) }
    }

    pub fn error(error: RpcError, decision: ActionId) -> Self {
        Self { body: Body::Error(error), decision: Some(decision) }
    }
}
