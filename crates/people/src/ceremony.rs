//! Ceremonies under way: a challenge that is for one purpose and one person, for a while, once.
//!
//! Nothing is kept for a ceremony that was only begun: its id carries what it is for under a MAC, so that whoever begins a million
//! crowds out nobody. What is remembered is which ones were used up, and that takes a passkey.

use std::sync::Mutex;

use remit_domain::{PersonId, Timestamp};
use remit_identity::code::OneTimeCode;
use remit_identity::{Kek, RandomnessError, ReplayCache, base64url, digest};
use serde::Serialize;
use serde_json::Value;

use crate::{PeopleError, limits};

#[cfg(test)]
mod tests;

/// What is asked of a browser, and the name under which it answers.
#[derive(Debug, Clone, Serialize)]
pub struct Ceremony {
    pub id: String,
    /// `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON` (level 3, section 5.4 and 5.5).
    pub options: Value,
}

/// What a ceremony is for. It counts for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    SignIn,
    Enrol(PersonId),
    StepUp(PersonId),
}

impl Purpose {
    fn text(self) -> String {
        match self {
            Self::SignIn => "sign-in".to_owned(),
            Self::Enrol(person) => format!("enrol {person}"),
            Self::StepUp(person) => format!("step-up {person}"),
        }
    }
}

/// A ceremony that was begun here for this purpose, and has neither ended nor been used.
#[derive(Debug)]
pub(crate) struct Begun {
    challenge: String,
    begun_at: i64,
    expires_at: i64,
}

impl Begun {
    /// What has to be signed.
    pub(crate) fn challenge(&self) -> Result<Vec<u8>, PeopleError> {
        base64url::decode(&self.challenge).map_err(|_| PeopleError::Ceremony)
    }
}

/// Begins ceremonies and knows them again, for as long as the process lives.
#[derive(Debug)]
pub(crate) struct Ceremonies {
    key: Kek,
    used: Mutex<ReplayCache>,
}

impl Ceremonies {
    pub(crate) fn generate(now: Timestamp) -> Result<Self, RandomnessError> {
        Ok(Self { key: Kek::generate()?, used: Mutex::new(ReplayCache::new(now.as_seconds())) })
    }

    /// The id and the challenge (base64url) of a new one.
    pub(crate) fn begin(&self, purpose: Purpose, now: Timestamp) -> Result<(String, String), RandomnessError> {
        let challenge = OneTimeCode::generate("")?.expose().to_owned();
        let begun_at = now.as_seconds();
        let mac = self.mac(purpose, begun_at, &challenge);
        Ok((format!("{begun_at}.{challenge}.{mac}"), challenge))
    }

    /// The ceremony `id`, if it was begun for `purpose` not too long ago.
    pub(crate) fn find(&self, id: &str, purpose: Purpose, now: Timestamp) -> Result<Begun, PeopleError> {
        if id.len() > limits::CEREMONY_ID_BYTES_MAX {
            return Err(PeopleError::Ceremony);
        }
        let mut parts = id.split('.');
        let (Some(begun_at), Some(challenge), Some(mac), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(PeopleError::Ceremony);
        };
        let begun_at: i64 = begun_at.parse().map_err(|_| PeopleError::Ceremony)?;
        let expires_at = begun_at.saturating_add_unsigned(limits::CEREMONY_SECONDS);
        let is_ours = digest::equal(self.mac(purpose, begun_at, challenge).as_bytes(), mac.as_bytes());
        if !is_ours || now.as_seconds() >= expires_at {
            return Err(PeopleError::Ceremony);
        }
        Ok(Begun { challenge: challenge.to_owned(), begun_at, expires_at })
    }

    /// Takes a ceremony that was answered well: it is not answered twice. `holder` is whose passkey it was, who alone can exhaust
    /// their share of what is remembered.
    pub(crate) fn use_up(&self, begun: &Begun, holder: PersonId, now: Timestamp) -> Result<(), PeopleError> {
        // A poisoned lock means that an insertion was cut short; refusing is the answer that cannot be wrong.
        let fresh = self.used.lock().is_ok_and(|mut used| {
            used.insert_until(&holder.to_string(), &begun.challenge, begun.begun_at, begun.expires_at, now.as_seconds())
        });
        if fresh { Ok(()) } else { Err(PeopleError::Ceremony) }
    }

    fn mac(&self, purpose: Purpose, begun_at: i64, challenge: &str) -> String {
        // None of the parts has a line break in it.
        let message = format!("remit ceremony 1\n{}\n{begun_at}\n{challenge}", purpose.text());
        base64url::encode(self.key.mac(message.as_bytes()))
    }
}
