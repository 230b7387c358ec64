//! Stands between an agent and the tools, models, APIs and databases that it calls.
//!
//! A request's path reads top to bottom in [`gate`]; each step is one file: `caller`, `attempt`, `hold`, `permit`, `forward`,
//! `inspect`, `record`. `mcp` translates the Model Context Protocol to and from it, `upstream` speaks to the servers behind.
//!
//! Architecture invariant: there is no administrative endpoint, no default principal and no storage here. Nothing decides:
//! the engine does, and only a committed allow makes the [`Permit`] without which no call can be sent upstream.

mod answer;
mod attempt;
mod caller;
mod client;
mod forward;
mod gate;
mod gateway;
mod hold;
mod inspect;
pub mod limits;
mod listen;
mod mcp;
mod metadata;
mod permit;
mod record;
mod refuse;
mod room;
mod settings;
mod upstream;

pub use gateway::Gateway;
pub use permit::Permit;
pub use settings::Settings;
pub use upstream::{FaultKind, UpstreamFault, Upstreams};

#[cfg(test)]
mod tests;
