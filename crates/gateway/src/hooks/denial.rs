//! A no, before it has the form of any protocol.

use http::StatusCode;
use remit_domain::{ActionId, ApprovalId, Refusal};
use remit_engine::SubmitError;
use serde_json::{Map, Value};

use crate::answer::RpcError;
use crate::call::CallError;
use crate::caller::{Challenge, Unknown};

/// Why a request is not let on.
#[derive(Debug, Clone)]
pub(super) struct Denial {
    /// What its client is answered with, where it speaks HTTP.
    pub status: StatusCode,
    /// In a box, since results carry it whether it is there or not.
    pub refusal: Box<Refusal>,
    /// The decision behind it, where one was made.
    pub decision: Option<ActionId>,
    /// The question that waits for a person.
    pub approval: Option<ApprovalId>,
    /// When it is worth trying again.
    pub retry_after_seconds: Option<u64>,
}

impl Denial {
    /// A request that may not go on.
    pub fn forbidden(refusal: Refusal) -> Self {
        Self::of(StatusCode::FORBIDDEN, refusal)
    }

    /// A request that cannot be decided: what it asks for could be something else.
    pub fn doubt(code: &str, sentence: impl Into<String>, help: &str) -> Self {
        Self::forbidden(Refusal::new(code, sentence).help(help))
    }

    /// Nothing can be decided now.
    pub fn unavailable(refusal: Refusal) -> Self {
        Self { retry_after_seconds: Some(1), ..Self::of(StatusCode::SERVICE_UNAVAILABLE, refusal) }
    }

    /// A request that is answered with `status`.
    pub fn of(status: StatusCode, refusal: Refusal) -> Self {
        Self { status, refusal: Box::new(refusal), decision: None, approval: None, retry_after_seconds: None }
    }

    /// The same as a document for programs and people (RFC 9457).
    pub fn problem(&self) -> Map<String, Value> {
        let mut problem = Map::new();
        let mut say = |name: &str, value: Value| problem.insert(name.to_owned(), value);
        say("type", "about:blank".into());
        say("title", self.status.canonical_reason().unwrap_or_default().into());
        say("status", self.status.as_u16().into());
        say("code", self.refusal.code.clone().into());
        say("detail", self.refusal.to_string().into());
        if let Some(help) = &self.refusal.help {
            say("help", help.clone().into());
        }
        if let Some(decision) = self.decision {
            say("decision_id", decision.to_string().into());
        }
        if let Some(approval) = self.approval {
            say("approval", approval.to_string().into());
        }
        if let Some(seconds) = self.retry_after_seconds {
            say("retry_after", seconds.into());
        }
        problem
    }
}

impl From<SubmitError> for Denial {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self::forbidden(refusal),
            SubmitError::Unavailable(refusal) => Self::unavailable(refusal),
        }
    }
}

impl From<CallError> for Denial {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refusal) => Self::forbidden(refusal),
            CallError::Malformed(sentence) => {
                Self::doubt("request_malformed", sentence, "send a request of the protocol")
            }
        }
    }
}

impl From<RpcError> for Denial {
    fn from(error: RpcError) -> Self {
        Self::doubt("request_malformed", error.message, "send a request of the protocol")
    }
}

/// The one who makes the request is not let in.
impl From<Unknown> for Denial {
    fn from(unknown: Unknown) -> Self {
        match unknown.challenge {
            Challenge::Token | Challenge::OtherToken | Challenge::Proof => {
                Self::of(StatusCode::UNAUTHORIZED, unknown.refusal)
            }
            Challenge::Nothing => Self::forbidden(unknown.refusal),
            Challenge::Patience => Self::unavailable(unknown.refusal),
        }
    }
}
