//! Every bound of this crate, by name. Units stand last.

/// Longest compact JWS that is read at all, in bytes. A task token is about 900 bytes, a DPoP proof about 600.
pub const JWS_BYTES_MAX: usize = 8_192;
/// Longest signed receipt of a revocation, in bytes: it names what it could not end one by one.
pub const RECEIPT_BYTES_MAX: usize = 256 * 1024;

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

/// Most keys of one purpose that one realm's ring holds at a time.
pub const RING_KEYS_MAX: usize = 16;

/// How long the certificate of a realm's authority is valid, in seconds: a year.
pub const CA_SECONDS: i64 = 365 * 86_400;

/// Longest life of an X.509-SVID, in seconds.
pub const X509_SVID_SECONDS_MAX: i64 = 86_400;

/// Longest life of a JWT-SVID, in seconds. It is a bearer's credential, so it should live minutes.
pub const JWT_SVID_SECONDS_MAX: i64 = 3_600;

/// How long a retired authority stays in the bundle, in seconds.
///
/// INVARIANT: more than [`X509_SVID_SECONDS_MAX`], so that rotation never ends an SVID before its own end; the rest is
/// for one that was being made while the authority was retired.
pub const RETIRED_CA_SECONDS: i64 = X509_SVID_SECONDS_MAX + 300;

/// How long before it is made a certificate begins to be valid, in seconds, for clocks that do not quite agree.
pub const CERTIFICATE_BACKDATE_SECONDS: i64 = 10;

/// Random bytes in the serial number of a certificate. RFC 5280 section 4.1.2.2 allows 20.
pub const SERIAL_BYTES: usize = 16;

/// Longest certificate that is read, in bytes. An SVID is about 600 bytes, an authority with an RSA key 1,500.
pub const CERTIFICATE_BYTES_MAX: usize = 16_384;

/// Most intermediate authorities between an SVID and the bundle.
pub const INTERMEDIATES_MAX: usize = 3;

/// Most DNS names, and most addresses, that one SVID carries.
pub const SVID_NAMES_MAX: usize = 16;

/// Longest DNS name, in bytes (RFC 1035 section 2.3.4).
pub const DNS_NAME_BYTES_MAX: usize = 253;

/// Longest bundle of a trust domain that is read, in bytes.
pub const BUNDLE_BYTES_MAX: usize = 1_048_576;

/// Most keys in a bundle that is read.
pub const BUNDLE_KEYS_MAX: usize = 256;

/// After how many seconds whoever federates with this realm should look for a newer bundle.
pub const BUNDLE_REFRESH_SECONDS: u64 = 300;

/// Smallest and largest RSA modulus that verifies anything, in bits.
pub const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

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

/// Of those, how many one holder may have where holders share a memory: a sixteenth of it, which is still 270 a second.
pub const REPLAY_HOLDER_ENTRIES_MAX: usize = 16_384;

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
const _: () = assert!(RETIRED_KEY_SECONDS >= JWT_SVID_SECONDS_MAX);
const _: () = assert!(RETIRED_CA_SECONDS > X509_SVID_SECONDS_MAX && CA_SECONDS > RETIRED_CA_SECONDS);
const _: () = assert!(REPLAY_SECONDS >= DPOP_WINDOW_SECONDS && REPLAY_SECONDS >= ASSERTION_SECONDS_MAX);

// Delegation and authority.

/// Most actors in one chain. A longer one is refused, on making it and on reading it, and never cut short.
pub const ACTOR_DEPTH_MAX: usize = 8;

/// Most entries of one `authorization_details`.
pub const ENTRIES_MAX: usize = 32;

/// Most actions of one entry.
pub const ACTIONS_MAX: usize = 64;

/// Longest action, in bytes.
pub const ACTION_BYTES_MAX: usize = 256;

/// Most constraints of one entry.
pub const CONSTRAINTS_MAX: usize = 16;

/// Longest name of a constraint, in bytes.
pub const CONSTRAINT_NAME_BYTES_MAX: usize = 64;

/// Most values that one constraint allows.
pub const CONSTRAINT_VALUES_MAX: usize = 64;

/// Most digits of a number in a constraint.
pub const DECIMAL_DIGITS_MAX: usize = 40;

/// Most delegates that one entry names.
pub const DELEGATES_MAX: usize = 16;

