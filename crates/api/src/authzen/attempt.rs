//! A question as the domain decides it: committed to as a call at Remit's own door is.

use std::sync::Arc;

use remit_domain::{ApprovalId, AttemptAction, Command, ContentRef, Digest, Event, Moment, Refusal, State, decide};
use remit_engine::{Content, Receipt, SubmitError};
use serde_json::Value;

use super::caller::Enforcer;
use super::meaning::Meaning;
use crate::Api;

/// What a commitment is about, as content is kept under that name.
const ARGUMENTS: &str = "arguments";
const BESIDE: &str = "beside";

/// One exact action that somebody else will enforce the answer to.
#[derive(Debug)]
pub(super) struct Attempt {
    action: AttemptAction,
    /// What was committed to, sealed, until it is kept.
    contents: Vec<Content>,
}

impl Attempt {
    /// Commits to what `meaning` says, under the enforcer's task.
    pub async fn of(api: &Api, enforcer: &Enforcer, meaning: &Meaning) -> Result<Self, SubmitError> {
        let (content, kept) = commitment(api, enforcer, ARGUMENTS, &meaning.arguments).await?;
        let (mut action, mut contents) = (action(enforcer, meaning, content), vec![kept]);
        if let Some(beside) = &meaning.beside {
            let (content, kept) = commitment(api, enforcer, BESIDE, beside).await?;
            action.beside = Some(content);
            contents.push(kept);
        }
        Ok(Self { action, contents })
    }

    /// The same, with an approval that the enforcer presents for it.
    #[must_use]
    pub fn approved_by(mut self, approval: Option<ApprovalId>) -> Self {
        self.action.approval = approval;
        self
    }

    /// The same, to have people asked.
    #[must_use]
    pub fn asking(mut self) -> Self {
        self.action.ask = true;
        self
    }

    /// Has it decided and recorded.
    pub async fn submit(self, api: &Api, enforcer: &Enforcer) -> Result<Receipt, SubmitError> {
        let command = Command::AttemptAction(Box::new(self.action));
        api.engine.submit_with(enforcer.actor(), command, self.contents).await
    }

    /// What it would come to now, without a record.
    pub fn would_be(&self, api: &Api, enforcer: &Enforcer) -> Result<Vec<Event>, Refusal> {
        decide_now(&api.engine.state(), api, enforcer, self.action.clone())
    }
}

/// What would be said to `meaning` in `state`, without a record: for searching, as for listing tools. No approval fits it, since
/// nothing is committed to.
pub(super) fn preview(state: &State, api: &Api, enforcer: &Enforcer, meaning: &Meaning) -> Result<Vec<Event>, Refusal> {
    let content = ContentRef { commitment: Digest::of_bytes(&[]), bytes: 0 };
    decide_now(state, api, enforcer, action(enforcer, meaning, content))
}

fn decide_now(state: &State, api: &Api, enforcer: &Enforcer, action: AttemptAction) -> Result<Vec<Event>, Refusal> {
    // The ids that this moment makes are thrown away with the events.
    let moment = Moment::new(api.engine.now(), 0);
    decide(state, &enforcer.actor(), &Command::AttemptAction(Box::new(action)), &moment)
}

fn action(enforcer: &Enforcer, meaning: &Meaning, content: ContentRef) -> AttemptAction {
    let arguments = Arc::new(meaning.arguments.clone());
    AttemptAction {
        proven: enforcer.proven,
        enforcer: Some(enforcer.agent),
        acting_for: meaning.acting_for,
        named: meaning.named,
        ask: false,
        credential_issued_at: Some(enforcer.issued_at),
        ..AttemptAction::new(enforcer.task, meaning.operation.clone(), arguments, content)
    }
}

/// Commits to `value` in its one byte form, so that the policies, the people asked and the record all mean the same.
async fn commitment(
    api: &Api,
    enforcer: &Enforcer,
    kind: &'static str,
    value: &Value,
) -> Result<(ContentRef, Content), SubmitError> {
    let canonical = serde_json_canonicalizer::to_vec(value).map_err(|_| {
        let refusal = Refusal::new("bad_arguments", "the properties hold a number that has no exact form");
        SubmitError::Refused(refusal.help("send numbers that a double holds exactly, or text"))
    })?;
    api.engine.commitment(enforcer.task, kind, canonical).await
}
