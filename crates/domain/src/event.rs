//! Everything that has happened. Released variants are never edited: a new one is added beside them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{ActionAllowed, ActionDenied, OutcomeRecorded};
use crate::agent::{AgentKey, AgentProfile, AgentRegistered};
use crate::approval::{ApprovalRequested, ApprovalShown, Vote};
use crate::authorization::{AuthorizationConsented, ClientRegistered};
use crate::change::{ChangeProposed, EditProposed};
use crate::connector::ConnectorAdded;
use crate::enforcement::Enforced;
use crate::finding::FindingOpened;
use crate::grant::{Grant, GrantRequest};
use crate::launch::{LaunchAttested, SvidIssued};
use crate::legacy::LegacyAccountOpened;
use crate::operation::OperationApproved;
use crate::passkey::{PasskeyEnrolled, PasskeyUse};
use crate::person::{Absence, PersonAdded};
use crate::policy::{PolicyEdit, PolicyProposed};
use crate::realm::RealmCreated;
use crate::realm_key::RealmKeyStepped;
use crate::session::{SessionOpened, SignInOffered};
use crate::signal::SignalReceived;
use crate::task::{EndReason, TaskStarted};
use crate::workload::{WorkloadArrived, WorkloadIdentity};
use crate::{
    ActionId, AgentId, ApprovalId, ChangeId, ClientId, Configuration, ConnectorId, Digest, FindingId, GrantId,
    OperationName, OperationPattern, PersonId, RunId, SessionId, State, TaskId, Timestamp,
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
    SessionRaised { session: SessionId, person: PersonId, shown: PasskeyUse },
    PasskeyEnrolled(Box<PasskeyEnrolled>),
    PasskeyRemoved { person: PersonId, credential: String, by: PersonId, reason: String },
    AbsenceSet { person: PersonId, absence: Option<Absence>, by: PersonId },

    AgentRegistered(Box<AgentRegistered>),
    AgentDescribed { agent: AgentId, profile: Box<AgentProfile> },
    AgentActivated { agent: AgentId },
    AgentSuspended { agent: AgentId, reason: String },
    AgentResumed { agent: AgentId },
    AgentDecommissioned { agent: AgentId, reason: String },
    EnrolmentOffered { agent: AgentId, code: Digest, expires_at: Timestamp },
    AgentKeyEnrolled { agent: AgentId, key: AgentKey, code: Digest },
    AgentKeyRevoked { agent: AgentId, thumbprint: String },

    WorkloadBound { agent: AgentId, workload: WorkloadIdentity },
    WorkloadUnbound { agent: AgentId, workload: WorkloadIdentity },
    WorkloadArrived(Box<WorkloadArrived>),
    LaunchAttested(Box<LaunchAttested>),
    SvidIssued(Box<SvidIssued>),
    LegacyAccountOpened(Box<LegacyAccountOpened>),
    LegacyAccountClosed { name: String, by: PersonId, reason: String },
    FindingOpened(Box<FindingOpened>),
    FindingClosed { agent: AgentId, finding: FindingId, by: PersonId, note: String },
    PersonLinked { person: PersonId, issuer: String, subject: String },
    SignalReceived(Box<SignalReceived>),
    Enforced(Box<Enforced>),

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
    RunRevoked { agent: AgentId, run: RunId, reason: String },
    TokenRevoked { agent: AgentId, task: TaskId, token: String, expires_at: Timestamp },

    ClientRegistered(ClientRegistered),
    ClientRemoved { client: ClientId },
    AuthorizationConsented(Box<AuthorizationConsented>),
    AuthorizationRedeemed { agent: AgentId, code: Digest, task: TaskId, refresh: Option<Digest> },
    CodeReused { agent: AgentId, code: Digest, task: TaskId },
    RefreshRotated { agent: AgentId, task: TaskId, token: Digest },
    RefreshReused { agent: AgentId, task: TaskId, token: Digest },

    ActionAllowed(Box<ActionAllowed>),
    ActionDenied(Box<ActionDenied>),
    OutcomeRecorded(Box<OutcomeRecorded>),

    ApprovalRequested(Box<ApprovalRequested>),
    ApprovalShown(Box<ApprovalShown>),
    ApprovalVoted { agent: AgentId, approval: ApprovalId, vote: Vote },
    ApprovalGranted { agent: AgentId, approval: ApprovalId, use_until: Timestamp },
    ApprovalDenied { agent: AgentId, approval: ApprovalId, by: PersonId, note: String },
    ApprovalExpired { agent: AgentId, approval: ApprovalId },
    PolicyProposed(Box<PolicyProposed>),
    PolicyActivated { change: Option<ChangeId>, by: PersonId, edits: Vec<PolicyEdit>, set: Digest },
    PolicyRejected { change: ChangeId, by: PersonId, note: String },

    ChangeProposed(Box<ChangeProposed>),
    EditProposed(Box<EditProposed>),
    ChangeApproved { change: ChangeId, by: PersonId },
    ChangeRejected { change: ChangeId, by: PersonId, note: String },
    ChangeReviewed { change: ChangeId, by: PersonId, upheld: bool, note: String },
    ChangeChecked { change: ChangeId, check: String, passed: bool, summary: String },
    PersonEntitled { person: PersonId, operations: Option<Vec<OperationPattern>>, by: PersonId },
    ConfigurationApproved { agent: AgentId, configuration: Option<Configuration>, by: PersonId },

    KeyRotated { key: String, step: String },
    RealmKeyStepped(Box<RealmKeyStepped>),
    ContentRead { agent: AgentId, task: TaskId, content: Digest, by: PersonId, reason: String },
    ContentErased { agent: AgentId, task: TaskId, reason: String },
    Recovered { actions_unknown: u64 },
}

