//! Everything that has happened. Released variants are never edited: a new one is added beside them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{ActionAllowed, ActionDenied, OutcomeRecorded};
use crate::agent::{AgentKey, AgentProfile, AgentRegistered};
use crate::approval::{ApprovalRequested, Vote};
use crate::connector::ConnectorAdded;
use crate::grant::{Grant, GrantRequest};
use crate::operation::OperationApproved;
use crate::person::PersonAdded;
use crate::policy::{PolicyEdit, PolicyProposed};
use crate::realm::RealmCreated;
use crate::session::{SessionOpened, SignInOffered};
use crate::task::{EndReason, TaskStarted};
use crate::{
    ActionId, AgentId, ApprovalId, ChangeId, ConnectorId, Digest, GrantId, OperationName, PersonId, SessionId, State,
    TaskId, Timestamp,
};

/// One thing that has happened. An event holds digests of content, never content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum Event {
    RealmCreated(Box<RealmCreated>),

    PersonAdded(PersonAdded),
    PersonGroupsSet { person: PersonId, groups: Vec<String> },
    PersonRemoved { person: PersonId },
    SignInOffered(SignInOffered),
    SessionOpened(SessionOpened),
    SessionEnded { session: SessionId },

    AgentRegistered(Box<AgentRegistered>),
    AgentDescribed { agent: AgentId, profile: Box<AgentProfile> },
    AgentActivated { agent: AgentId },
    AgentSuspended { agent: AgentId, reason: String },
    AgentResumed { agent: AgentId },
    AgentDecommissioned { agent: AgentId, reason: String },
    EnrolmentOffered { agent: AgentId, code: Digest, expires_at: Timestamp },
    AgentKeyEnrolled { agent: AgentId, key: AgentKey, code: Digest },
    AgentKeyRevoked { agent: AgentId, thumbprint: String },

    ConnectorAdded(Box<ConnectorAdded>),
    ConnectorRemoved { connector: ConnectorId },
    OperationApproved(Box<OperationApproved>),
    OperationWithdrawn { operation: OperationName, reason: String },

    GrantRequested(Box<GrantRequest>),
    GrantRequestDenied { grant: GrantId, by: PersonId, note: String },
    GrantGiven(Box<Grant>),
    GrantRevoked { agent: AgentId, grant: GrantId, reason: String },
    GrantExpired { agent: AgentId, grant: GrantId },

    TaskStarted(Box<TaskStarted>),
    TokenIssued { agent: AgentId, task: TaskId, token: String, expires_at: Timestamp, bound_to: Option<String> },
    TaskEnded { agent: AgentId, task: TaskId, reason: EndReason },

    ActionAllowed(Box<ActionAllowed>),
    ActionDenied(Box<ActionDenied>),
    OutcomeRecorded(Box<OutcomeRecorded>),

    ApprovalRequested(Box<ApprovalRequested>),
    ApprovalVoted { agent: AgentId, approval: ApprovalId, vote: Vote },
    ApprovalGranted { agent: AgentId, approval: ApprovalId, use_until: Timestamp },
    ApprovalDenied { agent: AgentId, approval: ApprovalId, by: PersonId, note: String },
    ApprovalExpired { agent: AgentId, approval: ApprovalId },

    PolicyProposed(Box<PolicyProposed>),
    PolicyActivated { change: Option<ChangeId>, by: PersonId, edits: Vec<PolicyEdit>, set: Digest },
    PolicyRejected { change: ChangeId, by: PersonId, note: String },

    KeyRotated { key: String, step: String },
    ContentErased { agent: AgentId, task: TaskId, reason: String },
    Recovered { actions_unknown: u64 },
}

impl Event {
    /// The agent whose own gap-free sequence this event belongs to, if it is about one.
    ///
    /// INVARIANT: everything that an agent did or that changed what it may do carries its id, so that a gap in its
    /// sequence proves that a record was withheld.
    pub fn agent(&self) -> Option<AgentId> {
        match self {
            Self::AgentRegistered(registered) => Some(registered.agent),
            Self::GrantRequested(request) => Some(request.agent),
            Self::GrantGiven(grant) => Some(grant.agent),
            Self::TaskStarted(started) => Some(started.agent),
            Self::ActionAllowed(allowed) => Some(allowed.facts.agent),
            Self::ActionDenied(denied) => Some(denied.facts.agent),
            Self::OutcomeRecorded(recorded) => Some(recorded.agent),
            Self::ApprovalRequested(requested) => Some(requested.facts.agent),
            Self::AgentDescribed { agent, .. }
            | Self::AgentActivated { agent }
            | Self::AgentSuspended { agent, .. }
            | Self::AgentResumed { agent }
            | Self::AgentDecommissioned { agent, .. }
            | Self::EnrolmentOffered { agent, .. }
            | Self::AgentKeyEnrolled { agent, .. }
            | Self::AgentKeyRevoked { agent, .. }
            | Self::GrantRevoked { agent, .. }
            | Self::GrantExpired { agent, .. }
            | Self::TokenIssued { agent, .. }
            | Self::TaskEnded { agent, .. }
            | Self::ApprovalVoted { agent, .. }
            | Self::ApprovalGranted { agent, .. }
            | Self::ApprovalDenied { agent, .. }
            | Self::ApprovalExpired { agent, .. }
            | Self::ContentErased { agent, .. } => Some(*agent),
            Self::RealmCreated(_)
            | Self::PersonAdded(_)
            | Self::PersonGroupsSet { .. }
            | Self::PersonRemoved { .. }
            | Self::SignInOffered(_)
            | Self::SessionOpened(_)
            | Self::SessionEnded { .. }
            | Self::ConnectorAdded(_)
            | Self::ConnectorRemoved { .. }
            | Self::OperationApproved(_)
            | Self::OperationWithdrawn { .. }
            | Self::GrantRequestDenied { .. }
            | Self::PolicyProposed(_)
            | Self::PolicyActivated { .. }
            | Self::PolicyRejected { .. }
            | Self::KeyRotated { .. }
            | Self::Recovered { .. } => None,
        }
    }

