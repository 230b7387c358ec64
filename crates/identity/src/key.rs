//! Private keys that sign with ES256 (ECDSA on P-256 with SHA-256, RFC 7518 section 3.4).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::PublicJwk;

#[cfg(test)]
mod tests;

/// Why a private key could not be made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("a key could not be generated")]
    Generate,
    #[error("this is not a P-256 private key in PKCS#8 form")]
    Malformed,
    #[error("the key could not sign")]
    Sign,
    #[error("a certificate could not be written")]
    Certificate,
}

/// A private key as a PKCS#8 document (RFC 5958): wiped when dropped, never shown.
#[derive(Clone)]
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    /// Takes bytes over, without looking at them.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Whoever takes them keeps them secret and wipes copies.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A new Ed25519 key, for the ledger's checkpoints. It is opaque here.
    pub(crate) fn generate_ed25519() -> Result<Self, KeyError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::Generate)?;
        Ok(Self::from_bytes(document.as_ref().to_vec()))
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pkcs8(secret)")
    }
}

/// A private key that is ready to sign.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: PublicJwk,
    kid: String,
}

impl SigningKey {
    /// Makes a key. The PKCS#8 document is the only way to keep it.
    pub fn generate() -> Result<(Self, Pkcs8), KeyError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| KeyError::Generate)?;
        let pkcs8 = Pkcs8::from_bytes(document.as_ref().to_vec());
        Ok((Self::from_pkcs8(pkcs8.as_bytes())?, pkcs8))
    }

    /// Reads a P-256 key from PKCS#8.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| KeyError::Malformed)?;
        let public = PublicJwk::from_point(pair.public_key().as_ref()).map_err(|_| KeyError::Malformed)?;
        let kid = public.thumbprint();
        Ok(Self { pair, public, kid })
    }

    /// The name of the key: the thumbprint of its public part (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public part.
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// Signs `message`: `r` and `s`, 32 bytes each. Two signatures over the same message differ.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Sign)?;
        signature.as_ref().try_into().map_err(|_| KeyError::Sign)
    }
}

impl SigningKey {
    /// As [`SigningKey::sign`], in the form that X.509 has: a DER sequence of `r` and `s` (RFC 3279 section 2.2.3).
    pub(crate) fn sign_der(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.sign(message)?;
        let (r, s) = signature.split_at(signature.len() / 2);
        let integers = [der_integer(r), der_integer(s)].concat();
        Ok(der(0x30, &integers))
    }
}

/// A DER integer that is not negative: no leading zeros, but one where the first bit would be taken for a sign.
fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|&byte| byte != 0).unwrap_or(bytes.len());
    let digits = bytes.get(start..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|&first| first >= 0x80) { &[0] } else { &[] };
    der(0x02, &[sign, digits].concat())
}

/// One DER value of less than 128 bytes, which is all that a P-256 signature takes.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    [&[tag, length], content].concat()
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.kid)
    }
}
