//! Data keys: one per subject, so that erasing the key erases the content.

use std::fmt;

use zeroize::Zeroizing;

use crate::seal::{Kek, SealError, Sealer, Secret};
use crate::{RandomnessError, digest};

#[cfg(test)]
mod tests;

/// Keeps a wrapped data key from being taken for anything else that the same key has sealed.
const WRAP_PURPOSE: &[u8] = b"remit data key v1\0";

/// The key under which one subject's content is sealed.
#[derive(Clone)]
pub struct DataKey(Secret);

impl DataKey {
    /// A new random key.
    pub fn generate() -> Result<Self, RandomnessError> {
        Secret::generate().map(Self)
    }

    /// This key, sealed under `kek` for `aad` (say, the subject's name). Erasing every copy of the result erases all
    /// that the key has sealed.
    pub fn wrap(&self, kek: &Kek, aad: &[u8]) -> Result<Vec<u8>, SealError> {
        kek.seal(&[WRAP_PURPOSE, aad].concat(), self.0.expose())
    }

    /// Opens what [`DataKey::wrap`] made for the same `aad`.
    pub fn unwrap(kek: &Kek, aad: &[u8], wrapped: &[u8]) -> Result<Self, SealError> {
        let plain = kek.open(&[WRAP_PURPOSE, aad].concat(), wrapped)?;
        if plain.len() == 32 {
            Ok(Self(Secret::from_bytes(&Zeroizing::new(digest::first_32(&plain)))))
        } else {
            Err(SealError::Unopenable)
        }
    }

    /// Seals `plain` for the purpose `aad`.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.0.seal(aad, plain)
    }

    /// This key, ready to commit to many contents and to seal them.
    pub fn committer(&self) -> Result<Committer, SealError> {
        Ok(Committer { salt: Zeroizing::new(self.salt()), sealer: self.0.sealer()? })
    }

    /// Opens what [`DataKey::seal`] made for the same `aad`.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.0.open(aad, sealed)
    }

    /// HMAC-SHA256 over `message`, under a key of its own.
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.0.mac(message)
    }

    /// The salt of this subject's commitments in the ledger. It goes with the key: after erasure nobody can test a guess
    /// of the content against its commitment.
    pub fn salt(&self) -> [u8; 32] {
        *self.0.expand("derive", "commitment salt")
    }
}

/// What is derived from one [`DataKey`] to commit to contents and to seal them, derived once.
pub struct Committer {
    salt: Zeroizing<[u8; 32]>,
    sealer: Sealer,
}

impl Committer {
    /// As [`DataKey::salt`].
    pub fn salt(&self) -> &[u8; 32] {
        &self.salt
    }

    /// As [`DataKey::seal`].
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealer.seal(aad, plain)
    }
}

impl fmt::Debug for Committer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Committer(secret)")
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataKey(secret)")
    }
}
