//! What a call is answered with, before any generation of the protocol has put it into its own form.

use remit_domain::{ActionId, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::request_state::Continues;

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
    /// A result, or a refusal in the form of one.
    Result(Map<String, Value>),
    Error(RpcError),
    /// A refusal in the form of a result, which a wider token for `scope` would change.
    StepUp {
        result: Map<String, Value>,
        scope: String,
    },
    /// Something is asked of the client before there can be a result.
    InputRequired(InputRequired),
    /// Nothing could be decided, so nothing happened.
    Unavailable(Refusal),
}

/// What is asked of the client (2026-07-28, multi round-trip requests).
#[derive(Debug, Clone, Default)]
pub(crate) struct InputRequired {
    /// Requests by the name under which each is to be answered.
    pub requests: Map<String, Value>,
    /// What the client has to bring back with the answers, before it is sealed.
    pub continues: Option<Continues>,
}

impl Answer {
    pub fn result(result: Map<String, Value>, decision: ActionId) -> Self {
        Self { body: Body::Result(result), decision: Some(decision) }
    }

    pub fn error(error: RpcError, decision: ActionId) -> Self {
        Self { body: Body::Error(error), decision: Some(decision) }
    }

    /// Whether it is a result, and not a refusal in the form of one.
    pub fn succeeded(&self) -> bool {
        matches!(&self.body, Body::Result(result) if result.get("isError") != Some(&Value::Bool(true)))
    }

    pub fn ask(asked: InputRequired, decision: Option<ActionId>) -> Self {
        Self { body: Body::InputRequired(asked), decision }
    }
}
