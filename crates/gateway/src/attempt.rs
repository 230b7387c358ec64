//! Step three: one exact action, ready to be decided as often as it takes.

use std::sync::Arc;

use remit_domain::{AgentId, ApprovalId, AttemptAction, Attribution, Command, OperationName};
use remit_engine::{Content, Engine, Receipt, SubmitError};
use serde_json::Value;

use crate::call::Call;
use crate::caller::Caller;

/// What a commitment is about, as content is kept under that name.
const ARGUMENTS: &str = "arguments";
const BESIDE: &str = "beside";

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Asks {
    pub operation: OperationName,
    pub arguments: Arc<Value>,
    /// RFC 8785 form of `arguments`.
    pub canonical: Vec<u8>,
    /// What goes with them, in that form.
    pub beside: Option<Vec<u8>>,
}

impl Asks {
    /// What `call` asks for.
    pub fn of(call: &Call) -> Self {
        Self {
            operation: call.operation.clone(),
            arguments: Arc::clone(&call.arguments),
            canonical: call.canonical.clone(),
            beside: call.beside.clone(),
        }
    }
}

/// One exact action.
#[derive(Debug)]
pub(crate) struct Attempt {
    action: AttemptAction,
    /// What was committed to, sealed, until it is kept.
    sealed: Vec<Content>,
}

impl Attempt {
    /// Commits to what `call` says, under the caller's task.
    pub async fn prepare(engine: &Engine, caller: &Caller, call: &Call) -> Result<Self, SubmitError> {
        Ok(Self::at(engine, caller, Asks::of(call)).await?.presenting(call.approval))
    }

    /// Commits to what is asked for, under the caller's task.
    pub async fn at(engine: &Engine, caller: &Caller, asks: Asks) -> Result<Self, SubmitError> {
        let Asks { operation, arguments, canonical, beside } = asks;
        let (content, sealed) = engine.commitment(caller.task, ARGUMENTS, canonical).await?;
        let mut action = AttemptAction {
            proven: caller.attribution == Attribution::Proven,
            credential_issued_at: caller.issued_at,
            ..AttemptAction::new(caller.task, operation, arguments, content)
        };
        let mut sealed = vec![sealed];
        if let Some(beside) = beside {
            let (content, own) = engine.commitment(caller.task, BESIDE, beside).await?;
            action.beside = Some(content);
            sealed.push(own);
        }
        Ok(Self { action, sealed })
    }

    /// The same, for the agent `enforcer`, which asks and enforces the answer itself. `named` is the agent of which it says that it acts.
    pub fn enforced_by(mut self, enforcer: AgentId, named: Option<AgentId>) -> Self {
        self.action.enforcer = Some(enforcer);
        self.action.named = named;
        self
    }

    /// The same, with an approval that the caller presents for exactly this action.
    pub fn presenting(mut self, approval: Option<ApprovalId>) -> Self {
        self.action.approval = approval;
        self
    }

    /// The same, where nobody could answer a question about it: a rule that asks people is a no then.
    pub fn asking_nobody(mut self) -> Self {
        self.action.ask = false;
        self
    }

    /// Has it decided. The second time is the same action: same commitment, so an approval given meanwhile fits it.
    pub async fn submit(&mut self, engine: &Engine, caller: &Caller) -> Result<Receipt, SubmitError> {
        let contents = std::mem::take(&mut self.sealed);
        engine.submit_with(caller.actor(), Command::AttemptAction(Box::new(self.action.clone())), contents).await
    }
}
