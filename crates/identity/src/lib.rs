//! Proves who is calling and mints what they may carry: keys, task tokens, proofs of possession, sealed secrets.
//!
//! Architecture invariant: no async, no I/O and no clock is here, and no other crate of the house is known. `now` is
//! always an argument in seconds since 1970; randomness comes from the cryptographic library, and only to make keys,
//! codes, nonces and signatures. Cryptography is `aws-lc-rs` alone. There is one signature algorithm, ES256, and no
//! document that we read can choose another; documents that others sign for themselves ([`foreign`], [`webauthn`])
//! choose among few.

pub mod assertion;
pub mod base64url;
pub mod bundle;
pub mod cimd;
pub mod code;
pub mod consent;
pub mod data_key;
pub mod digest;
pub mod dpop;
pub mod enrol;
pub mod foreign;
pub mod htu;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod jwt_svid;
pub mod key;
pub mod limits;
pub mod mission;
mod random;
pub mod receipt;
pub mod replay;
pub mod ring;
pub mod seal;
pub mod secevent;
pub mod spiffe_id;
pub mod status_list;
pub mod token;
pub mod verifying_key;
pub mod webauthn;
pub mod x509;

pub use bundle::Bundle;
pub use data_key::{Committer, DataKey};
pub use jwk::PublicJwk;
pub use key::{Pkcs8, SigningKey};
pub use random::RandomnessError;
pub use replay::ReplayCache;
pub use ring::{KeyRing, KeyState, Purpose};
pub use seal::Kek;
pub use spiffe_id::SpiffeId;
pub use token::{TaskClaims, TokenError, UnverifiedTaskToken};
pub use verifying_key::VerifyingKey;
