//! Secrets at rest: AES-256-GCM under keys that never leave memory unwiped.
//!
//! A sealed text is a random nonce of 12 bytes, the ciphertext, and a tag of 16 bytes. What it is for goes in as
//! associated data, so that a text sealed for one place cannot be put into another. Nonces are random, so one key seals
//! at most 2^32 texts (NIST SP 800-38D section 8.3); content is sealed under a data key per subject for that reason too.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hmac, pbkdf2};
use zeroize::Zeroizing;

use crate::random::random_bytes;
use crate::{RandomnessError, digest, limits};

#[cfg(test)]
mod tests;

const TAG_BYTES: usize = 16;

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    #[error("the text could not be sealed")]
    Unsealable,
    /// Another key, another purpose, or changed bytes: the cipher cannot tell which, and nobody should be told.
    #[error("the sealed text does not open with this key for this purpose")]
    Unopenable,
}

impl SealError {
    /// What to do next.
    pub fn help(self) -> &'static str {
        match self {
            Self::Randomness(_) | Self::Unsealable => "try again; if it stays, look at the machine",
            Self::Unopenable => "check that the key or passphrase is the one that it was sealed with",
        }
    }
}

/// 32 secret bytes from which the keys for single purposes are derived; none is used for two.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    pub(crate) fn generate() -> Result<Self, RandomnessError> {
        random_bytes().map(Self)
    }

    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA256 (RFC 5869) for exactly one block, which is all we ever need. Written as its two HMACs because these
    /// cannot fail; a test holds it against the library's own HKDF.
    pub(crate) fn expand(&self, purpose: &str, label: &str) -> Zeroizing<[u8; 32]> {
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"remit"), self.0.as_slice());
        let info = [b"remit ", purpose.as_bytes(), b"\0", label.as_bytes(), &[1]].concat();
        let block = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()), &info);
        Zeroizing::new(digest::first_32(block.as_ref()))
    }

    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        let key = self.expand("seal", "");
        UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| SealError::Unsealable)
    }

    pub(crate) fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.cipher()?, aad, plain)
    }

    /// The cipher of this key, ready to seal many times.
    pub(crate) fn sealer(&self) -> Result<Sealer, SealError> {
        self.cipher().map(Sealer)
    }

    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Unopenable)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain_len = self
            .cipher()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), body.as_mut_slice())
            .map_err(|_| SealError::Unopenable)?
            .len();
        body.truncate(plain_len);
        Ok(body)
    }

    pub(crate) fn mac(&self, message: &[u8]) -> [u8; 32] {
        let key = self.expand("mac", "");
        digest::first_32(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), message).as_ref())
    }
}

/// A key that seals only, with its cipher kept: to derive it anew costs more than to seal a small text.
pub(crate) struct Sealer(LessSafeKey);

impl Sealer {
    pub(crate) fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.0, aad, plain)
    }
}

fn seal(cipher: &LessSafeKey, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let nonce = random_bytes::<NONCE_LEN>()?;
    // The buffer has its final size from the start and becomes ciphertext in place, so no copy of the plain text is
    // left anywhere; where sealing fails half-way it is wiped.
    let mut sealed = Zeroizing::new(Vec::with_capacity(NONCE_LEN + plain.len() + TAG_BYTES));
    sealed.extend_from_slice(nonce.as_slice());
    sealed.extend_from_slice(plain);
    let (_, body) = sealed.split_at_mut_checked(NONCE_LEN).ok_or(SealError::Unsealable)?;
    let tag = cipher
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), body)
        .map_err(|_| SealError::Unsealable)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(std::mem::take(&mut *sealed))
}

/// A key that encrypts keys: the operator's, or one derived from it.
#[derive(Clone)]
pub struct Kek(Secret);

impl Kek {
    /// A new random key.
    pub fn generate() -> Result<Self, RandomnessError> {
        Secret::generate().map(Self)
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    /// The key of a passphrase: PBKDF2-HMAC-SHA256 with [`limits::PASSPHRASE_ROUNDS`] rounds. Takes a large part of a
    /// second on purpose, so never call it where others wait. The salt is random, not secret, and kept beside what is sealed.
    pub fn from_passphrase(passphrase: &str, salt: &[u8; limits::PASSPHRASE_SALT_BYTES]) -> Self {
        const ROUNDS: NonZeroU32 = match NonZeroU32::new(limits::PASSPHRASE_ROUNDS) {
            Some(rounds) => rounds,
            None => NonZeroU32::MAX,
        };
        let mut bytes = Zeroizing::new([0_u8; 32]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, passphrase.as_bytes(), bytes.as_mut_slice());
        Self(Secret(bytes))
    }

    /// The bytes, for the key file. Whoever takes them keeps them secret and wipes copies.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Another key for the purpose `label`, by HKDF-SHA256. The same label always gives the same key.
    pub fn derive(&self, label: &str) -> Self {
        Self(Secret(self.0.expand("derive", label)))
    }

    /// Seals `plain` for the purpose `aad`.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.0.seal(aad, plain)
    }

    /// Opens what [`Kek::seal`] made for the same `aad`.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.0.open(aad, sealed)
    }

    /// HMAC-SHA256 over `message`, under a key of its own. Compare with [`digest::equal`].
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.0.mac(message)
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Kek(secret)")
    }
}
