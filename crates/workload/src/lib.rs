//! Gives the processes of this machine their identity: the SPIFFE Workload API.
//!
//! Architecture invariant: no other door is known here, and nobody is asked who they are: a caller is what the operating system says of
//! its process. Nothing is handed out before its record is durable.

mod attest;
mod changes;
mod enforce;
mod entitled;
mod executable;
mod frames;
mod hpack;
mod issue;
pub mod limits;
mod peer;
mod places;
mod process;
pub mod proto;
mod server;
mod service;
mod shared;
mod shim;
mod streams;
mod subjects;
mod subscribe;
mod turns;

pub use enforce::{Enforcement, POINT};
pub use server::{Settings, Workloads, observe};
