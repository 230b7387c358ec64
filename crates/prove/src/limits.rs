//! Every bound of this crate, by name.

use std::time::Duration;

/// Bytes of one text of invariants.
pub const INVARIANTS_TEXT_BYTES_MAX: usize = 256 * 1024;
/// Invariants in one text.
pub const INVARIANTS_MAX: usize = 200;
/// Bytes of one sentence.
pub const SENTENCE_BYTES_MAX: usize = 500;
/// Operations that one invariant is asked about one by one: those that policies single out, and one for all others of each verb.
pub const QUESTIONS_MAX: usize = 200;
/// How long the solver may think about one question.
pub const TIME_LIMIT_DEFAULT: Duration = Duration::from_secs(60);
/// How much longer than the solver's own time a question may take before it is given up as a whole.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long the solver may take to say what it is.
pub const INTRODUCTION_TIME_LIMIT: Duration = Duration::from_secs(10);
/// Agents above the one that acts, as far as proofs look. Remit itself allows fewer.
pub const CHAIN_MAX: i64 = 64;
/// The last moment that proofs look at, in milliseconds since 1970: the end of the year 9999.
pub const MOMENT_MS_MAX: i64 = 253_402_300_799_999;
/// The highest count that proofs look at: of calls, of people who approved, and of seconds that a credential is old.
pub const COUNT_MAX: i64 = 1_000_000_000_000;
