//! Whether a person may answer a question: asked of the function that will decide it, so that page and decision agree.

use std::sync::Arc;

use remit_domain::{
    Actor, Approval, Approve, Command, Deny, Moment, Refusal, State, Timestamp, decide, may_read_approval,
};

#[cfg(test)]
mod tests;

/// What is still missing from a yes that the question's own page adds: a signature, a second look, a few seconds.
const ADDED_BY_PAGE: [&str; 4] = ["signature_needed", "step_up_needed", "approval_shown", "too_soon"];

/// What one person could do about one question now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Whether they could say yes on the question's page.
    pub(crate) approve: Result<(), Refusal>,
    pub(crate) deny: Result<(), Refusal>,
}

impl Answers {
    /// Decides both answers without making them.
    pub(crate) fn of(state: &State, actor: &Actor, approval: &Approval, now: Timestamp) -> Self {
        // The ids that this moment makes are thrown away with the events.
        let moment = Moment::new(now, 0);
        let may = |command: &Command| decide(state, actor, command, &moment).map(|_| ());
        let (id, digest) = (approval.id, approval.digest);
        let approve = may(&Command::Approve(Approve::unsigned(id, digest, String::new())));
        Self {
            approve: approve
                .or_else(|refusal| if ADDED_BY_PAGE.contains(&refusal.code.as_str()) { Ok(()) } else { Err(refusal) }),
            deny: may(&Command::Deny(Deny { approval: id, note: String::new() })),
        }
    }
}

/// A question that waits, and what the person looking could answer.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) approval: Arc<Approval>,
    pub(crate) answers: Answers,
}

/// All questions that wait and that the person may know of, those that end first in front.
pub(crate) fn waiting(state: &State, actor: &Actor, now: Timestamp) -> Vec<Waiting> {
    let Ok(person) = actor.person() else { return Vec::new() };
    let open = state.approvals.values().filter(|approval| approval.is_pending() && now < approval.expires_at);
    let open = open.filter(|approval| may_read_approval(state, person, approval, now).is_ok());
    let mut open: Vec<_> = open.collect();
    open.sort_by_key(|approval| (approval.expires_at, approval.id));
    open.into_iter()
        .map(|approval| Waiting { approval: approval.clone(), answers: Answers::of(state, actor, approval, now) })
        .collect()
}

/// How many of them this person may say yes to.
pub(crate) fn waiting_count(state: &State, actor: &Actor, now: Timestamp) -> usize {
    waiting(state, actor, now).iter().filter(|waiting| waiting.answers.approve.is_ok()).count()
}
