//! What time alone does, as a command: tasks, grants, approvals and reviews come to their end by an event.

use crate::cascade::each_once;
use crate::state::Deadline;
use crate::{EndReason, Event, Moment, Outcome, State, action, limits, task};

#[cfg(test)]
mod tests;

/// The events for everything that is due at `at`, oldest first, a batch at a time.
pub(crate) fn decide_expire(state: &State, at: &Moment) -> Vec<Event> {
    let due = state.deadlines.iter().take_while(|(deadline, _)| *deadline <= at.now).take(limits::EXPIRE_BATCH_MAX);
    let mut events = Vec::new();
    // A task whose parent is due in the same batch ends with the parent's tree and must not end twice.
    let mut ended = std::collections::HashSet::new();
    for (_, deadline) in due {
        let new = match *deadline {
            Deadline::Task(id) if !ended.contains(&id) => task::end_tree(state, id, &EndReason::Expired),
            Deadline::Task(_) => Vec::new(),
            Deadline::Grant(id) => match state.grants.get(&id) {
                Some(grant) => vec![Event::GrantExpired { agent: grant.agent, grant: id }],
                None => Vec::new(),
            },
            // What waits under a task that has just ended is void with it and must not end twice either.
            Deadline::Approval(id) => {
                match state.approvals.get(&id).filter(|approval| !ended.contains(&approval.facts.task)) {
                    Some(approval) => vec![Event::ApprovalExpired { agent: approval.facts.agent, approval: id }],
                    None => Vec::new(),
                }
            }
            Deadline::Outcome(id) => match state.actions.get(&id) {
                Some(open) => {
                    let unknown = Outcome::Unknown { reason: "no outcome was reported in time".to_owned() };
                    vec![action::outcome_of(state, open, unknown, None, at.now.millis_since(open.allowed_at))]
                }
                None => Vec::new(),
            },
            Deadline::Review(id) => {
                let reason = "its review is overdue: its owner has to look at it and set the next date".to_owned();
                crate::agent::end_everything(
                    state,
                    id,
                    &EndReason::AgentSuspended,
                    Event::AgentSuspended { agent: id, reason },
                )
            }
        };
        ended.extend(new.iter().filter_map(|event| match event {
            Event::TaskEnded { task, .. } => Some(*task),
            _ => None,
        }));
        events.extend(new);
    }
    // Everything under an ended task ends with it, so each task and each grant appears once.
    each_once(events)
}
