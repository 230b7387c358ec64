//! Records: what is in the ledger, and the proof.

pub(crate) mod show;
