//! Times as people write them.

use remit_domain::{Refusal, Timestamp};

use crate::limits;

#[cfg(test)]
mod tests;

/// Reads an RFC 3339 time, such as `2026-03-01T12:00:00Z`.
///
/// # Errors
/// `bad_time` for anything else.
pub(crate) fn parse(text: &str) -> Result<Timestamp, Refusal> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| Timestamp::from_millis(time.as_millisecond())).map_err(|_| {
        let shown: String = text.chars().take(limits::ECHO_CHARACTERS_MAX).collect();
        Refusal::new("bad_time", format!("`{shown}` is not a time")).help("write it like `2026-03-01T12:00:00Z`")
    })
}

/// As [`parse`], for a part that may be left out.
pub(crate) fn parse_optional(text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    text.map(parse).transpose()
}
