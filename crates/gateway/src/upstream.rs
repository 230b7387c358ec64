//! The servers behind the gateway: started or reached on first need, greeted in the newest generation that they speak, and
//! called only with a permit.

mod connection;
mod definitions;
mod exchange;
mod fault;
mod handshake;
mod http;
mod lines;
mod mirror;
mod pins;
mod pool;
mod process;
mod stdio;

pub(crate) use connection::{CallFault, Connection};
pub(crate) use exchange::{Reply, Watch};
pub use fault::{FaultKind, UpstreamFault};
pub use pool::Upstreams;
