//! One key of a realm.

use serde_json::Value;

use super::{KeyState, Purpose, RingError};
use crate::key::KeyError;
use crate::x509::{self, Authority};
use crate::{Pkcs8, PublicJwk, SigningKey, SpiffeId};

/// One key of a realm.
#[derive(Debug)]
pub struct RealmKey {
    pub(super) public: PublicJwk,
    pub(super) kid: String,
    pub(super) state: KeyState,
    pub(super) created_at: i64,
    pub(super) since: i64,
    pub(super) verifies_until: Option<i64>,
    /// INVARIANT: there exactly where the key is that of an authority, and of the same public key.
    pub(super) authority: Option<Authority>,
    /// INVARIANT: there exactly while the key is prepared or active.
    pub(super) private: Option<Private>,
}

#[derive(Debug)]
pub(super) struct Private {
    pub signing: SigningKey,
    pub pkcs8: Pkcs8,
}

impl RealmKey {
    pub(super) fn generate_token(state: KeyState, now: i64) -> Result<Self, KeyError> {
        let (signing, pkcs8) = SigningKey::generate()?;
        Ok(Self {
            public: signing.public().clone(),
            kid: signing.kid().to_owned(),
            state,
            created_at: now,
            since: now,
            verifies_until: None,
            authority: None,
            private: Some(Private { signing, pkcs8 }),
        })
    }

    pub(super) fn generate_authority(domain: &SpiffeId, state: KeyState, now: i64) -> Result<Self, RingError> {
        let mut key = Self::generate_token(state, now)?;
        let signing = key.signing().ok_or(KeyError::Generate)?;
        let certificate = x509::self_signed(signing, domain, now)?;
        key.authority = Some(Authority::read(&certificate).map_err(|_| KeyError::Certificate)?);
        Ok(key)
    }

    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        if self.authority.is_some() { Purpose::Ca } else { Purpose::Token }
    }

    /// The name of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its public part.
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// Where it stands.
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// When it was made, in seconds since 1970.
    pub fn created_at(&self) -> i64 {
        self.created_at
    }

    /// Since when it stands where it does, in seconds since 1970.
    pub fn since(&self) -> i64 {
        self.since
    }

    /// Until when it verifies, in seconds since 1970, if it is retired.
    pub fn verifies_until(&self) -> Option<i64> {
        self.verifies_until
    }

    /// Its certificate, if it is the key of the realm's authority.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// What others may know of the key, for the ledger: a JWK with `kid` and `alg`, and for an authority its certificate
    /// in `x5c` instead.
    pub fn to_public_value(&self) -> Value {
        match &self.authority {
            Some(authority) => crate::bundle::x509_jwk(authority),
            None => self.to_jwk(),
        }
    }

    pub(super) fn to_jwk(&self) -> Value {
        let mut jwk = self.public.to_value();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), self.kid.as_str().into());
            members.insert("alg".to_owned(), "ES256".into());
            members.insert("use".to_owned(), "sig".into());
        }
        jwk
    }

    pub(super) fn signing(&self) -> Option<&SigningKey> {
        self.private.as_ref().map(|private| &private.signing)
    }

    pub(super) fn verifies(&self, now: i64) -> bool {
        let expired = self.authority.as_ref().is_some_and(|authority| now > authority.not_after());
        !expired
            && match self.state {
                // Prepared too: another node may have made it active before this one has heard of it.
                KeyState::Prepared | KeyState::Active => true,
                KeyState::Retired => self.verifies_until.is_some_and(|until| now < until),
                KeyState::Revoked => false,
            }
    }

    /// The last moment up to `now` at which what the key verifies changed.
    pub(super) fn changed_at(&self, now: i64) -> i64 {
        let expiry = self.authority.as_ref().map(|authority| authority.not_after().saturating_add(1));
        let ends = [self.verifies_until, expiry].into_iter().flatten().filter(|&end| end <= now);
        ends.fold(self.since, i64::max)
    }
}
