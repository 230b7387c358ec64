//! Follows the ledger for what may change somebody's SVIDs, and tells the open streams.

use std::sync::Weak;

use futures_util::StreamExt;
use remit_domain::{AgentId, Event, TaskId};
use remit_engine::EventStream;

use crate::shared::Shared;
use crate::streams::Held;

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// What stands on this agent is gone.
    Agent(AgentId),
    /// What stands on this task is gone.
    Task(TaskId),
    /// The realm signs with, or trusts, other keys.
    Keys,
    /// Somebody may have become somebody.
    Registrations,
}

impl Change {
    /// What an event changes here, if anything.
    pub fn of(event: &Event) -> Option<Self> {
        match event {
            Event::AgentSuspended { agent, .. } | Event::AgentDecommissioned { agent, .. } => Some(Self::Agent(*agent)),
            Event::TaskEnded { task, .. } => Some(Self::Task(*task)),
            Event::RealmKeyStepped(_) | Event::KeyRotated { .. } => Some(Self::Keys),
            // A description says the environment, which is part of the name.
            Event::AgentActivated { .. }
            | Event::AgentResumed { .. }
            | Event::AgentDescribed { .. }
            | Event::WorkloadBound { .. }
            | Event::WorkloadUnbound { .. }
            | Event::LaunchAttested(_) => Some(Self::Registrations),
            _ => None,
        }
    }

    /// Whether a stream with these identities has to look again.
    pub fn concerns(self, held: &[Held]) -> bool {
        match self {
            Self::Agent(agent) => held.iter().any(|held| held.agent == agent),
            Self::Task(task) => held.iter().any(|held| held.task == Some(task)),
            Self::Keys | Self::Registrations => true,
        }
    }
}

/// Tells the streams of every record, as long as the door is there.
pub(crate) async fn follow(shared: Weak<Shared>, mut records: EventStream) {
    while let Some(record) = records.next().await {
        let Some(shared) = shared.upgrade() else { return };
        let event = &record.record.event;
        let change = Change::of(event);
        shared.streams.heard(record.seq, event.is_cause(), change);
        if let Some(change) = change {
            // Nobody listening is no fault.
            let _ = shared.changes.send(change);
        }
    }
}
