//! Security events: what one house tells another about a session, an account or a credential (Security Event Token,
//! RFC 8417; CAEP 1.0 and Shared Signals Framework 1.0).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::foreign::{self, Expect, ForeignError, ForeignJwt, KeySet};
use crate::json::{JsonError, Members};
use crate::jws::{self, Header, JwsError};
use crate::ring::RingError;
use crate::{KeyRing, limits};

#[cfg(test)]
mod tests;

const TYPE: &str = "secevent+jwt";

/// The media type of a Security Event Token.
pub const MEDIA_TYPE: &str = "application/secevent+jwt";

/// The names of events.
pub mod event_type {
    /// A session has ended (CAEP 1.0 section 3.1).
    pub const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    /// Claims of a token have changed (CAEP 1.0 section 3.2).
    pub const TOKEN_CLAIMS_CHANGE: &str = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change";
    /// A credential was made, changed or taken away (CAEP 1.0 section 3.3).
    pub const CREDENTIAL_CHANGE: &str = "https://schemas.openid.net/secevent/caep/event-type/credential-change";
    /// Somebody signed in more or less strongly than before (CAEP 1.0 section 3.4).
    pub const ASSURANCE_LEVEL_CHANGE: &str =
        "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change";
    /// A device does or does not keep to the rules (CAEP 1.0 section 3.5).
    pub const DEVICE_COMPLIANCE_CHANGE: &str =
        "https://schemas.openid.net/secevent/caep/event-type/device-compliance-change";
    /// Somebody is thought to be more or less of a risk.
    pub const RISK_LEVEL_CHANGE: &str = "https://schemas.openid.net/secevent/caep/event-type/risk-level-change";
    /// An account was disabled (RISC 1.0).
    pub const ACCOUNT_DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
    /// An account was enabled again (RISC 1.0).
    pub const ACCOUNT_ENABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-enabled";
    /// An account was deleted for good (RISC 1.0).
    pub const ACCOUNT_PURGED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-purged";
    /// The stream itself is tried out (SSF 1.0 section 8.1.4).
    pub const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

    /// The ones that end something.
    pub const ENDING: [&str; 3] = [SESSION_REVOKED, ACCOUNT_DISABLED, ACCOUNT_PURGED];
}

/// Whom an event is about (RFC 9493).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum SubjectId {
    /// A subject of an issuer.
    IssSub { iss: String, sub: String },
    /// A mail address.
    Email { email: String },
    /// A name that only the two houses know.
    Opaque { id: String },
}

/// A Security Event Token's claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecurityEvent {
    /// Who tells.
    pub iss: String,
    /// Whom it is told.
    pub aud: String,
    /// When it was told, in seconds since 1970.
    pub iat: i64,
    /// The token's own name. It is to be heeded once.
    pub jti: String,
    /// Whom it is about.
    pub sub_id: SubjectId,
    /// What happened, by the name of the event.
    pub events: BTreeMap<String, Value>,
}

