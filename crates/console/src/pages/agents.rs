//! Agents: what they are and what they may do.

pub(crate) mod list;
pub(crate) mod show;
