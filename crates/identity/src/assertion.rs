//! Client assertions: how an agent proves itself to the token endpoint with its own key (`private_key_jwt`, RFC 7523 as
//! updated by draft-ietf-oauth-rfc7523bis-11).
//!
//! The audience is the issuer identifier, alone. An assertion for an endpoint's address, or for several audiences, could
//! be passed on by a malicious server to an honest one; that is what the update is about.

use serde::Serialize;

use crate::foreign::{ForeignError, ForeignJwt, KeySet};
use crate::json::{JsonError, Members};
use crate::jws::{self, Header, JwsError, UnverifiedJws};
use crate::{PublicJwk, SigningKey, limits};

#[cfg(test)]
mod tests;

/// The explicit type that the update asks for. Older clients say `JWT` or nothing, which is accepted; the name of any
/// other kind of document is not.
const TYPE: &str = "client-authentication+jwt";

/// What an assertion says. `iss` and `sub` are both `client`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionClaims {
    /// The client: the agent's SPIFFE ID.
    pub client: String,
    /// The issuer identifier of the realm.
    pub aud: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// The assertion's own name. It is good for one use: give it, with `client` and `iat`, to the [`crate::ReplayCache`].
    pub jti: String,
}

#[derive(Serialize)]
struct Wire<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
}

/// Why an assertion was refused. OAuth knows one error for all of these, `invalid_client` (RFC 7521 section 4.2.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    #[error("the client assertion cannot be read: {0}")]
    Malformed(JwsError),
    #[error("this is not a client assertion but another kind of document")]
    Type,
    #[error("the signature of the client assertion does not match the client's key")]
    Signature,
    #[error("the issuer and the subject of the client assertion are not both the client")]
    Client,
    #[error("the client assertion is not for this issuer alone")]
    Audience,
    #[error("the client assertion has expired")]
    Expired,
    #[error("the client assertion was issued in the future")]
    NotYetValid,
    #[error("the client assertion lives longer than one may")]
    Lifetime,
    #[error("the client assertion was made more than {} seconds ago", limits::ASSERTION_SECONDS_MAX)]
    Old,
    /// Of an OAuth client, held against the keys that it publishes.
    #[error("the client assertion cannot be used: {0}")]
    Foreign(ForeignError),
    /// Said by whoever asked the [`crate::ReplayCache`].
    #[error("the client assertion has been used before, or is older than this process")]
    Replay,
}

impl AssertionError {
    /// A short name that never changes, for records and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "assertion_malformed",
            Self::Type => "assertion_type",
            Self::Signature => "assertion_signature",
            Self::Client => "assertion_client",
            Self::Audience => "assertion_audience",
            Self::Expired => "assertion_expired",
            Self::NotYetValid => "assertion_not_yet_valid",
            Self::Lifetime => "assertion_lifetime",
            Self::Old => "assertion_old",
            Self::Foreign(_) => "assertion_malformed",
            Self::Replay => "assertion_replay",
        }
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Audience => "set `aud` to the issuer identifier, as one text and not a list",
            Self::Expired | Self::NotYetValid | Self::Old => {
                "make a new assertion, and set the clocks of both machines right"
            }
            Self::Lifetime => "set `exp` to at most a minute after `iat`",
            Self::Replay => "make a new assertion for each request",
            Self::Malformed(_) | Self::Type | Self::Signature | Self::Client => {
                "sign with the client's own key, and set `iss` and `sub` to the client: for an agent, its SPIFFE ID"
            }
            Self::Foreign(error) => error.help(),
        }
    }
}

impl From<JwsError> for AssertionError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Signature => Self::Signature,
            other => Self::Malformed(other),
        }
    }
}

/// Makes an assertion, as a client.
pub fn make(key: &SigningKey, claims: &AssertionClaims) -> Result<String, JwsError> {
    let AssertionClaims { client, aud, exp, iat, jti } = claims;
    let wire = Wire { iss: client, sub: client, aud, exp: *exp, iat: *iat, jti };
    jws::sign(&Header { typ: TYPE, kid: Some(key.kid()), jwk: None }, &wire, key)
}

/// What the realm expects of an assertion.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The client whose key is used to verify.
    pub client: &'a str,
    /// The realm's issuer identifier, compared byte for byte.
    pub issuer: &'a str,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// An assertion that nobody has checked yet.
#[derive(Debug, Clone)]
pub struct UnverifiedAssertion<'a>(UnverifiedJws<'a>);