    /// The action that this event decides or reports, if any.
    pub fn action(&self) -> Option<ActionId> {
        match self {
            Self::ActionAllowed(allowed) => Some(allowed.action),
            Self::ActionDenied(denied) => Some(denied.action),
            Self::OutcomeRecorded(recorded) => Some(recorded.action),
            Self::ApprovalRequested(requested) => Some(requested.action),
            _ => None,
        }
    }
}

impl State {
    /// Folds one event, recorded at `at`, into the state. Total: it never fails and never decides.
    pub fn apply(&mut self, event: &Event, at: Timestamp) {
        use crate::{action, agent, approval, connector, grant, operation, person, policy, realm, session, task};
        match event {
            Event::RealmCreated(created) => realm::apply_created(self, created, at),
            Event::PersonAdded(added) => person::apply_added(self, added, at),
            Event::PersonGroupsSet { person, groups } => person::apply_groups_set(self, *person, groups),
            Event::PersonRemoved { person } => person::apply_removed(self, *person),
            Event::SignInOffered(offered) => session::apply_offered(self, offered),
            Event::SessionOpened(opened) => session::apply_opened(self, opened),
            Event::SessionEnded { session } => session::apply_ended(self, *session),
            Event::AgentRegistered(registered) => agent::apply_registered(self, registered, at),
            Event::AgentDescribed { agent, profile } => agent::apply_described(self, *agent, profile),
            Event::AgentActivated { agent } => agent::apply_status(self, *agent, agent::AgentStatus::Active),
            Event::AgentSuspended { agent, .. } => agent::apply_status(self, *agent, agent::AgentStatus::Suspended),
            Event::AgentResumed { agent } => agent::apply_status(self, *agent, agent::AgentStatus::Active),
            Event::AgentDecommissioned { agent, .. } => {
                agent::apply_status(self, *agent, agent::AgentStatus::Decommissioned);
            }
            Event::EnrolmentOffered { agent, code, expires_at } => {
                agent::apply_enrolment_offered(self, *agent, *code, *expires_at);
            }
            Event::AgentKeyEnrolled { agent, key, code } => agent::apply_key_enrolled(self, *agent, key, code),
            Event::AgentKeyRevoked { agent, thumbprint } => agent::apply_key_revoked(self, *agent, thumbprint),
            Event::ConnectorAdded(added) => connector::apply_added(self, added, at),
            Event::ConnectorRemoved { connector } => connector::apply_removed(self, *connector),
            Event::OperationApproved(approved) => operation::apply_approved(self, approved, at),
            Event::OperationWithdrawn { operation, reason } => operation::apply_withdrawn(self, operation, reason),
            Event::GrantRequested(request) => grant::apply_requested(self, request),
            Event::GrantRequestDenied { grant, .. } => grant::apply_request_denied(self, *grant),
            Event::GrantGiven(given) => grant::apply_given(self, given),
            Event::GrantRevoked { grant, .. } | Event::GrantExpired { grant, .. } => grant::apply_ended(self, *grant),
            Event::TaskStarted(started) => task::apply_started(self, started, at),
            Event::TaskEnded { task, reason, .. } => task::apply_ended(self, *task, reason, at),
            Event::ActionAllowed(allowed) => action::apply_allowed(self, allowed, at),
            Event::OutcomeRecorded(recorded) => action::apply_outcome(self, recorded),
            Event::ApprovalRequested(requested) => approval::apply_requested(self, requested, at),
            Event::ApprovalVoted { approval, vote, .. } => approval::apply_voted(self, *approval, vote),
            Event::ApprovalGranted { approval, use_until, .. } => {
                approval::apply_granted(self, *approval, *use_until, at)
            }
            Event::ApprovalDenied { approval, by, note, .. } => approval::apply_denied(self, *approval, *by, note, at),
            Event::ApprovalExpired { approval, .. } => approval::apply_expired(self, *approval, at),
            Event::PolicyProposed(proposed) => policy::apply_proposed(self, proposed, at),
            Event::PolicyActivated { change, edits, .. } => policy::apply_activated(self, *change, edits, at),
            Event::PolicyRejected { change, .. } => policy::apply_rejected(self, *change),
            // Facts for the record; nothing that decides depends on them.
            Event::ActionDenied(_)
            | Event::TokenIssued { .. }
            | Event::KeyRotated { .. }
            | Event::ContentErased { .. }
            | Event::Recovered { .. } => {}
        }
        self.forget_ended(at);
    }
}
