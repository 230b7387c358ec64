//! Small fragments that pages are put together from. Each is a function; escaping is never switched off.

pub(crate) mod chart;
pub(crate) mod filters;
pub(crate) mod id;
pub(crate) mod line;
pub(crate) mod passkey;
pub(crate) mod pill;
pub(crate) mod properties;
pub(crate) mod receipt;
pub(crate) mod sentence;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod value;
