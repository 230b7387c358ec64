//! A person's own passkeys: seen, enrolled and removed.

pub(crate) mod enrol;
pub(crate) mod list;
pub(crate) mod remove;
#[cfg(test)]
mod tests;
