//! Pictures, for where people would rather look than read. Each is drawn here, without a script, and says the same in words.

pub(crate) mod activity;
pub(crate) mod reach;
pub(crate) mod tree;
