//! The crate as a whole: a world to tell stories in, what holds in every history, and events that stay readable for ever.

pub(crate) mod fixtures;
mod grave;
mod histories;
mod observer;
mod steps;
pub(crate) mod world;
