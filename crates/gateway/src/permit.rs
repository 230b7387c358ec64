//! The right to send one call upstream: a value that somebody must hold.

use remit_domain::{ActionId, Digest, OperationName, TaskId, Verdict};
use remit_engine::Receipt;

/// Permission for one action, made from the committed decision that allowed it and from nothing else.
///
/// INVARIANT: it is consumed by the call that it permits, cannot be copied, and its only constructor reads a receipt; so
/// nothing leaves the house before its decision is durable.
#[derive(Debug)]
pub struct Permit {
    action: ActionId,
    task: TaskId,
    operation: OperationName,
    definition: Option<Digest>,
    approved: bool,
}

impl Permit {
    /// The permit that `receipt` grants, if what it committed is an allow.
    pub fn from_receipt(receipt: &Receipt) -> Option<Self> {
        match Verdict::among(&receipt.events)? {
            Verdict::Allowed(allowed) => Some(Self {
                action: allowed.action,
                task: allowed.facts.task,
                operation: allowed.facts.operation.clone(),
                definition: allowed.facts.definition,
                approved: allowed.approval.is_some(),
            }),
            Verdict::Denied(_) | Verdict::Asked(_) => None,
        }
    }

    /// The action, which is also the name of the decision.
    pub fn action(&self) -> ActionId {
        self.action
    }

    /// The task under which it was allowed.
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// What was allowed.
    pub fn operation(&self) -> &OperationName {
        &self.operation
    }

    /// Digest of the definition on which the decision was made.
    pub fn definition(&self) -> Option<Digest> {
        self.definition
    }

    /// Whether a person approved exactly this action.
    pub fn approved(&self) -> bool {
        self.approved
    }
}
