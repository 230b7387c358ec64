//! Bounds of signing in at an identity provider. Units stand last.

/// How long a person may take at the provider, in seconds.
pub const SIGN_IN_SECONDS_MAX: i64 = 600;
/// Sign-ins that wait for the provider at the same time.
pub const UNDER_WAY_MAX: usize = 32;
/// Sign-ins of which is remembered that they were used.
pub const USED_MAX: usize = 4_096;
/// Longest address that a sign-in leads to at its end, in bytes: it travels in a cookie, of which browsers keep 4,096.
pub const NEXT_BYTES_MAX: usize = 2_048;
/// Longest cookie that is looked at, in bytes.
pub const BINDING_BYTES_MAX: usize = 4_096;
/// Longest authorization code, in bytes.
pub const CODE_BYTES_MAX: usize = 4_096;
/// Longest subject, in bytes (OpenID Connect Core 1.0 section 2).
pub const SUBJECT_BYTES_MAX: usize = 255;
/// Longest document of the provider, in bytes: that of a key set.
pub const DOCUMENT_BYTES_MAX: usize = remit_identity::limits::FOREIGN_KEYS_BYTES_MAX;
/// How long the provider may take for one answer, in seconds.
pub const ANSWER_SECONDS_MAX: u64 = 10;
/// How long what the provider publishes is used before it is read again, in seconds.
pub const PUBLISHED_SECONDS_MAX: i64 = 300;
/// How soon it is read again for a key that is not there, in seconds: whoever signs in must not make us ask at every step.
pub const REREAD_SECONDS_MIN: i64 = 10;
