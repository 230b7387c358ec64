//! Reads Cedar policies; given who, what, where and context, says allow, deny or ask, and why.
//!
//! Architecture invariant: this crate knows no other crate of the house, no clock, no randomness, no storage and no
//! network. Every fact comes in as an argument, and the same policies with the same facts always give the same decision.
//!
//! The way through: a tool's JSON schema becomes a [`Shape`], with the [`Projection`]s that were declared; all shapes together become the Cedar [`Schema`]; policies
//! are compiled against it into a [`PolicySet`]; [`evaluate`] decides one [`Request`], [`reach`] says what can be decided
//! before its arguments are known. [`cases`] runs tables of expected decisions, [`check()`] finds
//! what is suspicious about policies that compile, [`format()`] lays them out, and [`STARTER`] holds the guardrails that a new realm begins with.

mod annotations;
mod arguments;
pub mod cases;
mod check;
mod diagnosis;
mod distinctions;
mod essence;
#[cfg(test)]
mod estate;
mod evaluate;
mod facts;
mod format;
mod index;
mod judge;
pub mod limits;
mod marks;
mod nearest;
mod patrol;
mod problem;
pub mod projection;
mod reach;
mod reads;
mod residual;
mod scene;
mod schema;
mod set;
mod shape;
mod sight;
mod starter;
mod text;
mod typed;
mod validation;
mod validity;
mod verb;
mod vocabulary;
mod wording;
#[cfg(test)]
mod world;

pub use arguments::ArgumentError;
pub use check::{Known, check};
pub use distinctions::Distinctions;
pub use essence::{Concern, Essence, Essences};
pub use evaluate::{Ask, Decision, Outcome, evaluate, evaluate_plainly};
pub use facts::{
    AgentFacts, ApprovalFacts, Attribution, Facts, GrantFacts, OperationFacts, PersonFacts, Request, TaskFacts,
};
pub use format::format;
pub use nearest::nearest;
pub use problem::{Problem, Severity};
pub use projection::{Projection, ProjectionError};
pub use reach::{Outlook, Reach, outlook, reach};
pub use schema::{OperationShape, Schema, SchemaError};
pub use set::{Effect, PolicySet, PolicySource, Rule};
pub use shape::{Shape, ShapeError};
pub use starter::{ACCESS_PATTERNS, STARTER, STARTER_CASES, starter};
pub use verb::{UnknownVerb, Verb};
