//! Step three: one exact action, ready to be decided as often as it takes.

use std::sync::Arc;

use remit_domain::{AttemptAction, Command, OperationName};
use remit_engine::{Content, Engine, Receipt, SubmitError};
use serde_json::Value;

use crate::call::Call;
use crate::caller::Caller;

/// What a commitment is about, as content is kept under that name.
const ARGUMENTS: &str = "arguments";
const BESIDE: &str = "beside";

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
        let mut attempt =
            Self::about(engine, caller, call.operation.clone(), Arc::clone(&call.arguments), call.canonical.clone())
                .await?;
        if let Some(beside) = &call.beside {
            let (content, sealed) = engine.commitment(caller.task, BESIDE, beside.clone()).await?;
            attempt.action.beside = Some(content);
            attempt.sealed.push(sealed);
        }
        attempt.action.approval = call.approval;
        Ok(attempt)
    }

    /// Commits to `arguments`, whose canonical form is `canonical`.
    pub async fn about(
        engine: &Engine,
        caller: &Caller,
        operation: OperationName,
        arguments: Arc<Value>,
        canonical: Vec<u8>,
    ) -> Result<Self, SubmitError> {
        let (content, sealed) = engine.commitment(caller.task, ARGUMENTS, canonical).await?;
        let action = AttemptAction { task: caller.task, operation, arguments, content, beside: None, approval: None };
        Ok(Self { action, sealed: vec![sealed] })
    }

    /// Has it decided. The second time is the same action: same commitment, so an approval given meanwhile fits it.
    pub async fn submit(&mut self, engine: &Engine, caller: &Caller) -> Result<Receipt, SubmitError> {
        let contents = std::mem::take(&mut self.sealed);
        engine.submit_with(caller.actor(), Command::AttemptAction(Box::new(self.action.clone())), contents).await
    }
}
