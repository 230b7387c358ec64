//! What came before the time that a pack covers, and is needed to verify what came in it: the questions whose answers or use it holds.

use std::collections::HashMap;

use remit_domain::{ApprovalId, Event};

/// Records about questions, from before the selected time, by question.
#[derive(Debug, Default)]
pub(super) struct Context(HashMap<ApprovalId, Vec<u64>>);

impl Context {
    /// Remembers a record that is too early to be selected for its own sake.
    pub(super) fn keep(&mut self, index: u64, event: &Event) {
        if let Some(approval) = approval_of(event) {
            self.0.entry(approval).or_default().push(index);
        }
    }

    /// The earlier records that `event`, which is selected, does not verify without.
    pub(super) fn take(&mut self, event: &Event) -> Vec<u64> {
        approval_of(event).and_then(|approval| self.0.remove(&approval)).unwrap_or_default()
    }
}

fn approval_of(event: &Event) -> Option<ApprovalId> {
    match event {
        Event::ApprovalRequested(requested) => Some(requested.approval),
        Event::ApprovalShown(shown) => Some(shown.approval),
        Event::ApprovalVoted { approval, .. }
        | Event::ApprovalGranted { approval, .. }
        | Event::ApprovalDenied { approval, .. }
        | Event::ApprovalExpired { approval, .. } => Some(*approval),
        Event::ActionAllowed(allowed) => allowed.approval,
        _ => None,
    }
}
