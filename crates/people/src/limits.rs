//! Every bound on what comes from people and their browsers.

/// How long a ceremony may take, in seconds: people look for their keys.
pub const CEREMONY_SECONDS: u64 = 300;
/// How long a browser waits for an authenticator, in milliseconds.
pub const CEREMONY_MILLISECONDS: u64 = CEREMONY_SECONDS * 1_000;
/// Longest credential as a browser writes it, in bytes: an attestation with a chain of certificates, base64url, and little else.
pub const CREDENTIAL_JSON_BYTES_MAX: usize = 128 * 1_024;
/// Longest id of a ceremony, in bytes.
pub const CEREMONY_ID_BYTES_MAX: usize = 512;
/// Failures of one origin before further ones have to wait.
pub const FAILURES_FREE: u32 = 10;
/// Longest wait after a failure, in seconds. It holds for failures alone: what proves who somebody is counts at once.
pub const WAIT_SECONDS_MAX: u64 = 30;
/// How long failures are remembered after the last one, in seconds.
pub const FAILURES_SECONDS_KEPT: u64 = 900;
/// Origins whose failures are remembered; who failed longest ago is forgotten first.
pub const FAILURES_KEPT_MAX: usize = 10_000;
