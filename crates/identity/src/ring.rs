//! The keys of a realm, and how one follows another without a token failing in between.
//!
//! A key is *prepared* (published, so that verifiers know it), then *active* (it signs), then *retired* (it only
//! verifies, until the last token that it signed has ended). A *revoked* key stops at once. The private part is wiped as
//! soon as a key no longer signs.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::key::KeyError;
use crate::seal::SealError;
use crate::{Pkcs8, PublicJwk, SigningKey, limits};

mod sealed;
#[cfg(test)]
mod tests;

/// Where a realm key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published and accepted, but does not sign yet.
    Prepared,
    /// Signs. At most one key of a ring is active.
    Active,
    /// Signs no more; verifies until its time is over.
    Retired,
    /// Neither signs nor verifies.
    Revoked,
}

/// Why the ring would not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    #[error("no key of this realm is active, so nothing can be signed")]
    NoActiveKey,
    #[error("no key of this realm is prepared, so none can become active")]
    NothingPrepared,
    #[error("the realm has no key `{0}`")]
    UnknownKey(String),
    #[error("the realm holds {} keys, which is as many as it may", limits::RING_KEYS_MAX)]
    Full,
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl RingError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoActiveKey | Self::NothingPrepared => "prepare a key, then activate it",
            Self::UnknownKey(_) => "the realm's key set lists the keys that there are",
            Self::Full => "wait until a retired key's time is over, or revoke one",
            Self::Key(_) => "try again; if it stays, look at the machine",
        }
    }
}

/// Why a sealed ring did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the sealed keys are of an unknown version `{0}`")]
    Version(u8),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("the sealed keys opened, but what is inside is damaged")]
    Malformed,
}

/// One key of a realm.
#[derive(Debug)]
pub struct RealmKey {
    public: PublicJwk,
    kid: String,
    state: KeyState,
    created_at: i64,
    verifies_until: Option<i64>,
    private: Option<Private>,
}

/// INVARIANT: a key has its private part exactly while it is prepared or active.
#[derive(Debug)]
struct Private {
    signing: SigningKey,
    pkcs8: Pkcs8,
}

impl RealmKey {
    fn generate(state: KeyState, now: i64) -> Result<Self, KeyError> {
        let (signing, pkcs8) = SigningKey::generate()?;
        let (public, kid) = (signing.public().clone(), signing.kid().to_owned());
        let private = Some(Private { signing, pkcs8 });
        Ok(Self { public, kid, state, created_at: now, verifies_until: None, private })
    }

    /// The name of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Where it stands.
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// When it was made, in seconds since 1970.
    pub fn created_at(&self) -> i64 {
        self.created_at
    }

    /// Until when it verifies, in seconds since 1970, if it is retired.
    pub fn verifies_until(&self) -> Option<i64> {
        self.verifies_until
    }

    fn verifies(&self, now: i64) -> bool {
        match self.state {
            // Prepared too: another node may have made it active before this one has heard of it.
            KeyState::Prepared | KeyState::Active => true,
            KeyState::Retired => self.verifies_until.is_some_and(|until| now < until),
            KeyState::Revoked => false,
        }
    }
}

/// All keys of a realm: those that sign tokens, and the one that signs the ledger's checkpoints.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<RealmKey>,
    log_key: Pkcs8,
}

impl KeyRing {
    /// A new realm's ring, with one active key and a ledger key.
    pub fn new(now: i64) -> Result<Self, RingError> {
        let first = RealmKey::generate(KeyState::Active, now)?;
        Ok(Self { keys: vec![first], log_key: Pkcs8::generate_ed25519()? })
    }

    /// Makes the next key and returns its name. Where one is prepared already, that one stands: asking twice is no error.
    /// Keys that no longer verify are forgotten here; a forgotten key is refused just as a revoked one.
    pub fn prepare(&mut self, now: i64) -> Result<String, RingError> {
        if let Some(prepared) = self.keys.iter().find(|key| key.state == KeyState::Prepared) {
            return Ok(prepared.kid.clone());
        }
        self.keys.retain(|key| key.verifies(now));
        if self.keys.len() >= limits::RING_KEYS_MAX {
            return Err(RingError::Full);
        }
        let key = RealmKey::generate(KeyState::Prepared, now)?;
        let kid = key.kid.clone();
        self.keys.push(key);
        Ok(kid)
    }

    /// Lets the prepared key sign from now on, and returns its name. The former one verifies for
    /// [`limits::RETIRED_KEY_SECONDS`] more.
    pub fn activate(&mut self, now: i64) -> Result<String, RingError> {
        if !self.keys.iter().any(|key| key.state == KeyState::Prepared) {
            return Err(RingError::NothingPrepared);
        }
        let mut activated = String::new();
        for key in &mut self.keys {
            match key.state {
                KeyState::Active => {
                    key.state = KeyState::Retired;
                    key.verifies_until = Some(now.saturating_add(limits::RETIRED_KEY_SECONDS));
                    key.private = None;
                }
                KeyState::Prepared => {
                    key.state = KeyState::Active;
                    activated.clone_from(&key.kid);
                }
                KeyState::Retired | KeyState::Revoked => {}
            }
        }
        Ok(activated)
    }

    /// Ends a key at once: nothing that it signed is accepted any more. After the active key is revoked nothing is signed
    /// until another is activated.
    pub fn revoke(&mut self, kid: &str) -> Result<(), RingError> {
        let key =
            self.keys.iter_mut().find(|key| key.kid == kid).ok_or_else(|| RingError::UnknownKey(kid.to_owned()))?;
        key.state = KeyState::Revoked;
        key.verifies_until = None;
        key.private = None;
        Ok(())
    }

    /// The key that signs.
    pub fn signing(&self) -> Result<&SigningKey, RingError> {
        let active = self.keys.iter().find(|key| key.state == KeyState::Active);
        active.and_then(|key| key.private.as_ref()).map(|private| &private.signing).ok_or(RingError::NoActiveKey)
    }

    /// The key named `kid`, if it still verifies at `now`.
    pub fn verifying(&self, kid: &str, now: i64) -> Option<&PublicJwk> {
        self.keys.iter().find(|key| key.kid == kid && key.verifies(now)).map(|key| &key.public)
    }

    /// Every key that the ring remembers, oldest first.
    pub fn keys(&self) -> &[RealmKey] {
        &self.keys
    }

    /// The JWK Set (RFC 7517 section 5) of all keys that verify at `now`: public parts only.
    pub fn jwks(&self, now: i64) -> Value {
        let publish = |key: &RealmKey| {
            let mut jwk = key.public.to_value();
            if let Some(members) = jwk.as_object_mut() {
                members.insert("kid".to_owned(), key.kid.as_str().into());
                members.insert("alg".to_owned(), "ES256".into());
                members.insert("use".to_owned(), "sig".into());
            }
            jwk
        };
        json!({"keys": self.keys.iter().filter(|key| key.verifies(now)).map(publish).collect::<Vec<_>>()})
    }

    /// The Ed25519 key of the ledger's checkpoints, as PKCS#8. This crate never looks inside.
    pub fn log_key(&self) -> &Pkcs8 {
        &self.log_key
    }
}