/// Why an event was refused, or not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("this is not a security event but another kind of document")]
    Type,
    #[error("the security event cannot be used: {0}")]
    Token(ForeignError),
    #[error("the security event has the claim `{0}`, which belongs to tokens that grant something")]
    Misplaced(&'static str),
    #[error("the security event does not name between 1 and {} events by their addresses", limits::EVENTS_MAX)]
    Events,
    #[error("the subject of the security event is not given as `iss_sub`, `email` or `opaque`")]
    Subject,
    #[error("the security event was made in the future")]
    NotYetValid,
    #[error("the security event is more than {} seconds old", limits::EVENT_SECONDS_MAX)]
    Old,
    #[error(transparent)]
    Ring(#[from] RingError),
    #[error(transparent)]
    Jws(#[from] JwsError),
}

impl EventError {
    /// The error code for the answer to a pushed event (RFC 8935 section 2.4).
    pub fn delivery_code(&self) -> &'static str {
        match self {
            Self::Token(ForeignError::Issuer) => "invalid_issuer",
            Self::Token(ForeignError::Audience) => "invalid_audience",
            Self::Token(ForeignError::KeyUnknown | ForeignError::KeyUse | ForeignError::Signature) => "invalid_key",
            _ => "invalid_request",
        }
    }
}

impl From<ForeignError> for EventError {
    fn from(error: ForeignError) -> Self {
        Self::Token(error)
    }
}

impl From<JsonError> for EventError {
    fn from(error: JsonError) -> Self {
        Self::Token(ForeignError::Claims(error))
    }
}

/// Signs an event with the realm's active key.
pub fn mint(ring: &KeyRing, event: &SecurityEvent) -> Result<String, EventError> {
    if !(1..=limits::EVENTS_MAX).contains(&event.events.len()) {
        return Err(EventError::Events);
    }
    let key = ring.signing()?;
    Ok(jws::sign(&Header { typ: TYPE, kid: Some(key.kid()), jwk: None }, event, key)?)
}

/// An event that nobody has checked yet.
#[derive(Debug, Clone)]
pub struct UnverifiedEvent<'a>(ForeignJwt<'a>);

impl<'a> UnverifiedEvent<'a> {
    /// Reads an event as it came, without believing it.
    pub fn parse(token: &'a str) -> Result<Self, EventError> {
        let token = ForeignJwt::parse(token)?;
        // Required by SSF 1.0, so that no other token of the same issuer passes for an event.
        if token.typ() == Some(TYPE) { Ok(Self(token)) } else { Err(EventError::Type) }
    }

    /// Who says to have sent it, for looking up the keys and nothing else.
    pub fn claimed_issuer(&self) -> Result<&str, EventError> {
        Ok(self.0.claimed("iss")?)
    }

    /// The event, if the transmitter signed it for this receiver. That it is new is for whoever remembers `jti`.
    pub fn verify(self, keys: &KeySet, expect: &Expect<'_>) -> Result<SecurityEvent, EventError> {
        let claims = self.0.signed_by(keys)?;
        foreign::check_parties(&claims, expect)?;
        // SSF 1.0 forbids both; an event that carries them could be shown somewhere as a token.
        for name in ["sub", "exp"] {
            if claims.value(name).is_some() {
                return Err(EventError::Misplaced(name));
            }
        }
        let iat = claims.seconds("iat")?;
        if iat > expect.now.saturating_add(limits::FOREIGN_SKEW_SECONDS) {
            return Err(EventError::NotYetValid);
        }
        if expect.now.saturating_sub(iat) > limits::EVENT_SECONDS_MAX {
            return Err(EventError::Old);
        }
        Ok(SecurityEvent {
            iss: expect.issuer.to_owned(),
            aud: expect.audience.to_owned(),
            iat,
            jti: claims.jti()?.to_owned(),
            sub_id: read_subject(&claims.object("sub_id")?)?,
            events: read_events(&claims)?,
        })
    }
}

fn read_subject(members: &Members) -> Result<SubjectId, EventError> {
    let text = |name| members.text(name).map(str::to_owned);
    match members.text("format")? {
        "iss_sub" => Ok(SubjectId::IssSub { iss: text("iss")?, sub: text("sub")? }),
        "email" => Ok(SubjectId::Email { email: text("email")? }),
        "opaque" => Ok(SubjectId::Opaque { id: text("id")? }),
        _ => Err(EventError::Subject),
    }
}

fn read_events(claims: &Members) -> Result<BTreeMap<String, Value>, EventError> {
    let events = claims.value("events").and_then(Value::as_object).ok_or(EventError::Events)?;
    let good = |(name, event): (&String, &Value)| {
        (1..=limits::MEMBER_BYTES_MAX).contains(&name.len()) && name.contains(':') && event.is_object()
    };
    if !(1..=limits::EVENTS_MAX).contains(&events.len()) || !events.iter().all(good) {
        return Err(EventError::Events);
    }
    Ok(events.iter().map(|(name, event)| (name.clone(), event.clone())).collect())
}
