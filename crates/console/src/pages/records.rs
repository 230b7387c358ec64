//! Records: what is in the ledger, and the proof.

pub(crate) mod contents;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod show;
