//! What agents try, and what people answer.

use std::sync::Arc;

use remit_domain::{
    ActionId, Actor, ApprovalId, Approve, AttemptAction, Command, ContentRef, Deny, OperationName, Outcome,
    RecordOutcome, TaskId, Verdict,
};
use remit_engine::Receipt;
use serde_json::Value;

use crate::World;

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Allowed(ActionId),
    /// Denied, with the refusal's code.
    Denied(String),
    Asked(ApprovalId),
}

impl Answer {
    /// The verdict in `receipt`.
    pub fn of(receipt: &Receipt) -> Self {
        match Verdict::among(&receipt.events) {
            Some(Verdict::Allowed(allowed)) => Self::Allowed(allowed.action),
            Some(Verdict::Denied(denied)) => Self::Denied(denied.refusal.code.clone()),
            Some(Verdict::Asked(asked)) => Self::Asked(asked.approval),
            None => panic!("no verdict: {receipt:?}"),
        }
    }

    /// The action that was allowed.
    pub fn allowed(&self) -> ActionId {
        match self {
            Self::Allowed(action) => *action,
            other => panic!("not allowed: {other:?}"),
        }
    }

    /// The question that was asked.
    pub fn asked(&self) -> ApprovalId {
        match self {
            Self::Asked(approval) => *approval,
            other => panic!("not asked: {other:?}"),
        }
    }
}

impl World {
    /// The agent of `task` tries `operation`, `connector/tool`, with `arguments`, which are kept as content.
    pub async fn call(&self, task: TaskId, operation: &str, arguments: Value) -> Answer {
        self.attempt(task, operation, arguments).await.0
    }

    /// As [`World::call`], with the reference to the arguments that were kept.
    pub async fn attempt(&self, task: TaskId, operation: &str, arguments: Value) -> (Answer, ContentRef) {
        let canonical = serde_json_canonicalizer::to_vec(&arguments).unwrap();
        let (content, kept) = self.engine.commitment(task, "arguments", canonical).await.unwrap();
        let (connector, tool) = operation.split_once('/').unwrap();
        let attempt =
            AttemptAction::new(task, OperationName::new(connector, tool), Arc::new(arguments), content.clone());
        let command = Command::AttemptAction(Box::new(attempt));
        let receipt = self.engine.submit_with(self.agent_of(task), command, vec![kept]).await.unwrap();
        (Answer::of(&receipt), content)
    }

    /// Reports that `action` succeeded.
    pub async fn succeed(&self, action: ActionId) -> Receipt {
        let record = RecordOutcome { action, outcome: Outcome::Succeeded, result: None, latency_ms: 7 };
        self.submit(&Actor::Remit, Command::RecordOutcome(Box::new(record))).await
    }

    /// Says yes to exactly what `approval` asks.
    pub async fn approve(&self, person: &str, approval: ApprovalId) -> Receipt {
        let digest = self.engine.read(|state| state.approval(approval).unwrap().digest);
        let approve = Approve::unsigned(approval, digest, String::new());
        self.submit(&self.acting(person), Command::Approve(approve)).await
    }

    /// Says no to what `approval` asks.
    pub async fn deny(&self, person: &str, approval: ApprovalId, note: &str) -> Receipt {
        let deny = Deny { approval, note: note.to_owned() };
        self.submit(&self.acting(person), Command::Deny(deny)).await
    }

    /// Ends `task`.
    pub async fn end(&self, task: TaskId) -> Receipt {
        self.submit(&self.root(), Command::EndTask { task, note: String::new() }).await
    }
}
