//! Everything that can happen, what it means, and what is refused: commands in, events out, state folded.
//!
//! Architecture invariant: there is no clock, no randomness, no disk and no `async` here. [`decide`] is a pure function of its
//! arguments and [`State::apply`] never fails and never decides, so that folding the ledger always gives the same state.

mod action;
mod actor;
mod agent;
mod approval;
mod command;
mod connector;
mod content;
mod digest;
mod event;
mod expire;
mod facts;
mod feature;
mod grant;
mod id;
pub mod limits;
mod operation;
mod person;
mod policy;
mod realm;
mod refusal;
mod sandbox;
mod schema;
mod session;
mod state;
mod task;
mod time;

pub use action::{
    Action, ActionAllowed, ActionDenied, ActionFacts, AttemptAction, Attendance, Attribution, Outcome, OutcomeRecorded,
    RecordOutcome, Verdict,
};
pub use actor::{Actor, SignInMethod};
pub use agent::{Agent, AgentKey, AgentProfile, AgentStatus, Class, DataClass, Environment, RegisterAgent};
pub use approval::{Approval, ApprovalRequested, ApprovalStatus, Approve, Ask, Deny, Vote};
pub use command::{Command, decide};
pub use connector::{AddConnector, Connector, ConnectorSpec};
pub use content::ContentRef;
pub use digest::Digest;
pub use event::Event;
pub use facts::{DECISION_FAULT, Reachable, preview, reach};
pub use feature::Feature;
pub use grant::{Grant, GrantRequest, RequestGrant};
pub use id::{
    ActionId, AgentId, ApprovalId, ChangeId, ConnectorId, GrantId, Id, IdError, Kind, PersonId, RealmId, RunId,
    SessionId, TaskId,
};
pub use operation::{Definition, Operation, OperationChoice, OperationName, OperationPattern};
pub use person::{ADMINISTRATORS, AddPerson, Person};
pub use policy::{Change, Compiled, Policies, PolicyEdit};
pub use realm::{CreateRealm, Realm};
pub use refusal::{FieldProblem, Refusal};
pub use remit_policy::{Projection, Verb};
pub use sandbox::SANDBOX;
pub use schema::event_schema;
pub use session::{OpenSession, Session};
pub use state::State;
pub use task::{Budget, EndReason, StartTask, Task};
pub use time::{Moment, Timestamp};

#[cfg(test)]
mod tests;
