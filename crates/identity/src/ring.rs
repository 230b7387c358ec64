//! The keys of a realm, and how one follows another without anything that it signed failing in between.
//!
//! There are two kinds: those that sign tokens, and those of the realm's authority, which sign certificates. Of either a
//! key is *prepared* (published, so that verifiers know it), then *active* (it signs), then *retired* (it only verifies,
//! until the last thing that it signed has ended). A *revoked* key stops at once. The private part is wiped as soon as a
//! key no longer signs.
//!
//! Which key is in which step is for the ledger to say. A ring keeps the private parts, and what it knew last: after it is
//! opened it is brought in line with [`KeyRing::apply_steps`].

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::key::KeyError;
use crate::seal::SealError;
use crate::spiffe_id::SpiffeIdError;
use crate::{Bundle, Pkcs8, PublicJwk, SigningKey, SpiffeId, limits};

mod realm_key;
mod sealed;
mod steps;
#[cfg(test)]
mod tests;

pub use realm_key::RealmKey;

/// What a realm key is for. A key of one purpose does nothing of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Signs task tokens, JWT-SVIDs and the other signed documents of the realm.
    #[default]
    Token,
    /// Signs the certificates of workloads.
    Ca,
}

impl Purpose {
    /// The name of the purpose: `token` or `ca`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Ca => "ca",
        }
    }

    /// How long a retired key of this purpose still verifies, in seconds.
    pub fn retired_seconds(self) -> i64 {
        match self {
            Self::Token => limits::RETIRED_KEY_SECONDS,
            Self::Ca => limits::RETIRED_CA_SECONDS,
        }
    }
}

/// Where a realm key stands in its life. It only ever moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published and accepted, but does not sign yet.
    Prepared,
    /// Signs. At most one key of a purpose is active.
    Active,
    /// Signs no more; verifies until its time is over.
    Retired,
    /// Neither signs nor verifies.
    Revoked,
}

/// Why the ring would not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    #[error("no {} key of this realm is active, so nothing can be signed", .0.as_str())]
    NoActiveKey(Purpose),
    #[error("no {} key of this realm is prepared, so none can become active", .0.as_str())]
    NothingPrepared(Purpose),
    #[error("the realm has no key `{0}`")]
    UnknownKey(String),
    #[error("the realm holds {} keys of one purpose, which is as many as it may", limits::RING_KEYS_MAX)]
    Full,
    #[error("the keys of this realm belong to no trust domain yet")]
    NoTrustDomain,
    #[error("the keys are those of the trust domain `{0}`, and not of another")]
    OtherTrustDomain(String),
    #[error("the trust domain of this realm cannot be one: {0}")]
    TrustDomain(SpiffeIdError),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl RingError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoActiveKey(_) | Self::NothingPrepared(_) => "prepare a key, then activate it",
            Self::UnknownKey(_) => "the realm's key set lists the keys that there are",
            Self::Full => "wait until a retired key's time is over, or revoke one",
            Self::NoTrustDomain => "open the realm with its trust domain",
            Self::OtherTrustDomain(_) | Self::TrustDomain(_) => {
                "open the realm with the trust domain that it began with"
            }
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

/// All keys of a realm: those that sign tokens and certificates, and the one that signs the ledger's checkpoints.
#[derive(Debug)]
pub struct KeyRing {
    trust_domain: Option<SpiffeId>,
    keys: Vec<RealmKey>,
    log_key: Pkcs8,
}

/// The authority's key with what a certificate that it signs has to say about it.
#[derive(Debug)]
pub(crate) struct Certifying<'a> {
    pub key: &'a SigningKey,
    pub not_after: i64,
}

impl KeyRing {
    /// A new realm's ring, with one active key for tokens and a ledger key. [`KeyRing::ensure_ca`] gives it an authority.
    pub fn new(now: i64) -> Result<Self, RingError> {
        let first = RealmKey::generate_token(KeyState::Active, now)?;
        Ok(Self { trust_domain: None, keys: vec![first], log_key: Pkcs8::generate_ed25519()? })
    }

    /// Gives the ring the trust domain that its authority speaks for, and an active authority if it has none or its
    /// certificate has expired. Returns the name of the new key, if one was made. An authority that was revoked is not
    /// replaced: that is for whoever revoked it.
    ///
    /// # Errors
    ///
    /// The ring already belongs to another trust domain, or `trust_domain` is not the name of one.
    pub fn ensure_ca(&mut self, trust_domain: &str, now: i64) -> Result<Option<String>, RingError> {
        let domain = SpiffeId::domain(trust_domain).map_err(RingError::TrustDomain)?;
        if let Some(known) = self.trust_domain.as_ref().filter(|known| **known != domain) {
            return Err(RingError::OtherTrustDomain(known.trust_domain().to_owned()));
        }
        if !self.keys.iter().any(|key| key.purpose() == Purpose::Ca) {
            let key = RealmKey::generate_authority(&domain, KeyState::Active, now)?;
            let kid = key.kid().to_owned();
            self.keys.push(key);
            self.trust_domain = Some(domain);
            return Ok(Some(kid));
        }
        self.trust_domain = Some(domain);
        let expired = self.active(Purpose::Ca).is_some_and(|authority| !authority.verifies(now));
        if expired {
            self.prepare(Purpose::Ca, now)?;
            return self.activate(Purpose::Ca, now).map(Some);
        }
        Ok(None)
    }

