//! References to content that the ledger proves but does not hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionFacts, Digest, Event, TaskId};

#[cfg(test)]
mod tests;

/// One piece of content (arguments, a result, a prompt) as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContentRef {
    /// `SHA-256(salt ‖ canonical bytes)`; the salt lives and dies with the task's data key, so that erasing the key leaves a
    /// commitment nobody can search.
    pub commitment: Digest,
    /// Size of the canonical bytes.
    pub bytes: u64,
}

/// One piece of content that a record refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Referred<'a> {
    /// Whose key it is kept under.
    pub task: TaskId,
    /// What it is, in words.
    pub what: &'static str,
    pub content: &'a ContentRef,
}

/// What `event` refers to of what was sent and answered. What people were shown is not among it: that names its question, not its task.
pub fn referred(event: &Event) -> Vec<Referred<'_>> {
    match event {
        Event::ActionAllowed(allowed) => of_action(&allowed.facts),
        Event::ActionDenied(denied) => of_action(&denied.facts),
        Event::ApprovalRequested(requested) => of_action(&requested.facts),
        Event::OutcomeRecorded(recorded) => {
            let result = recorded.result.iter();
            result.map(|content| Referred { task: recorded.task, what: "a result", content }).collect()
        }
        _ => Vec::new(),
    }
}

fn of_action(facts: &ActionFacts) -> Vec<Referred<'_>> {
    let named = facts.contents().zip(["the arguments of an action", "what an action carries beside them"]);
    named.map(|(content, what)| Referred { task: facts.task, what, content }).collect()
}
