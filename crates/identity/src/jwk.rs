//! Public keys of agents and realms: P-256 JSON Web Keys (RFC 7517, RFC 7518 section 6.2) and nothing else.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::de::{DeserializeSeed, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::{base64url, digest, json};

#[cfg(test)]
mod tests;

/// Members that only private or secret keys have (RFC 7518 section 6). Whoever sends one has leaked a key.
pub(crate) const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a value was not accepted as a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    #[error("the key is not a JSON object")]
    NotAnObject,
    #[error("the key holds a private part")]
    Private,
    #[error("the key is not an elliptic curve key on P-256 for ES256 signatures")]
    Kind,
    #[error("the coordinates `x` and `y` of the key are not 32 bytes each in base64url")]
    Coordinates,
    #[error("the coordinates of the key are not a point on P-256")]
    NotOnCurve,
}

impl JwkError {
    /// What to do next.
    pub fn help(self) -> &'static str {
        match self {
            Self::Private => "send the public part only, and make a new key: this one is no longer secret",
            _ => "send a public JWK with `kty` EC, `crv` P-256, `x` and `y`",
        }
    }
}

/// A P-256 public key. Holding one means that it is a point on the curve.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicJwk {
    x: [u8; 32],
    y: [u8; 32],
}

impl PublicJwk {
    /// Reads a public JWK. Unknown members are ignored, as RFC 7517 section 4 says; private ones are refused.
    pub fn parse(value: &Value) -> Result<Self, JwkError> {
        let members = value.as_object().ok_or(JwkError::NotAnObject)?;
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(JwkError::Private);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if text("kty") != Some("EC") || text("crv") != Some("P-256") {
            return Err(JwkError::Kind);
        }
        let fits = |name: &str, wanted: &str| members.get(name).is_none_or(|value| value.as_str() == Some(wanted));
        if !fits("alg", "ES256") || !fits("use", "sig") {
            return Err(JwkError::Kind);
        }
        let coordinate = |name: &str| {
            let text = text(name).ok_or(JwkError::Coordinates)?;
            base64url::decode_exactly::<32>(text).map_err(|_| JwkError::Coordinates)
        };
        Self::on_curve(coordinate("x")?, coordinate("y")?)
    }

    /// Reads an uncompressed point: `04`, then `x` and `y` (SEC 1 section 2.3.3).
    pub(crate) fn from_point(point: &[u8]) -> Result<Self, JwkError> {
        let Some((&0x04, coordinates)) = point.split_first() else { return Err(JwkError::Coordinates) };
        let Some((x, y)) = coordinates.split_first_chunk::<32>() else { return Err(JwkError::Coordinates) };
        let y = <[u8; 32]>::try_from(y).map_err(|_| JwkError::Coordinates)?;
        Self::on_curve(*x, y)
    }

    fn on_curve(x: [u8; 32], y: [u8; 32]) -> Result<Self, JwkError> {
        let key = Self { x, y };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.point())
            .parse()
            .map(|_| key)
            .map_err(|_| JwkError::NotOnCurve)
    }

    /// The key as JSON: `crv`, `kty`, `x` and `y`, without a `kid`.
    pub fn to_value(&self) -> Value {
        json!({"crv": "P-256", "kty": "EC", "x": base64url::encode(self.x), "y": base64url::encode(self.y)})
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638): the name of this key everywhere in Remit.
    pub fn thumbprint(&self) -> String {
        let (x, y) = (base64url::encode(self.x), base64url::encode(self.y));
        // RFC 7638 section 3 fixes these bytes: required members only, in alphabetical order, no white space.
        base64url::encode(digest::sha256(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes()))
    }

    /// Whether `signature`, as `r` and `s` of 32 bytes each, is this key's ES256 signature over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.point()).verify(message, signature).is_ok()
    }

    /// The key as an uncompressed point (SEC 1 section 2.3.3).
    pub(crate) fn point(&self) -> Vec<u8> {
        let mut point = Vec::with_capacity(65);
        point.push(0x04);
        point.extend_from_slice(&self.x);
        point.extend_from_slice(&self.y);
        point
    }
}

impl fmt::Debug for PublicJwk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicJwk({})", self.thumbprint())
    }
}

impl Serialize for PublicJwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublicJwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = json::Strict.deserialize(deserializer)?;
        Self::parse(&value).map_err(D::Error::custom)
    }
}