/// Longest `mission_intent`, and longest `authorization_details`, in bytes.
pub const MISSION_BYTES_MAX: usize = 32_768;

/// Most items in one list of a `mission_intent`.
pub const INTENT_ITEMS_MAX: usize = 32;

// Documents that others sign.

/// Longest JWT of a foreign issuer, in bytes. Those of some clouds carry many groups.
pub const FOREIGN_JWT_BYTES_MAX: usize = 16_384;

/// Longest JWK Set of a foreign issuer, in bytes.
pub const FOREIGN_KEYS_BYTES_MAX: usize = 262_144;

/// Most keys in it.
pub const FOREIGN_KEYS_MAX: usize = 64;

/// How far the clock of a foreign issuer may be off, in seconds.
pub const FOREIGN_SKEW_SECONDS: i64 = 30;

/// Smallest and largest modulus of a foreign RSA key, in bits (NIST SP 800-57: fewer are no longer enough; more cost
/// whoever checks them more than whoever sends them).
pub const RSA_BITS_MIN: usize = 2_048;
/// See [`RSA_BITS_MIN`].
pub const RSA_BITS_MAX: usize = 8_192;

/// Most rules on the claims of a foreign issuer.
pub const CLAIM_RULES_MAX: usize = 16;

/// Longest life of a client assertion of an OAuth client, in seconds from its `iat`. It is good only in the first
/// [`ASSERTION_SECONDS_MAX`] of them, whatever it says; common libraries say an hour.
pub const CLIENT_ASSERTION_SECONDS_MAX: i64 = 3_600;

/// Longest Client ID Metadata Document, in bytes.
pub const CLIENT_DOCUMENT_BYTES_MAX: usize = 16_384;

/// Longest `client_id` that is an address, in bytes.
pub const CLIENT_ADDRESS_BYTES_MAX: usize = 1_024;

/// Longest name of an OAuth client, in bytes.
pub const CLIENT_NAME_BYTES_MAX: usize = 128;

/// Most redirect addresses of one OAuth client.
pub const REDIRECTS_MAX: usize = 16;

// Lists and events for outsiders.

/// Fewest entries of a Token Status List, so that nobody is found in a small crowd (draft-ietf-oauth-status-list
/// section 12.5.2, "herd privacy").
pub const STATUS_ENTRIES_MIN: u64 = 1 << 20;

/// Most entries of a Token Status List: 2 MiB of bits.
pub const STATUS_ENTRIES_MAX: u64 = 1 << 24;

/// Longest Token Status List Token, in bytes.
pub const STATUS_TOKEN_BYTES_MAX: usize = 4 << 20;

/// Longest life of a Token Status List Token, in seconds.
pub const STATUS_TOKEN_SECONDS_MAX: i64 = 86_400;

/// Most events in one Security Event Token.
pub const EVENTS_MAX: usize = 8;

/// How old a Security Event Token may be, in seconds: as long as a transmitter may try to deliver it.
///
/// INVARIANT: with [`FOREIGN_SKEW_SECONDS`], less than a receiver remembers its `jti`, which is a day; or an old one would be
/// taken for new.
pub const EVENT_SECONDS_MAX: i64 = 86_400 - 60;

/// Longest request for consent, sealed, in bytes. It travels in a query string.
pub const CONSENT_BYTES_MAX: usize = 16_384;

/// Longest time between a request for consent and the answer, in seconds.
pub const CONSENT_SECONDS_MAX: i64 = 900;

// Passkeys.

/// Longest id of a credential, in bytes (Web Authentication level 3, section 4).
pub const CREDENTIAL_ID_BYTES_MAX: usize = 1_023;

/// Longest account that a browser gives of a ceremony, in bytes.
pub const CLIENT_DATA_BYTES_MAX: usize = 4_096;

/// Longest attestation, in bytes: some bring a chain of certificates.
pub const ATTESTATION_BYTES_MAX: usize = 65_536;

/// Longest authenticator data of an assertion, in bytes.
pub const AUTHENTICATOR_DATA_BYTES_MAX: usize = 4_096;

/// Longest signature of a passkey, in bytes: RSA with 8,192 bits.
pub const PASSKEY_SIGNATURE_BYTES_MAX: usize = 1_024;

/// Deepest nesting of CBOR, in levels.
pub const CBOR_DEPTH_MAX: usize = 8;

/// Most values in one piece of CBOR.
pub const CBOR_VALUES_MAX: usize = 1_000;
