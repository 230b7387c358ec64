//! Proves invariants of policies, or prints a call that breaks them.
//!
//! Architecture invariant: nothing depends on this crate to decide anything, and it decides nothing itself. It knows the policies and
//! no other crate of the house; the solver is a program that may be missing, runs as a child process and is killed when its
//! time is over. What the solver gives as a counter-example is never believed: it is put to [`remit_policy::evaluate`].
//!
//! The way through: an [`Invariant`] says which calls never happen; the [`Prover`] asks, for each verb and each operation that the
//! policies single out, whether *the policies allow* and *such a call* and *what Remit guarantees* can hold together. If never, that
//! is the proof, as long as there can be *such a call* at all. If they can, the solver's model becomes a [`Counterexample`] that people can read, simulate and keep as a case.

mod assumptions;
mod case;
mod counterexample;
mod estate;
mod invariant;
pub mod limits;
mod model;
mod never;
mod ordinary;
mod prover;
mod question;
mod sentence;
mod solver;
#[cfg(test)]
mod world;

pub use counterexample::Counterexample;
pub use estate::{Estate, EstateError};
pub use invariant::{Invariant, InvariantError};
pub use never::{Bounds, Never, NeverError};
pub use prover::{Prover, Verdict};
pub use sentence::{FORMS, SentenceError};
pub use solver::{Solver, SolverMissing};

/// The invariants of the starter policies: a text for people to read, change and keep beside their own policies.
pub const STARTER_INVARIANTS: &str = include_str!("../../../policies/starter.invariant.toml");
