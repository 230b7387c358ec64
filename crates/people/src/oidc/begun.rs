//! What a browser keeps while its person is at the provider, sealed: nothing is kept here for a sign-in that was only begun, so
//! that whoever begins a million crowds out nobody.

use remit_identity::code::OneTimeCode;
use remit_identity::{Kek, base64url};
use serde::{Deserialize, Serialize};

use super::{OidcError, limits};

const SEALED_FOR: &[u8] = b"sign-in at an identity provider, version 1";

/// A sign-in on its way.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begun {
    pub state: String,
    pub nonce: String,
    /// The secret of PKCE (RFC 7636 section 4.1): 43 characters.
    pub verifier: String,
    pub next: String,
    /// In seconds since 1970.
    pub begun_at: i64,
}

impl Begun {
    pub(super) fn new(next: &str, now: i64) -> Result<Self, OidcError> {
        let random = || OneTimeCode::generate("").map(|code| code.expose().to_owned());
        let next = if next.len() <= limits::NEXT_BYTES_MAX { next } else { "/" };
        Ok(Self { state: random()?, nonce: random()?, verifier: random()?, next: next.to_owned(), begun_at: now })
    }

    /// For the browser, which can neither read nor change it.
    pub(super) fn seal(&self, key: &Kek) -> Result<String, OidcError> {
        let plain = serde_json::to_vec(self).map_err(|_| OidcError::NotBegun)?;
        Ok(base64url::encode(key.seal(SEALED_FOR, &plain)?))
    }

    /// What was sealed, if it was here and not too long ago.
    pub(super) fn open(key: &Kek, binding: &str, now: i64) -> Option<Self> {
        if binding.len() > limits::BINDING_BYTES_MAX {
            return None;
        }
        let plain = key.open(SEALED_FOR, &base64url::decode(binding).ok()?).ok()?;
        let begun: Self = serde_json::from_slice(&plain).ok()?;
        (now < begun.begun_at.saturating_add(limits::SIGN_IN_SECONDS_MAX)).then_some(begun)
    }
}
