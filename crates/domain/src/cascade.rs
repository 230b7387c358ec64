//! What ends things: the events that are the cause of what follows them in their commit, and what can follow.

use std::collections::HashSet;

use crate::grant::access::TASK_ENDED;
use crate::{EndReason, Event, KeyStep, State, TaskId};

/// The events that end a task: the task itself, what was granted to it alone, then its sub-tasks. What waits for approval under it is void
/// without a record of its own.
pub(crate) fn end_tree(state: &State, id: TaskId, reason: &EndReason) -> Vec<Event> {
    let mut events = Vec::new();
    let mut next = vec![(id, reason.clone())];
    while let Some((id, reason)) = next.pop() {
        let Some(task) = state.tasks.get(&id).filter(|task| task.is_live()) else { continue };
        events.push(Event::TaskEnded { agent: task.agent, task: id, reason });
        events.extend(state.grants_of_task(task).map(|grant| Event::GrantRevoked {
            agent: grant.agent,
            grant: grant.id,
            reason: TASK_ENDED.to_owned(),
        }));
        next.extend(task.children.iter().map(|child| (*child, EndReason::ParentEnded)));
    }
    events
}

/// As [`end_tree`] for several tasks, some of which may lie under others: each ends once.
pub(crate) fn end_trees(state: &State, ids: impl IntoIterator<Item = TaskId>, reason: &EndReason) -> Vec<Event> {
    let mut ids: Vec<TaskId> = ids.into_iter().collect();
    // In the order of their ids, so that every node gives the same events.
    ids.sort();
    each_once(ids.iter().flat_map(|id| end_tree(state, *id, reason)).collect())
}

/// A task, and a grant, may end for several reasons at once; the first counts.
pub(crate) fn each_once(mut events: Vec<Event>) -> Vec<Event> {
    let (mut tasks, mut grants) = (HashSet::new(), HashSet::new());
    events.retain(|event| match event {
        Event::TaskEnded { task, .. } => tasks.insert(*task),
        Event::GrantRevoked { grant, .. } | Event::GrantExpired { grant, .. } => grants.insert(*grant),
        _ => true,
    });
    events
}

impl Event {
    /// Whether this event ends what lies below it: tasks, tokens, sessions, grants. What it ends follows it in the same commit;
    /// what has to happen outside of the ledger because of it is the work of effects.
    pub fn is_cause(&self) -> bool {
        match self {
            Self::AgentSuspended { .. }
            | Self::AgentDecommissioned { .. }
            | Self::AgentKeyRevoked { .. }
            | Self::RunRevoked { .. }
            | Self::TokenRevoked { .. }
            | Self::PersonRemoved { .. }
            | Self::SignalReceived(_)
            | Self::ClientRemoved { .. }
            | Self::CodeReused { .. }
            | Self::RefreshReused { .. }
            | Self::WorkloadUnbound { .. } => true,
            Self::RealmKeyStepped(stepped) => stepped.step == KeyStep::Revoked,
            Self::TaskEnded { reason, .. } => matches!(reason, EndReason::Ended { .. } | EndReason::Expired),
            _ => false,
        }
    }

    /// Whether this event can have been brought about by `cause` before it in the same commit.
    pub fn can_follow(&self, cause: &Self) -> bool {
        match self {
            Self::TaskEnded { reason, .. } => match reason {
                EndReason::ParentEnded => true,
                EndReason::Ended { .. } => matches!(cause, Self::TokenRevoked { .. } | Self::ClientRemoved { .. }),
                EndReason::Expired => false,
                EndReason::AgentSuspended => matches!(cause, Self::AgentSuspended { .. } | Self::SignalReceived(_)),
                EndReason::AgentDecommissioned => matches!(cause, Self::AgentDecommissioned { .. }),
                EndReason::KeyRevoked => matches!(cause, Self::AgentKeyRevoked { .. } | Self::WorkloadUnbound { .. }),
                EndReason::PersonRemoved => matches!(cause, Self::PersonRemoved { .. }),
                EndReason::RunRevoked => matches!(cause, Self::RunRevoked { .. }),
                EndReason::CodeReused => matches!(cause, Self::CodeReused { .. } | Self::RefreshReused { .. }),
                EndReason::Signal { .. } => matches!(cause, Self::SignalReceived(_)),
            },
            Self::SessionEnded { .. } => matches!(cause, Self::PersonRemoved { .. } | Self::SignalReceived(_)),
            Self::AgentSuspended { .. } => matches!(cause, Self::SignalReceived(_)),
            // What was granted to one task ends with it, whatever ended that.
            Self::GrantRevoked { reason, .. } if reason == TASK_ENDED => true,
            Self::GrantRevoked { .. } | Self::AgentKeyRevoked { .. } | Self::WorkloadUnbound { .. } => {
                matches!(cause, Self::AgentDecommissioned { .. })
            }
            _ => false,
        }
    }
}
