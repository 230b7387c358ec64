//! A realm in a temporary directory, told in the product's own words, for the tests of every crate from the engine up.
//!
//! Architecture invariant: no product code uses this crate, and it has no way into the engine that a door has not: people,
//! agents, grants and tasks come about by the same commands. What goes wrong while a world is set up ends its test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a world that cannot be set up has failed its test")]

mod authenticator;
mod calls;
mod cast;
mod world;

pub use authenticator::Authenticator;
pub use calls::Answer;
pub use cast::operation;
pub use world::{NOW, World, proposed};
