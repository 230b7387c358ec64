//! Task tokens: what an agent carries while it works on one task. JWT access tokens as in RFC 9068, signed by the realm.
//!
//! A token says who, for which task, for whom and until when. It grants nothing by itself: every call is decided anew.

use serde::Serialize;

use crate::json::{JsonError, Members};
use crate::jws::{self, Header, JwsError, UnverifiedJws};
use crate::ring::RingError;
use crate::{KeyRing, SpiffeId, limits};

mod error;
#[cfg(test)]
mod tests;

pub use error::{MintError, TokenError};

const TYPE: &str = "at+jwt";

/// What a task token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskClaims {
    /// The issuer identifier of the realm.
    pub iss: String,
    /// The agent: `spiffe://DOMAIN/agent/NAME/ENVIRONMENT`, or one of its runs.
    pub sub: String,
    /// The one audience that the token is for.
    pub aud: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// The token's own name.
    pub jti: String,
    /// The OAuth client, which is the agent: always equal to `sub` (RFC 9068 section 2.2).
    pub client_id: String,
    /// The task.
    pub task: String,
    /// The run of the agent.
    pub run: String,
    /// The agent's id.
    pub agent: String,
    /// The person that the agent acts for, if anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<String>,
    /// The environment, as in `sub`.
    pub environment: String,
    /// The key that the holder must prove, if the token is bound to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The key to which a token is bound (RFC 9449 section 6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// Thumbprint of the key (RFC 7638).
    pub jkt: String,
}

impl TaskClaims {
    fn read(claims: &Members) -> Result<Self, JsonError> {
        let text = |name| claims.text(name).map(str::to_owned);
        let cnf = claims.optional_object("cnf")?;
        let cnf = cnf.map(|cnf| cnf.text("jkt").map(|jkt| Confirmation { jkt: jkt.to_owned() })).transpose()?;
        Ok(Self {
            iss: text("iss")?,
            sub: text("sub")?,
            aud: text("aud")?,
            exp: claims.seconds("exp")?,
            iat: claims.seconds("iat")?,
            jti: claims.jti()?.to_owned(),
            client_id: text("client_id")?,
            task: text("task")?,
            run: text("run")?,
            agent: text("agent")?,
            acting_for: claims.optional_text("acting_for")?.map(str::to_owned),
            environment: text("environment")?,
            cnf,
        })
    }

    /// Whether the members that say the same thing agree: client and subject, environment and subject.
    fn agrees(&self) -> bool {
        let subject = SpiffeId::parse(&self.sub).ok();
        let environment = subject.as_ref().and_then(SpiffeId::agent_name).map(|agent| agent.environment);
        self.client_id == self.sub && environment == Some(self.environment.as_str())
    }
}

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
    TaskClaims::read(&UnverifiedJws::parse(&token)?.verify(key.public())?).map_err(JwsError::Claims)?;
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
        // The kind first: other documents signed by the same realm must never pass for a token (RFC 8725 section 3.11).
        if !self.0.is_type(TYPE) {
            return Err(TokenError::Type);
        }
        let kid = self.0.kid().ok_or(TokenError::KeyUnknown)?;
        let key = ring.verifying(kid, now).ok_or(TokenError::KeyUnknown)?;
        let claims = self.0.verify(key)?;
        // An array is refused even with one member: a token for several audiences can be passed on by any of them.
        if claims.value("aud").is_none_or(|audience| audience.as_str() != Some(expected.audience)) {
            return Err(TokenError::Audience);
        }
        let claims = TaskClaims::read(&claims).map_err(|error| TokenError::Malformed(JwsError::Claims(error)))?;
        if claims.iss != expected.issuer {
            return Err(TokenError::Issuer);
        }
        if now >= claims.exp {
            return Err(TokenError::Expired);
        }
        if claims.iat > now.saturating_add(limits::IAT_AHEAD_SECONDS_MAX) {
            return Err(TokenError::NotYetValid);
        }
        if !claims.agrees() {
            return Err(TokenError::Disagreement);
        }
        if expected.environment.is_some_and(|environment| environment != claims.environment) {
            return Err(TokenError::Environment);
        }
        Ok(claims)
    }
}

impl From<RingError> for MintError {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}
