//! The servers behind the gateway: started or reached on first need, greeted in the newest generation that they speak, and
//! called only with a permit.

mod connection;
mod definitions;
mod exchange;
mod fault;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod handshake;
mod http;
mod lines;
mod listen;
mod message;
mod mirror;
mod news;
mod offer;
mod pins;
mod pool;
mod process;
mod resources;
mod signals;
mod stderr;
mod stdio;
mod underway;

pub(crate) use connection::{CallFault, Connection};
pub(crate) use exchange::{AskedBack, Governed, Notice, Reply, UpstreamRequest, Watch};
pub use fault::{FaultKind, UpstreamFault};
pub(crate) use news::{News, NewsKind};
pub(crate) use pool::Following;
pub use pool::Upstreams;
