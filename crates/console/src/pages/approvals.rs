//! Approvals: the questions to people, and their answers.

pub(crate) mod answer;
mod answer_box;
pub(crate) mod list;
pub(crate) mod show;
