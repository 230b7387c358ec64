//! Why a foreign document was refused.

use crate::json::JsonError;
use crate::limits;

/// Why a foreign document was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    #[error("the token is longer than {} bytes", limits::FOREIGN_JWT_BYTES_MAX)]
    TooLong,
    #[error("the token is not three parts of base64url with dots between them")]
    Parts,
    #[error("the header of the token cannot be used: {0}")]
    Header(JsonError),
    #[error("the token is signed with an algorithm other than RS, PS and ES with 256, 384 or 512 bits")]
    Algorithm,
    #[error("the header of the token demands an extension with `crit`, and none is supported")]
    Critical,
    #[error("this is not a token of the kind that belongs here")]
    Type,
    #[error("the issuer publishes no key of the name that the token gives")]
    KeyUnknown,
    #[error("the key of the token is not made for the algorithm that the token names")]
    KeyUse,
    #[error("the signature of the token does not match")]
    Signature,
    #[error("the claims of the token cannot be used: {0}")]
    Claims(JsonError),
    #[error("the token comes from another issuer")]
    Issuer,
    #[error("the token is not for this audience alone")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the claim `{0}` is missing, or is not what the rules of this issuer ask for")]
    Rule(String),
}

impl ForeignError {
    /// A short name that never changes, for records and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong | Self::Parts | Self::Header(_) | Self::Critical | Self::Claims(_) => "foreign_malformed",
            Self::Algorithm => "foreign_algorithm",
            Self::Type => "foreign_type",
            Self::KeyUnknown => "foreign_key_unknown",
            Self::KeyUse => "foreign_key_use",
            Self::Signature => "foreign_signature",
            Self::Issuer => "foreign_issuer",
            Self::Audience => "foreign_audience",
            Self::Expired => "foreign_expired",
            Self::NotYetValid => "foreign_not_yet_valid",
            Self::Rule(_) => "foreign_rule",
        }
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::KeyUnknown => "read the keys of the issuer again; they may have been rotated",
            Self::Audience => "ask the issuer for a token with this realm as its only audience",
            Self::Expired | Self::NotYetValid => "get a new token, and set the clocks of both machines right",
            Self::Rule(_) => "compare the claims of the token with the rules in the configuration",
            _ => "send the token exactly as its issuer made it",
        }
    }
}
