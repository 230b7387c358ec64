//! Task tokens: what an agent carries while it works on one task. JWT access tokens as in RFC 9068, signed by the realm.
//!
//! A token says who, for which task, for whom and until when. It grants nothing by itself: every call is decided anew.

use crate::jws::{self, Header, UnverifiedJws};
use crate::ring::RingError;
use crate::{KeyRing, limits};

mod actor;
mod claims;
mod error;
#[cfg(test)]
mod tests;

pub use actor::{ActorError, ActorNode, Profile};
pub use claims::{Budget, Confirmation, Level, MayAct, MissionClaim, Status, StatusPlace, TaskClaims};
pub use error::{MintError, TokenError};

const TYPE: &str = "at+jwt";

/// Signs a token with the realm's active key.
pub fn mint(ring: &KeyRing, claims: &TaskClaims) -> Result<String, MintError> {
    if !claims.agrees() {
        return Err(MintError::Disagreement);
    }
    let life_seconds = claims.exp.saturating_sub(claims.iat);
    if !(1..=limits::TASK_TOKEN_SECONDS_MAX).contains(&life_seconds) {
        return Err(MintError::Lifetime);
    }
    let key = ring.signing()?;
    let token = jws::sign(&Header { typ: TYPE, kid: Some(key.kid()), jwk: None }, claims, key)?;
    // Whatever we sign we must be able to read: a member that is empty or too long is found here, not at the gate.
    TaskClaims::read(UnverifiedJws::parse(&token)?.own_claims())?;
    Ok(token)
}

/// What the reader of a token expects of it.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The realm's issuer identifier, compared byte for byte.
    pub issuer: &'a str,
    /// The audience that the reader is, compared byte for byte.
    pub audience: &'a str,
    /// The environment that the reader serves, if it serves one only.
    pub environment: Option<&'a str>,
}

/// A token that nobody has checked yet.
#[derive(Debug, Clone)]
pub struct UnverifiedTaskToken<'a>(UnverifiedJws<'a>);

impl<'a> UnverifiedTaskToken<'a> {
    /// Reads a token as it came, without believing it.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        UnverifiedJws::parse(token).map(Self).map_err(TokenError::from)
    }

    /// The claims, if the realm signed them and they hold for this reader at `now`.
    pub fn verify(self, ring: &KeyRing, expected: &Expected<'_>, now: i64) -> Result<TaskClaims, TokenError> {
        let claims = self.check(ring, expected.issuer, Some(expected.audience), now)?;
        if expected.environment.is_some_and(|environment| environment != claims.environment) {
            return Err(TokenError::Environment);
        }
        Ok(claims)
    }

    /// As [`UnverifiedTaskToken::verify`], whoever the token is for: for the issuer itself, which is asked about tokens
    /// and exchanges them. Never a reason to let a call through.
    pub fn verify_issued(self, ring: &KeyRing, issuer: &str, now: i64) -> Result<TaskClaims, TokenError> {
        self.check(ring, issuer, None, now)
    }

    fn check(self, ring: &KeyRing, issuer: &str, audience: Option<&str>, now: i64) -> Result<TaskClaims, TokenError> {
        // The kind first: other documents signed by the same realm must never pass for a token (RFC 8725 section 3.11).
        if !self.0.is_type(TYPE) {
            return Err(TokenError::Type);
        }
        let kid = self.0.kid().ok_or(TokenError::KeyUnknown)?.to_owned();
        let key = ring.verifying(&kid, now).ok_or(TokenError::KeyUnknown)?;
        let claims = self.0.verify(key)?;
        // An array is refused even with one member: a token for several audiences can be passed on by any of them.
        let said = claims.value("aud").and_then(serde_json::Value::as_str).ok_or(TokenError::Audience)?;
        if audience.is_some_and(|audience| audience != said) {
            return Err(TokenError::Audience);
        }
        let claims = TaskClaims { kid: Some(kid), ..TaskClaims::read(&claims)? };
        if claims.iss != issuer {
            return Err(TokenError::Issuer);
        }
        if now >= claims.exp {
            return Err(TokenError::Expired);
        }
        if claims.iat > now.saturating_add(limits::IAT_AHEAD_SECONDS_MAX) {
            return Err(TokenError::NotYetValid);
        }
        if claims.agrees() { Ok(claims) } else { Err(TokenError::Disagreement) }
    }
}

impl From<RingError> for MintError {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}
