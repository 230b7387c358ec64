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
mod command;
mod connector;
mod content;
mod delegate;
mod digest;
mod enforcement;
mod event;
mod expire;
mod external;
mod facts;
mod feature;
mod finding;
mod grant;
mod id;
mod launch;
mod legacy;
pub mod limits;
mod narrow;
mod operation;
mod person;
mod policy;
mod realm;
mod realm_key;
mod refusal;
mod revoke;
mod sandbox;
mod schema;
mod session;
mod signal;
mod state;
mod status;
mod task;
mod time;
mod workload;

pub use action::{
    Action, ActionAllowed, ActionDenied, ActionFacts, AttemptAction, Attendance, Attribution, Outcome, OutcomeRecorded,
    RecordOutcome, Verdict,
};
pub use actor::{Actor, SignInMethod};
pub use agent::{Agent, AgentKey, AgentProfile, AgentStatus, Class, DataClass, Environment, Level, RegisterAgent};
pub use approval::{Approval, ApprovalRequested, ApprovalStatus, Approve, Ask, Deny, Vote};
pub use authority::{Authority, Delegate, Delegation};
pub use authorization::{AuthorizationConsented, Client, ClientRegistered, Consent, RedeemCode};
pub use command::{Command, decide};
pub use connector::{AddConnector, Connector, ConnectorSpec};
pub use content::ContentRef;
pub use delegate::DelegateTask;
pub use digest::Digest;
pub use enforcement::{Enforced, RecordEnforcement};
pub use event::Event;
pub use external::External;
pub use facts::{DECISION_FAULT, Reachable, preview, reach};
pub use feature::Feature;
pub use finding::{CredentialKind, Finding, FindingOpened, ReportSharing};
pub use grant::{Grant, GrantRequest, RequestGrant};
pub use id::{
    ActionId, AgentId, ApprovalId, ChangeId, ClientId, ConnectorId, FindingId, GrantId, Id, IdError, Kind, PersonId,
    RealmId, RunId, SessionId, TaskId,
};
pub use launch::{IssueSvid, Launch, LaunchAttested, Process, SvidIssued, SvidKind};
pub use legacy::{LegacyAccount, LegacyAccountOpened, OpenLegacyAccount, VIA_JWT_SVID, VIA_X509_SVID};
pub use operation::{Definition, Operation, OperationChoice, OperationName, OperationPattern};
pub use person::{ADMINISTRATORS, AddPerson, Person};
pub use policy::{Change, Compiled, Policies, PolicyEdit};
pub use realm::{CreateRealm, Realm};
pub use realm_key::{KeyPurpose, KeyStep, RealmKey, RealmKeyStepped, StepKey};
pub use refusal::{FieldProblem, Refusal};
pub use remit_policy::{Projection, Verb};
pub use sandbox::SANDBOX;
pub use schema::event_schema;
pub use session::{OpenSession, Session};
pub use signal::{ReceiveSignal, SignalKind, SignalReceived};
pub use state::State;
pub use status::STATUS_PLACES;
pub use task::{Binding, Budget, EndReason, StartTask, Task, lineage};
pub use time::{Moment, Timestamp};
pub use workload::{LocalWorkload, WorkloadArrived, WorkloadIdentity};

#[cfg(test)]
mod tests;
