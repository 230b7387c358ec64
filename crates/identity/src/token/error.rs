//! Why a task token was refused, or not made.

use super::actor::ActorError;
use super::claims::ClaimsError;
use crate::jws::JwsError;
use crate::limits;
use crate::mission::MissionError;
use crate::ring::RingError;

/// Why a token was not made. This is the house's own fault, or a limit that its caller overstepped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    #[error("the parties, the environment or the end of a task token do not fit together")]
    Disagreement,
    #[error("a task token lives from 1 to {} seconds", limits::TASK_TOKEN_SECONDS_MAX)]
    Lifetime,
    #[error(transparent)]
    Ring(RingError),
    #[error(transparent)]
    Jws(#[from] JwsError),
    #[error(transparent)]
    Actor(ActorError),
    #[error(transparent)]
    Mission(MissionError),
}

impl From<ClaimsError> for MintError {
    fn from(error: ClaimsError) -> Self {
        match error {
            ClaimsError::Json(error) => Self::Jws(JwsError::Claims(error)),
            ClaimsError::Actor(error) => Self::Actor(error),
            ClaimsError::Mission(error) => Self::Mission(error),
        }
    }
}

/// Why a token was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the task token cannot be read: {0}")]
    Malformed(JwsError),
    #[error("the task token is not signed with ES256")]
    Algorithm,
    #[error("this is not a task token but another kind of document")]
    Type,
    #[error("the task token is signed with a key that this realm does not have, or has no longer")]
    KeyUnknown,
    #[error("the signature of the task token does not match")]
    Signature,
    #[error("the task token comes from another issuer")]
    Issuer,
    #[error("the task token is not for this audience alone")]
    Audience,
    #[error("the task token has expired")]
    Expired,
    #[error("the task token was issued in the future")]
    NotYetValid,
    #[error("the task token contradicts itself about its parties, its environment or its end")]
    Disagreement,
    #[error("the task token is for another environment")]
    Environment,
    #[error("the task token cannot be used: {0}")]
    Actor(ActorError),
    #[error("the authority in the task token cannot be used: {0}")]
    Mission(MissionError),
}

impl From<ClaimsError> for TokenError {
    fn from(error: ClaimsError) -> Self {
        match error {
            ClaimsError::Json(error) => Self::Malformed(JwsError::Claims(error)),
            ClaimsError::Actor(error) => Self::Actor(error),
            ClaimsError::Mission(error) => Self::Mission(error),
        }
    }
}

impl TokenError {
    /// A short name that never changes, for records and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Disagreement => "token_malformed",
            Self::Algorithm => "token_algorithm",
            Self::Type => "token_type",
            Self::KeyUnknown => "token_key_unknown",
            Self::Signature => "token_signature",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Environment => "token_environment",
            Self::Actor(ActorError::TooDeep) => "token_actor_depth",
            Self::Actor(_) => "token_actor",
            Self::Mission(_) => "token_authority",
        }
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Expired | Self::KeyUnknown => "ask for a new task token",
            Self::NotYetValid => "set the clocks of both machines right",
            Self::Issuer | Self::Audience | Self::Environment => "use the token where it was issued for",
            Self::Malformed(_)
            | Self::Algorithm
            | Self::Type
            | Self::Signature
            | Self::Disagreement
            | Self::Actor(_)
            | Self::Mission(_) => "send the task token exactly as Remit issued it",
        }
    }
}

impl From<JwsError> for TokenError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Algorithm => Self::Algorithm,
            JwsError::Signature => Self::Signature,
            other => Self::Malformed(other),
        }
    }
}
