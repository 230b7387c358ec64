//! Everything that can happen, what it means, and what is refused: commands in, events out, state folded.
//!
//! Architecture invariant: there is no clock, no randomness, no disk and no `async` here. [`decide`] is a pure function of its
//! arguments and [`State::apply`] never fails and never decides, so that folding the ledger always gives the same state.

mod action;
mod actor;
mod agent;
mod approval;
mod authority;
mod authorization;
mod cascade;
mod change;
mod command;
mod configuration;
mod connector;
mod content;
mod delegate;
mod digest;
mod enforcement;
mod event;
mod expire;
mod explain;
mod external;
mod facts;
mod feature;
mod finding;
mod grant;
mod id;
mod launch;
mod legacy;
pub mod limits;
mod listing;
mod narrow;
mod operation;
mod passkey;
mod permission;
mod person;
mod policy;
mod realm;
mod realm_key;
mod refusal;
mod replay;
mod revoke;
mod sandbox;
mod schema;
mod session;
mod signal;
mod state;
mod status;
mod task;
mod time;
mod who;
mod workload;

pub use action::{
    Action, ActionAllowed, ActionDenied, ActionFacts, AttemptAction, Attendance, Attribution, Outcome, OutcomeRecorded,
    RecordOutcome, Verdict,
};
pub use actor::{Actor, SignInMethod};
pub use agent::{Agent, AgentKey, AgentProfile, AgentStatus, Class, DataClass, Environment, Level, RegisterAgent};
pub use approval::{
    Approval, ApprovalRequested, ApprovalShown, ApprovalStatus, Approve, Ask, Deny, ShowApproval, Sight, Signed, Vote,
    answer_challenge, shown,
};
pub use authority::{Authority, Delegate, Delegation};
pub use authorization::{AuthorizationConsented, Client, ClientRegistered, Consent, RedeemCode};
pub use change::{
    Change, ChangeCheck, ChangeKind, ChangeProposed, ChangeReview, ChangeStatus, Edit, EditProposed, OperationEdit,
    Proposed, compiles_policies,
};
pub use command::{Command, decide};
pub use configuration::Configuration;
pub use connector::{AddConnector, Connector, ConnectorSpec, Thing};
pub use content::{ContentRef, Referred, referred};
pub use delegate::DelegateTask;
pub use digest::Digest;
pub use enforcement::{Enforced, RecordEnforcement};
pub use event::Event;
pub use explain::{Explained, Explanation, Leg as ExplainedLeg, explain, rules};
pub use external::External;
pub use facts::{DECISION_FAULT, preview};
pub use feature::Feature;
pub use finding::{CredentialKind, Finding, FindingOpened, ReportSharing};
pub use grant::access::{Access, AccessStatus, RequestAccess, access_answered_by, may_request_access};
pub use grant::{Grant, GrantRequest, RequestGrant, must_be_able_to_answer};
pub use id::{
    ActionId, AgentId, ApprovalId, ChangeId, ClientId, ConnectorId, FindingId, GrantId, Id, IdError, Kind, PersonId,
    RealmId, RunId, SessionId, TaskId,
};
pub use launch::{IssueSvid, Launch, LaunchAttested, Process, SvidIssued, SvidKind};
pub use legacy::{LegacyAccount, LegacyAccountOpened, OpenLegacyAccount, VIA_JWT_SVID, VIA_X509_SVID};
pub use listing::{Listing, Onlooker, Reachable, listing, reach};
pub use operation::{Definition, Operation, OperationChoice, OperationName, OperationPattern};
pub use passkey::{EnrolPasskey, OpenPasskeySession, Passkey, PasskeyEnrolled, PasskeyUse, must_have_passkey};
pub use permission::{
    AUDITORS, CONTENT_READERS, REVIEWERS, Right, is_concerned, may, may_read_approval, may_read_grant,
    may_read_history, may_read_records, may_read_task,
};
pub use person::{ADMINISTRATORS, Absence, AddPerson, Person};
pub use policy::{Compiled, Policies, PolicyEdit, PolicyProposed};
pub use realm::{CreateRealm, Realm};
pub use realm_key::{KeyPurpose, KeyStep, RealmKey, RealmKeyStepped, StepKey};
pub use refusal::{FieldProblem, Refusal};
pub use remit_policy::{Projection, Severity, Verb};
pub use replay::{Again, Answer, Arguments, Decided, Proposal, Recorded, Unsaid};
pub use sandbox::SANDBOX;
pub use schema::event_schema;
pub use session::{OpenForeignSession, OpenSession, Session, SessionOpened};
pub use signal::{ReceiveSignal, SignalKind, SignalReceived};
pub use state::State;
pub use status::STATUS_PLACES;
pub use task::{Binding, Budget, EndReason, StartTask, Task, lineage};
pub use time::{Moment, Timestamp};
pub use who::{
    ASSUMPTION, Alone, Artefact, Beyond, BeyondReaches, Caller, Callers, CanChange, Entitled, Foreseen, Foresight,
    Part, Prospect, RULE, Reached, Reaches, Through, Tie, Walk, foresee, people_through, what_agent_reaches,
    what_person_reaches, who_can_call, who_can_change, who_can_see,
};
pub use workload::{LocalWorkload, WorkloadArrived, WorkloadIdentity};

#[cfg(test)]
mod tests;
