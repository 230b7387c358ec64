//! The public keys of others (JWK Set, RFC 7517 section 5).

use std::fmt;

use aws_lc_rs::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

use super::algorithm::{Algorithm, Method};
use crate::json::{self, JsonError, Members};
use crate::{base64url, limits};

/// Members that only private or secret keys have (RFC 7518 section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a set of keys was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    #[error("the set of keys is longer than {} bytes", limits::FOREIGN_KEYS_BYTES_MAX)]
    TooLong,
    #[error("the set of keys cannot be read: {0}")]
    Malformed(#[from] JsonError),
    #[error("a key of the set holds a private part")]
    Private,
    #[error(
        "an RSA key of the set does not have between {} and {} bits, or is not a possible key",
        limits::RSA_BITS_MIN,
        limits::RSA_BITS_MAX
    )]
    Rsa,
    #[error("an elliptic curve key of the set is not a point on its curve")]
    Ec,
    #[error("two keys of the set have the same `kid`")]
    Repeated,
    #[error("the set has no key for RS, PS or ES signatures")]
    Empty,
}

impl KeySetError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Private => {
                "whoever publishes this has leaked a key: make a new one, and publish the public part only"
            }
            _ => "publish a JWK Set with RSA keys of 2048 bits or more, or keys on P-256, P-384 or P-521",
        }
    }
}

/// The keys of one issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(Vec<ForeignKey>);

impl KeySet {
    /// Reads a JWK Set. Keys of other kinds and for other uses are passed over (RFC 7517 section 5); what is wrong with a
    /// key that we would use refuses the whole set.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        if bytes.len() > limits::FOREIGN_KEYS_BYTES_MAX {
            return Err(KeySetError::TooLong);
        }
        Self::of(&json::parse(bytes)?)
    }

    /// Reads a JWK Set that was parsed strictly before.
    pub fn of(value: &Value) -> Result<Self, KeySetError> {
        let set = Members::of(value)?;
        let items = set.optional_list("keys", limits::FOREIGN_KEYS_MAX)?.ok_or(JsonError::Missing("keys"))?;
        let mut keys: Vec<ForeignKey> = Vec::new();
        for item in items {
            let Some(key) = ForeignKey::parse(&Members::of(item)?)? else { continue };
            // A name that stands for two keys would make it a matter of luck which of them is asked.
            if key.kid.is_some() && keys.iter().any(|other| other.kid == key.kid) {
                return Err(KeySetError::Repeated);
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self(keys)) }
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &[ForeignKey] {
        &self.0
    }

    /// The key named `kid`; without a name, the only key there is.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&ForeignKey> {
        match (kid, self.0.as_slice()) {
            (Some(kid), keys) => keys.iter().find(|key| key.kid.as_deref() == Some(kid)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

/// One public key.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignKey {
    kid: Option<String>,
    /// The only algorithm it is for, if its owner says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// The one algorithm that goes with the curve, and the point as `04`, `x`, `y`.
    Ec {
        algorithm: Algorithm,
        point: Vec<u8>,
    },
}

impl ForeignKey {
    /// Reads a key; nothing where it is of a kind or for a use that we have none for.
    fn parse(members: &Members) -> Result<Option<Self>, KeySetError> {
        if PRIVATE_MEMBERS.iter().any(|name| members.value(name).is_some()) {
            return Err(KeySetError::Private);
        }
        let algorithm = match members.optional_text("alg")? {
            Some(name) => match Algorithm::parse(name) {
                Some(algorithm) => Some(algorithm),
                None => return Ok(None),
            },
            None => None,
        };
        if members.optional_text("use")?.is_some_and(|purpose| purpose != "sig") || !may_verify(members) {
            return Ok(None);
        }
        let material = match members.text("kty")? {
            "RSA" => rsa(members)?,
            "EC" => match ec(members)? {
                Some(material) => material,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let key = Self { kid: members.optional_text("kid")?.map(str::to_owned), algorithm, material };
        Ok(algorithm.is_none_or(|algorithm| key.is_for(algorithm)).then_some(key))
    }

    /// Its name.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether it may be used with `algorithm`.
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        let kind = match (&self.material, algorithm.method()) {
            (Material::Rsa { .. }, Method::Rsa(_)) => true,
            (Material::Ec { algorithm: own, .. }, Method::Ec(_)) => *own == algorithm,
            _ => false,
        };
        kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (&self.material, algorithm.method()) {
            (Material::Rsa { modulus, exponent }, Method::Rsa(parameters)) => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
            }
            (Material::Ec { algorithm: own, point }, Method::Ec(method)) => {
                *own == algorithm && UnparsedPublicKey::new(method, point).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ForeignKey({})", self.kid.as_deref().unwrap_or("unnamed"))
    }
}

/// Whether `key_ops`, if there, names verifying (RFC 7517 section 4.3).
fn may_verify(members: &Members) -> bool {
    match members.value("key_ops") {
        None => true,
        Some(operations) => {
            operations.as_array().is_some_and(|operations| operations.iter().any(|one| one.as_str() == Some("verify")))
        }
    }
}

fn rsa(members: &Members) -> Result<Material, KeySetError> {
    let number = |name| {
        let text = members.text(name).map_err(|_| KeySetError::Rsa)?;
        let bytes = base64url::decode(text).map_err(|_| KeySetError::Rsa)?;
        // RFC 7518 section 2: as few bytes as it takes.
        let minimal = bytes.first().is_some_and(|first| *first != 0);
        let odd = bytes.last().is_some_and(|last| last % 2 == 1);
        if minimal && odd { Ok(bytes) } else { Err(KeySetError::Rsa) }
    };
    let (modulus, exponent) = (number("n")?, number("e")?);
    let leading = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = modulus.len() * 8 - leading;
    let likely = (1..=4).contains(&exponent.len()) && exponent.as_slice() != [1];
    if !(limits::RSA_BITS_MIN..=limits::RSA_BITS_MAX).contains(&bits) || !likely {
        return Err(KeySetError::Rsa);
    }
    Ok(Material::Rsa { modulus, exponent })
}

fn ec(members: &Members) -> Result<Option<Material>, KeySetError> {
    let (algorithm, coordinate_bytes) = match members.text("crv")? {
        "P-256" => (Algorithm::Es256, 32),
        "P-384" => (Algorithm::Es384, 48),
        "P-521" => (Algorithm::Es512, 66),
        _ => return Ok(None),
    };
    let mut point = vec![0x04];
    for name in ["x", "y"] {
        let text = members.text(name).map_err(|_| KeySetError::Ec)?;
        let coordinate = base64url::decode(text).map_err(|_| KeySetError::Ec)?;
        if coordinate.len() != coordinate_bytes {
            return Err(KeySetError::Ec);
        }
        point.extend(coordinate);
    }
    let Method::Ec(method) = algorithm.method() else { return Err(KeySetError::Ec) };
    UnparsedPublicKey::new(method, &point).parse().map_err(|_| KeySetError::Ec)?;
    Ok(Some(Material::Ec { algorithm, point }))
}
