//! What ends things: the events that are the cause of what follows them in their commit, and what can follow.

use crate::{EndReason, Event, KeyStep};

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
            Self::GrantRevoked { .. } | Self::AgentKeyRevoked { .. } | Self::WorkloadUnbound { .. } => {
                matches!(cause, Self::AgentDecommissioned { .. })
            }
            _ => false,
        }
    }
}
