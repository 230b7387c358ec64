//! Every bound of this crate, by name. Units stand last.

/// Largest request body, in bytes: a whole policy proposal, or the choices for all tools of one connector.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Rows of one page.
pub const PAGE_ROWS_MAX: usize = 500;
/// Rows of one page when nobody says otherwise.
pub const PAGE_ROWS_DEFAULT: usize = 100;
/// Life of a sign-in code when nobody says otherwise: a quarter of an hour.
pub const SIGN_IN_SECONDS_DEFAULT: u64 = 900;
/// Life of an enrolment code when nobody says otherwise: an hour.
pub const ENROLMENT_SECONDS_DEFAULT: u64 = 3600;
/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;
/// Answers that are remembered for idempotency keys at a time.
pub const IDEMPOTENCY_ENTRIES_MAX: usize = 4_096;
/// Largest answer that is remembered for an idempotency key, in bytes.
pub const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long an answer is remembered for its idempotency key, in seconds.
pub const IDEMPOTENCY_SECONDS: u64 = 24 * 3600;
/// Silence on a stream after which a comment is sent, in seconds, so that proxies keep it open.
pub const STREAM_QUIET_SECONDS: u64 = 15;
/// What a caller is told to wait before it asks again while nothing can be recorded, in seconds.
pub const RETRY_AFTER_SECONDS: u64 = 2;
/// How much of an unknown name is repeated in an answer, in characters.
pub const ECHO_CHARACTERS_MAX: usize = 64;
/// Silence on a lease after which a comment is sent, in seconds: a holder that vanished is noticed by then.
pub const LEASE_QUIET_SECONDS: u64 = 2;
