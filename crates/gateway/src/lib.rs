//! Stands between an agent and the tools, models, APIs and databases that it calls.
//!
//! A request's path reads top to bottom in [`gate`]; each step is one file: `caller`, `call`, `attempt`, `hold`, `permit`, `forward`,
//! `inspect`, `record`; what an upstream asks of the client takes the same path in `asked`. What is open for a task is known to `lives`, and ended by `cut`. `mcp` translates the Model Context Protocol to and from it, `upstream` speaks to the servers behind.
//! `hooks` answers gateways of others, which enforce what they are answered themselves.
//!
//! Architecture invariant: there is no administrative endpoint, no default principal and no storage here. Nothing decides:
//! the engine does, and only a committed allow makes the [`Permit`] without which no call can be sent upstream.

mod answer;
mod asked;
mod attempt;
mod call;
mod caller;
mod client;
mod cut;
mod door;
mod forward;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gate;
mod gateway;
mod hold;
mod hooks;
mod inspect;
pub mod limits;
mod listen;
mod lives;
mod mcp;
mod metadata;
mod outputs;
mod permit;
mod record;
mod refuse;
mod request_state;
mod room;
mod settings;
mod tokens;
mod upstream;
mod words;

pub use gateway::Gateway;
pub use permit::Permit;
pub use settings::Settings;
pub use upstream::{FaultKind, UpstreamFault, Upstreams};

#[cfg(test)]
mod tests;
