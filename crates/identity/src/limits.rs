//! Every bound of this crate, by name. Units stand last.

/// Longest compact JWS that is read at all, in bytes. A task token is about 900 bytes, a DPoP proof about 600.
pub const JWS_BYTES_MAX: usize = 8_192;

/// Longest text member of a header or a claims set, in bytes.
pub const MEMBER_BYTES_MAX: usize = 2_048;

/// Longest `jti`, in bytes: a UUID takes 36, 256 random bits take 43.
pub const JTI_BYTES_MAX: usize = 128;

/// How far in the future an `iat` may lie, in seconds, for clocks that do not quite agree.
pub const IAT_AHEAD_SECONDS_MAX: i64 = 30;

/// Longest life of a task token, in seconds.
pub const TASK_TOKEN_SECONDS_MAX: i64 = 86_400;

/// How long a retired realm key still verifies, in seconds.
///
/// INVARIANT: not less than [`TASK_TOKEN_SECONDS_MAX`], so that rotation never ends a token before its own `exp`.
pub const RETIRED_KEY_SECONDS: i64 = TASK_TOKEN_SECONDS_MAX;

/// Most keys that one realm's ring holds at a time.
pub const RING_KEYS_MAX: usize = 16;

/// How far a DPoP proof's `iat` may lie from now, in either direction, in seconds (RFC 9449 section 11.1).
pub const DPOP_WINDOW_SECONDS: i64 = 60;

/// Longest life of a client assertion, in seconds from its `iat`.
pub const ASSERTION_SECONDS_MAX: i64 = 60;

/// How far an enrolment proof's `iat` may lie from now, in either direction, in seconds. Wider than that of DPoP, since
/// the code that it carries works only once anyway and the machine enrolled is often a new one.
pub const ENROLMENT_WINDOW_SECONDS: i64 = 300;

/// How long after its `iat` a proof or assertion is remembered, in seconds.
///
/// INVARIANT: not less than [`DPOP_WINDOW_SECONDS`] and [`ASSERTION_SECONDS_MAX`], or a replay would be taken for new.
pub const REPLAY_SECONDS: i64 = 60;

/// Most proofs that are remembered at a time. One takes about 150 bytes, so this is about 40 MB at worst.
pub const REPLAY_ENTRIES_MAX: usize = 262_144;

/// Longest address in an `htu`, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 4_096;

/// Longest SPIFFE ID, in bytes (SPIFFE-ID section 2.3).
pub const SPIFFE_ID_BYTES_MAX: usize = 2_048;

/// Longest trust domain name, in bytes (SPIFFE-ID section 2.3).
pub const TRUST_DOMAIN_BYTES_MAX: usize = 255;

/// Rounds of PBKDF2-HMAC-SHA256 that turn a passphrase into a key.
pub const PASSPHRASE_ROUNDS: u32 = 600_000;

/// Salt that goes with a passphrase, in bytes.
pub const PASSPHRASE_SALT_BYTES: usize = 16;

/// Random bytes in a one-time code.
pub const CODE_RANDOM_BYTES: usize = 32;

// The invariants above, held by the compiler.
const _: () = assert!(RETIRED_KEY_SECONDS >= TASK_TOKEN_SECONDS_MAX);
const _: () = assert!(REPLAY_SECONDS >= DPOP_WINDOW_SECONDS && REPLAY_SECONDS >= ASSERTION_SECONDS_MAX);