    /// The trust domain, once the ring has one.
    pub fn trust_domain(&self) -> Option<&str> {
        self.trust_domain.as_ref().map(SpiffeId::trust_domain)
    }

    /// Makes the next key of a purpose and returns its name. Where one is prepared already, that one stands: asking twice
    /// is no error. Keys that no longer verify are forgotten here; a forgotten key is refused just as a revoked one.
    pub fn prepare(&mut self, purpose: Purpose, now: i64) -> Result<String, RingError> {
        let of_purpose = |key: &&RealmKey| key.purpose() == purpose;
        self.keys.retain(|key| key.verifies(now));
        if let Some(prepared) = self.keys.iter().filter(of_purpose).find(|key| key.state() == KeyState::Prepared) {
            return Ok(prepared.kid().to_owned());
        }
        if self.keys.iter().filter(of_purpose).count() >= limits::RING_KEYS_MAX {
            return Err(RingError::Full);
        }
        let key = match purpose {
            Purpose::Token => RealmKey::generate_token(KeyState::Prepared, now)?,
            Purpose::Ca => {
                let domain = self.trust_domain.as_ref().ok_or(RingError::NoTrustDomain)?;
                RealmKey::generate_authority(domain, KeyState::Prepared, now)?
            }
        };
        let kid = key.kid().to_owned();
        self.keys.push(key);
        Ok(kid)
    }

    /// Lets the prepared key of a purpose sign from now on, and returns its name. The former one verifies for
    /// [`Purpose::retired_seconds`] more.
    pub fn activate(&mut self, purpose: Purpose, now: i64) -> Result<String, RingError> {
        let prepared = self.keys.iter().find(|key| key.purpose() == purpose && key.state() == KeyState::Prepared);
        let kid = prepared.ok_or(RingError::NothingPrepared(purpose))?.kid().to_owned();
        self.step(&kid, KeyState::Active, now);
        Ok(kid)
    }

    /// Ends a key at once: nothing that it signed is accepted any more. After the active key of a purpose is revoked
    /// nothing is signed for it until another is activated.
    pub fn revoke(&mut self, kid: &str, now: i64) -> Result<(), RingError> {
        if self.key(kid).is_none() {
            return Err(RingError::UnknownKey(kid.to_owned()));
        }
        self.step(kid, KeyState::Revoked, now);
        Ok(())
    }

    /// The key that signs tokens.
    pub fn signing(&self) -> Result<&SigningKey, RingError> {
        self.active(Purpose::Token).and_then(RealmKey::signing).ok_or(RingError::NoActiveKey(Purpose::Token))
    }

    /// The key that signs certificates at `now`.
    pub(crate) fn certifying(&self, now: i64) -> Result<Certifying<'_>, RingError> {
        let none = || RingError::NoActiveKey(Purpose::Ca);
        let active = self.active(Purpose::Ca).filter(|key| key.verifies(now)).ok_or_else(none)?;
        let (key, authority) = active.signing().zip(active.authority()).ok_or_else(none)?;
        Ok(Certifying { key, not_after: authority.not_after() })
    }

    /// The token key named `kid`, if it still verifies at `now`.
    pub fn verifying(&self, kid: &str, now: i64) -> Option<&PublicJwk> {
        self.key(kid).filter(|key| key.purpose() == Purpose::Token && key.verifies(now)).map(RealmKey::public)
    }

    /// Every key that the ring remembers, oldest first.
    pub fn keys(&self) -> &[RealmKey] {
        &self.keys
    }

    /// The key named `kid`, whatever its purpose and step.
    pub fn key(&self, kid: &str) -> Option<&RealmKey> {
        self.keys.iter().find(|key| key.kid() == kid)
    }

    /// The active key of a purpose.
    pub fn active(&self, purpose: Purpose) -> Option<&RealmKey> {
        self.keys.iter().find(|key| key.purpose() == purpose && key.state() == KeyState::Active)
    }

    /// The JWK Set (RFC 7517 section 5) of all token keys that verify at `now`, for OAuth verifiers: public parts only.
    pub fn jwks(&self, now: i64) -> Value {
        let tokens = self.keys.iter().filter(|key| key.purpose() == Purpose::Token && key.verifies(now));
        json!({"keys": tokens.map(RealmKey::to_jwk).collect::<Vec<_>>()})
    }

    /// What others verify this realm's SVIDs with at `now`: its authorities and its token keys.
    ///
    /// # Errors
    ///
    /// The ring has no trust domain yet.
    pub fn bundle(&self, now: i64) -> Result<Bundle, RingError> {
        let domain = self.trust_domain().ok_or(RingError::NoTrustDomain)?;
        let verifying = || self.keys.iter().filter(|key| key.verifies(now));
        let authorities = verifying().filter_map(RealmKey::authority).cloned().collect();
        let tokens = verifying().filter(|key| key.purpose() == Purpose::Token);
        let tokens = tokens.map(|key| (key.kid().to_owned(), key.public().into())).collect();
        let changed_at = self.keys.iter().map(|key| key.changed_at(now)).max().unwrap_or_default();
        Ok(Bundle::own(domain.to_owned(), authorities, tokens, u64::try_from(changed_at).unwrap_or_default()))
    }

    /// The Ed25519 key of the ledger's checkpoints, as PKCS#8. This crate never looks inside.
    pub fn log_key(&self) -> &Pkcs8 {
        &self.log_key
    }
}
