//! Every bound of the console, by name. Units stand last.

/// Largest form that is read, in bytes: a note, escaped, and two digests; or a sealed request for consent.
pub(crate) const FORM_BYTES_MAX: usize = 32 * 1024;
/// Longest sign-in code or session token that is looked at, in bytes.
pub(crate) const SECRET_BYTES_MAX: usize = 256;
/// Longest address that a sign-in leads back to, in bytes: that of a sealed request for consent.
pub(crate) const NEXT_BYTES_MAX: usize = 17 * 1024;
/// Longest purpose that a person writes, in characters.
pub(crate) const PURPOSE_CHARACTERS_MAX: usize = 400;
/// Records on the overview.
pub(crate) const OVERVIEW_RECORDS_MAX: usize = 30;
/// Records on the page of one agent or one approval.
pub(crate) const RELATED_RECORDS_MAX: usize = 20;
/// Rows of one list. What lies beyond is counted on the page.
pub(crate) const LIST_ROWS_MAX: usize = 200;
/// Artefacts of one change that a list names.
pub(crate) const ARTEFACTS_SHOWN_MAX: usize = 3;
/// Edits of one change that its page shows.
pub(crate) const EDITS_SHOWN_MAX: usize = 100;
/// Members of one value that are shown as rows; the canonical text beside them is always whole.
pub(crate) const VALUE_ROWS_MAX: usize = 256;
/// Steps of one answer to a question that runs the other way, so that a page is never long in coming.
pub(crate) const WHO_STEPS_MAX: usize = 20_000;
/// How often a list looks again, in seconds.
pub(crate) const REFRESH_SECONDS: u32 = 15;
/// How long the stream of a live page stays quiet before it says that it is still there, in seconds.
pub(crate) const LIVE_QUIET_SECONDS: u64 = 20;
