//! Public keys of others: whatever SPIFFE trust domains and identity providers verify their documents with.
//!
//! Our own documents are signed with ES256 only, see [`crate::PublicJwk`]. Of others we accept the algorithms that
//! JWT-SVID section 2.1 lists, which are RSA and ECDSA with SHA-2, and nothing weaker. The kind of the key decides which
//! algorithms it can be used with, never the document alone (RFC 8725 section 3.1).

use std::fmt;

use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Map, Value, json};

use crate::jwk::PRIVATE_MEMBERS;
use crate::{PublicJwk, base64url, limits};

#[cfg(test)]
mod tests;

/// Why a JWK was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyingKeyError {
    #[error("the key is not a JSON object that says its kind in `kty`")]
    Kind,
    #[error("the key holds a private part")]
    Private,
    #[error("the coordinates of the key are not a point on its curve")]
    Point,
    #[error("the modulus of the key is not from 2048 to 8192 bits long, or its exponent is not an odd number above 1")]
    Rsa,
}

/// The signature algorithms of JWT-SVID section 2.1 (RFC 7518 section 3.1). There is no `none`, no HMAC and no EdDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Es256,
    Es384,
    Es512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
}

impl Algorithm {
    /// The algorithm that a header names, if it is one of these.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            _ => return None,
        })
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::Es256 => Scheme::Ecdsa(&signature::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Scheme::Ecdsa(&signature::ECDSA_P384_SHA384_FIXED),
            Self::Es512 => Scheme::Ecdsa(&signature::ECDSA_P521_SHA512_FIXED),
            Self::Rs256 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        }
    }
}

/// How a signature is checked.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    Ecdsa(&'static EcdsaVerificationAlgorithm),
    Rsa(&'static RsaParameters),
}

/// The elliptic curves of JWT-SVID section 2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn algorithm(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// A public key of another. Holding one means that it is sound: a point on its curve, or an RSA key of a fit size.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Ec { curve: Curve, point: Vec<u8> },
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
}

impl VerifyingKey {
    /// Reads a public JWK (RFC 7518 section 6). A key of a kind that verifies nothing here is `None` and no error: the
    /// key sets of others may hold such.
    ///
    /// # Errors
    ///
    /// A private part, and parts that are missing or unsound.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Option<Self>, VerifyingKeyError> {
        if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) {
            return Err(VerifyingKeyError::Private);
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let part = |name: &str, otherwise| text(name).and_then(|part| base64url::decode(part).ok()).ok_or(otherwise);
        match text("kty").ok_or(VerifyingKeyError::Kind)? {
            "EC" => {
                let curve = match text("crv") {
                    Some("P-256") => Curve::P256,
                    Some("P-384") => Curve::P384,
                    Some("P-521") => Curve::P521,
                    _ => return Ok(None),
                };
                let (x, y) = (part("x", VerifyingKeyError::Point)?, part("y", VerifyingKeyError::Point)?);
                // Their lengths one by one: a longer `x` and a shorter `y` must not make one good point together.
                if x.len() != curve.coordinate_bytes() || y.len() != curve.coordinate_bytes() {
                    return Err(VerifyingKeyError::Point);
                }
                Self::from_point(curve, [&[0x04], x.as_slice(), y.as_slice()].concat()).map(Some)
            }
            "RSA" => {
                let (n, e) = (part("n", VerifyingKeyError::Rsa)?, part("e", VerifyingKeyError::Rsa)?);
                Self::from_rsa(n, e).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A key as an uncompressed point (SEC 1 section 2.3.3).
    pub(crate) fn from_point(curve: Curve, point: Vec<u8>) -> Result<Self, VerifyingKeyError> {
        if point.len() != 1 + 2 * curve.coordinate_bytes() || point.first() != Some(&0x04) {
            return Err(VerifyingKeyError::Point);
        }
        UnparsedPublicKey::new(curve.algorithm(), &point).parse().map_err(|_| VerifyingKeyError::Point)?;
        Ok(Self(Kind::Ec { curve, point }))
    }

    /// A key as its modulus and exponent, both without leading zeros.
    pub(crate) fn from_rsa(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Self, VerifyingKeyError> {
        let leading = modulus.first().map_or(8, |first| first.leading_zeros() as usize);
        let bits = (8 * modulus.len()).saturating_sub(leading);
        let odd = exponent.last().is_some_and(|last| last % 2 == 1);
        let fits = exponent.first().is_some_and(|&first| first != 0) && exponent.len() <= 4 && exponent != [1];
        if leading == 8 || !limits::RSA_BITS.contains(&bits) || !odd || !fits {
            return Err(VerifyingKeyError::Rsa);
        }
        Ok(Self(Kind::Rsa { modulus, exponent }))
    }

    /// Whether `signature` is this key's signature over `message` by `algorithm`, in the form that JOSE gives it. A key
    /// of another kind or curve than the algorithm's verifies nothing.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verifies_by(algorithm.scheme(), message, signature)
    }

    pub(crate) fn verifies_by(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match (&self.0, scheme) {
            (Kind::Ec { point, .. }, Scheme::Ecdsa(algorithm)) => {
                UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
            }
            (Kind::Rsa { modulus, exponent }, Scheme::Rsa(parameters)) => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
            }
            (Kind::Ec { .. }, Scheme::Rsa(_)) | (Kind::Rsa { .. }, Scheme::Ecdsa(_)) => false,
        }
    }

    /// The curve, if this is an elliptic curve key.
    pub(crate) fn curve(&self) -> Option<Curve> {
        match &self.0 {
            Kind::Ec { curve, .. } => Some(*curve),
            Kind::Rsa { .. } => None,
        }
    }

    /// The key as a JWK with its required members only.
    pub fn to_value(&self) -> Value {
        match &self.0 {
            Kind::Ec { curve, point } => {
                let coordinates = point.get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                json!({"crv": curve.name(), "kty": "EC", "x": base64url::encode(x), "y": base64url::encode(y)})
            }
            Kind::Rsa { modulus, exponent } => {
                json!({"e": base64url::encode(exponent), "kty": "RSA", "n": base64url::encode(modulus)})
            }
        }
    }
}

impl From<&PublicJwk> for VerifyingKey {
    fn from(key: &PublicJwk) -> Self {
        // Whoever holds a `PublicJwk` holds a point on P-256.
        Self(Kind::Ec { curve: Curve::P256, point: key.point() })
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifyingKey({})", self.to_value())
    }
}