impl<'a> UnverifiedAssertion<'a> {
    /// Reads an assertion as it came, without believing it.
    pub fn parse(assertion: &'a str) -> Result<Self, AssertionError> {
        let assertion = UnverifiedJws::parse(assertion)?;
        if assertion.is_type(TYPE) || matches!(assertion.typ(), None | Some("JWT")) {
            Ok(Self(assertion))
        } else {
            Err(AssertionError::Type)
        }
    }

    /// Who the sender says to be, for looking up the key and nothing else.
    pub fn claimed_client(&self) -> Result<&str, AssertionError> {
        Ok(self.0.unproved_text("sub")?)
    }

    /// The claims, if the client's `key` signed them and they hold for this realm now.
    pub fn verify(self, key: &PublicJwk, expect: &Expect<'_>) -> Result<AssertionClaims, AssertionError> {
        check(&self.0.verify(key)?, expect, limits::ASSERTION_SECONDS_MAX)
    }
}

/// An assertion of an OAuth client, such as one with a Client ID Metadata Document, that nobody has checked yet. It may be
/// signed with whatever its published keys are for.
#[derive(Debug, Clone)]
pub struct UnverifiedClientAssertion<'a>(ForeignJwt<'a>);

impl<'a> UnverifiedClientAssertion<'a> {
    /// Reads an assertion as it came, without believing it.
    pub fn parse(assertion: &'a str) -> Result<Self, AssertionError> {
        let assertion = ForeignJwt::parse(assertion)?;
        if matches!(assertion.typ(), None | Some("JWT" | TYPE)) {
            Ok(Self(assertion))
        } else {
            Err(AssertionError::Type)
        }
    }

    /// Who the sender says to be, for looking up the keys and nothing else.
    pub fn claimed_client(&self) -> Result<&str, AssertionError> {
        Ok(self.0.claimed("sub")?)
    }

    /// The claims, if one of the client's `keys` signed them and they hold for this realm now. The client's library may
    /// write a later end; the assertion is good for its first minute only, as long as a replay of it is noticed.
    pub fn verify(self, keys: &KeySet, expect: &Expect<'_>) -> Result<AssertionClaims, AssertionError> {
        let claims = check(&self.0.signed_by(keys)?, expect, limits::CLIENT_ASSERTION_SECONDS_MAX)?;
        if expect.now.saturating_sub(claims.iat) > limits::ASSERTION_SECONDS_MAX {
            return Err(AssertionError::Old);
        }
        Ok(claims)
    }
}

impl From<ForeignError> for AssertionError {
    fn from(error: ForeignError) -> Self {
        match error {
            ForeignError::Signature => Self::Signature,
            other => Self::Foreign(other),
        }
    }
}

/// What holds for every assertion, whoever signed it. The signature was checked before.
fn check(claims: &Members, expect: &Expect<'_>, seconds_max: i64) -> Result<AssertionClaims, AssertionError> {
    // The issuer, as one text: neither an endpoint's address nor a list, even of one.
    if claims.value("aud").is_none_or(|audience| audience.as_str() != Some(expect.issuer)) {
        return Err(AssertionError::Audience);
    }
    let not_before = claims.optional_seconds("nbf").map_err(unusable)?;
    let claims = read(claims, expect.client)?;
    if claims.exp <= expect.now {
        return Err(AssertionError::Expired);
    }
    let late = |time: i64| time > expect.now.saturating_add(limits::IAT_AHEAD_SECONDS_MAX);
    if late(claims.iat) || not_before.is_some_and(late) {
        return Err(AssertionError::NotYetValid);
    }
    if claims.exp > claims.iat.saturating_add(seconds_max) {
        return Err(AssertionError::Lifetime);
    }
    Ok(claims)
}

fn unusable(error: JsonError) -> AssertionError {
    AssertionError::Malformed(JwsError::Claims(error))
}

fn read(claims: &Members, client: &str) -> Result<AssertionClaims, AssertionError> {
    if claims.text("iss").map_err(unusable)? != client || claims.text("sub").map_err(unusable)? != client {
        return Err(AssertionError::Client);
    }
    Ok(AssertionClaims {
        client: client.to_owned(),
        aud: claims.text("aud").map_err(unusable)?.to_owned(),
        exp: claims.seconds("exp").map_err(unusable)?,
        iat: claims.seconds("iat").map_err(unusable)?,
        jti: claims.jti().map_err(unusable)?.to_owned(),
    })
}
