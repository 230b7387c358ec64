//! Why a proof of possession was refused, or not made.

use crate::htu::AddressError;
use crate::jws::JwsError;
use crate::limits;

/// Why a proof was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MakeProofError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Jws(#[from] JwsError),
}

/// Why a proof was refused. OAuth knows one error for all of these, `invalid_dpop_proof` (RFC 9449 section 5).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    #[error("the proof of possession cannot be read: {0}")]
    Malformed(JwsError),
    #[error("the proof of possession is not signed with ES256")]
    Algorithm,
    #[error("this is not a proof of possession but another kind of document")]
    Type,
    #[error("the proof of possession does not carry a public P-256 key")]
    Key,
    #[error("the signature of the proof of possession does not match its key")]
    Signature,
    #[error("the proof of possession is for another method")]
    Method,
    #[error("the proof of possession is for another address")]
    Address,
    #[error("the proof of possession was not made within {} seconds of now", limits::DPOP_WINDOW_SECONDS)]
    Stale,
    #[error("the proof of possession is not for this token")]
    Token,
    #[error("the proof of possession was made with another key than the token is bound to")]
    Binding,
    /// Said by whoever asked the [`crate::ReplayCache`].
    #[error("the proof of possession has been used before, or is older than this process")]
    Replay,
}

impl DpopError {
    /// A short name that never changes, for records and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "dpop_malformed",
            Self::Algorithm => "dpop_algorithm",
            Self::Type => "dpop_type",
            Self::Key => "dpop_key",
            Self::Signature => "dpop_signature",
            Self::Method => "dpop_method",
            Self::Address => "dpop_address",
            Self::Stale => "dpop_stale",
            Self::Token => "dpop_token",
            Self::Binding => "dpop_binding",
            Self::Replay => "dpop_replay",
        }
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Stale => "make a new proof for each request, and set the clocks of both machines right",
            Self::Replay => "make a new proof for each request",
            Self::Binding => "sign with the key that the token was issued to",
            Self::Key => "put the public part of the signing key into the header as `jwk`",
            _ => "make the proof for exactly this method, address and token, as RFC 9449 section 4.2 says",
        }
    }
}

impl From<JwsError> for DpopError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Algorithm => Self::Algorithm,
            JwsError::Key(_) => Self::Key,
            JwsError::Signature => Self::Signature,
            other => Self::Malformed(other),
        }
    }
}