impl Event {
    /// The agent whose own gap-free sequence this event belongs to, if it is about one.
    ///
    /// INVARIANT: everything that an agent did or that changed what it may do carries its id, so that a gap in its
    /// sequence proves that a record was withheld.
    #[expect(clippy::too_many_lines, reason = "one arm for each event, so that a missing one does not compile")]
    pub fn agent(&self) -> Option<AgentId> {
        match self {
            Self::AgentRegistered(registered) => Some(registered.agent),
            Self::GrantRequested(request) => Some(request.agent),
            Self::GrantGiven(grant) => Some(grant.agent),
            Self::TaskStarted(started) => Some(started.agent),
            Self::WorkloadArrived(arrived) => Some(arrived.agent),
            Self::LaunchAttested(attested) => Some(attested.agent),
            Self::SvidIssued(issued) => Some(issued.agent),
            Self::FindingOpened(opened) => Some(opened.agent),
            Self::Enforced(enforced) => enforced.agent,
            Self::AuthorizationConsented(consented) => Some(consented.agent),
            Self::ActionAllowed(allowed) => Some(allowed.facts.agent),
            Self::ActionDenied(denied) => Some(denied.facts.agent),
            Self::OutcomeRecorded(recorded) => Some(recorded.agent),
            Self::ApprovalRequested(requested) => Some(requested.facts.agent),
            Self::ApprovalShown(shown) => Some(shown.agent),
            Self::AgentDescribed { agent, .. }
            | Self::AgentActivated { agent }
            | Self::AgentSuspended { agent, .. }
            | Self::AgentResumed { agent }
            | Self::AgentDecommissioned { agent, .. }
            | Self::EnrolmentOffered { agent, .. }
            | Self::AgentKeyEnrolled { agent, .. }
            | Self::AgentKeyRevoked { agent, .. }
            | Self::WorkloadBound { agent, .. }
            | Self::WorkloadUnbound { agent, .. }
            | Self::FindingClosed { agent, .. }
            | Self::GrantRevoked { agent, .. }
            | Self::GrantExpired { agent, .. }
            | Self::TokenIssued { agent, .. }
            | Self::RunRevoked { agent, .. }
            | Self::TokenRevoked { agent, .. }
            | Self::AuthorizationRedeemed { agent, .. }
            | Self::CodeReused { agent, .. }
            | Self::RefreshRotated { agent, .. }
            | Self::RefreshReused { agent, .. }
            | Self::TaskEnded { agent, .. }
            | Self::ApprovalVoted { agent, .. }
            | Self::ApprovalGranted { agent, .. }
            | Self::ApprovalDenied { agent, .. }
            | Self::ApprovalExpired { agent, .. }
            | Self::ConfigurationApproved { agent, .. }
            | Self::ContentRead { agent, .. }
            | Self::ContentErased { agent, .. } => Some(*agent),
            Self::RealmCreated(_)
            | Self::PersonAdded(_)
            | Self::PersonGroupsSet { .. }
            | Self::PersonRemoved { .. }
            | Self::SignInOffered(_)
            | Self::SessionOpened(_)
            | Self::SessionEnded { .. }
            | Self::SessionRaised { .. }
            | Self::PasskeyEnrolled(_)
            | Self::PasskeyRemoved { .. }
            | Self::AbsenceSet { .. }
            | Self::LegacyAccountOpened(_)
            | Self::LegacyAccountClosed { .. }
            | Self::PersonLinked { .. }
            | Self::SignalReceived(_)
            | Self::RealmKeyStepped(_)
            | Self::ConnectorAdded(_)
            | Self::ConnectorRemoved { .. }
            | Self::OperationApproved(_)
            | Self::ClientRegistered(_)
            | Self::ClientRemoved { .. }
            | Self::OperationWithdrawn { .. }
            | Self::GrantRequestDenied { .. }
            | Self::PolicyProposed(_)
            | Self::PolicyActivated { .. }
            | Self::PolicyRejected { .. }
            | Self::ChangeProposed(_)
            | Self::EditProposed(_)
            | Self::ChangeApproved { .. }
            | Self::ChangeRejected { .. }
            | Self::ChangeReviewed { .. }
            | Self::ChangeChecked { .. }
            | Self::PersonEntitled { .. }
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
    #[expect(clippy::too_many_lines, reason = "one arm for each event, so that a missing one does not compile")]
    pub fn apply(&mut self, event: &Event, at: Timestamp) {
        use crate::{
            action, agent, approval, authorization, change, configuration, connector, grant, operation, passkey,
            person, policy, realm, revoke, session, task,
        };
        use crate::{finding, launch, legacy, realm_key, signal, workload};
        match event {
            Event::RealmCreated(created) => realm::apply_created(self, created, at),
            Event::PersonAdded(added) => person::apply_added(self, added, at),
            Event::PersonGroupsSet { person, groups } => person::apply_groups_set(self, *person, groups),
            Event::PersonRemoved { person } => person::apply_removed(self, *person),
            Event::SignInOffered(offered) => session::apply_offered(self, offered),
            Event::SessionOpened(opened) => session::apply_opened(self, opened, at),
            Event::SessionRaised { session, shown, .. } => session::apply_raised(self, *session, shown, at),
            Event::PasskeyEnrolled(enrolled) => passkey::apply_enrolled(self, enrolled, at),
            Event::PasskeyRemoved { credential, .. } => passkey::apply_removed(self, credential),
            Event::AbsenceSet { person, absence, .. } => person::apply_absence(self, *person, absence.as_ref()),
            Event::SessionEnded { session } => session::apply_ended(self, *session),
            Event::AgentRegistered(registered) => agent::apply_registered(self, registered, at),
            Event::AgentDescribed { agent, profile } => agent::apply_described(self, *agent, profile),
            Event::AgentActivated { agent } => agent::apply_status(self, *agent, agent::AgentStatus::Active),
            Event::AgentSuspended { agent, .. } => {
                agent::apply_status(self, *agent, agent::AgentStatus::Suspended);
                agent::withdraw_identities(self, *agent, at);
            }
            Event::AgentResumed { agent } => agent::apply_status(self, *agent, agent::AgentStatus::Active),
            Event::AgentDecommissioned { agent, .. } => {
                agent::apply_status(self, *agent, agent::AgentStatus::Decommissioned);
            }
            Event::EnrolmentOffered { agent, code, expires_at } => {
                agent::apply_enrolment_offered(self, *agent, *code, *expires_at);
            }
            Event::AgentKeyEnrolled { agent, key, code } => agent::apply_key_enrolled(self, *agent, key, code),
            Event::AgentKeyRevoked { agent, thumbprint } => agent::apply_key_revoked(self, *agent, thumbprint),
            Event::WorkloadBound { agent, workload } => workload::apply_bound(self, *agent, workload),
            Event::WorkloadUnbound { agent, workload } => {
                workload::apply_unbound(self, *agent, workload);
                agent::withdraw_identities(self, *agent, at);
            }
            Event::WorkloadArrived(arrived) => workload::apply_arrived(self, arrived, at),
            Event::LaunchAttested(attested) => launch::apply_attested(self, attested),
            Event::LegacyAccountOpened(opened) => legacy::apply_opened(self, opened),
            Event::LegacyAccountClosed { name, .. } => legacy::apply_closed(self, name),
            Event::FindingOpened(opened) => finding::apply_opened(self, opened, at),
            Event::FindingClosed { finding, by, note, .. } => finding::apply_closed(self, *finding, *by, note, at),
            Event::PersonLinked { person, issuer, subject } => signal::apply_linked(self, *person, issuer, subject),
            Event::SignalReceived(received) => signal::apply_received(self, received, at),
            Event::RealmKeyStepped(stepped) => realm_key::apply_stepped(self, stepped, at),
            Event::ConnectorAdded(added) => connector::apply_added(self, added, at),
            Event::ConnectorRemoved { connector } => connector::apply_removed(self, *connector),
            Event::OperationApproved(approved) => operation::apply_approved(self, approved, at),
            Event::OperationWithdrawn { operation, reason } => operation::apply_withdrawn(self, operation, reason),
            Event::GrantRequested(request) => grant::apply_requested(self, request),
            Event::GrantRequestDenied { grant, by, note } => {
                grant::apply_request_denied(self, *grant, *by, note);
            }
            Event::GrantGiven(given) => grant::apply_given(self, given),
            Event::GrantRevoked { grant, .. } | Event::GrantExpired { grant, .. } => grant::apply_ended(self, *grant),
            Event::TaskStarted(started) => task::apply_started(self, started, at),
            Event::TaskEnded { task, reason, .. } => task::apply_ended(self, *task, reason, at),
            Event::TokenRevoked { task, token, expires_at, .. } => {
                revoke::apply_token_revoked(self, *task, token, *expires_at, at);
            }
            Event::ClientRegistered(registered) => authorization::apply_registered(self, registered, at),
            Event::ClientRemoved { client } => {
                self.clients.remove(client);
            }
            Event::AuthorizationConsented(consented) => authorization::apply_consented(self, consented),
            Event::AuthorizationRedeemed { code, task, refresh, .. } => {
                authorization::apply_redeemed(self, *code, *task, *refresh, at);
            }
            Event::RefreshRotated { task, token, .. } => authorization::apply_refreshed(self, *task, *token),
            Event::ActionAllowed(allowed) => action::apply_allowed(self, allowed, at),
            Event::OutcomeRecorded(recorded) => action::apply_outcome(self, recorded),
            Event::ApprovalRequested(requested) => approval::apply_requested(self, requested, at),
            Event::ApprovalShown(shown) => approval::apply_shown(self, shown, at),
            Event::ApprovalVoted { approval, vote, .. } => approval::apply_voted(self, *approval, vote, at),
            Event::ApprovalGranted { approval, use_until, .. } => {
                approval::apply_granted(self, *approval, *use_until, at)
            }
            Event::ApprovalDenied { approval, by, note, .. } => approval::apply_denied(self, *approval, *by, note, at),
            Event::ApprovalExpired { approval, .. } => approval::apply_expired(self, *approval, at),
            Event::PolicyProposed(former) => change::apply_former(self, former, at),
            Event::PolicyActivated { change, edits, .. } => policy::apply_activated(self, *change, edits, at),
            Event::PolicyRejected { change, .. }
            | Event::ChangeApproved { change, .. }
            | Event::ChangeRejected { change, .. } => change::apply_settled(self, *change),
            Event::ChangeProposed(proposed) => change::apply_proposed(self, proposed, at),
            Event::EditProposed(proposed) => change::apply_edit(self, proposed),
            Event::ChangeReviewed { change, by, upheld, note } => {
                change::apply_reviewed(self, *change, *by, *upheld, note, at);
            }
            Event::ChangeChecked { change, check, passed, summary } => {
                change::apply_checked(self, *change, check, *passed, summary, at);
            }
            Event::PersonEntitled { person, operations, .. } => {
                person::apply_entitled(self, *person, operations.as_deref());
            }
            Event::ConfigurationApproved { agent, configuration, .. } => {
                configuration::apply_approved(self, *agent, configuration.as_ref());
            }
            // Facts for the record; nothing that decides depends on them.
            Event::ActionDenied(_)
            | Event::TokenIssued { .. }
            | Event::RunRevoked { .. }
            | Event::CodeReused { .. }
            | Event::RefreshReused { .. }
            | Event::SvidIssued(_)
            | Event::Enforced(_)
            | Event::KeyRotated { .. }
            | Event::ContentRead { .. }
            | Event::ContentErased { .. }
            | Event::Recovered { .. } => {}
        }
        self.forget_ended(at);
    }
}
