//! Approvals: the inbox, one question, and the answers to it.

pub(crate) mod answer;
mod answer_box;
mod document;
pub(crate) mod list;
pub(crate) mod show;
