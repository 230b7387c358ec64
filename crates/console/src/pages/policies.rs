//! Policies: their texts, and what they would say.

pub(crate) mod list;
pub(crate) mod preview;
pub(crate) mod show;
#[cfg(test)]
mod tests;
