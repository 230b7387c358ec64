//! Public keys of passkeys: what COSE (RFC 9053) and JWK (RFC 7517, RFC 8037) call ES256, EdDSA on Ed25519 and RS256.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::WebauthnError;
use super::cbor::Cbor;
use crate::jwk::PRIVATE_MEMBERS;
use crate::verifying_key::{Curve, Scheme};
use crate::{VerifyingKey, base64url};

/// The algorithms that passkeys are asked for, best first, as COSE numbers them.
pub(super) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// The public key of a passkey. Holding one means that it is sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyKey(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Es256(VerifyingKey),
    Ed25519(Vec<u8>),
    Rs256(VerifyingKey),
}

impl PasskeyKey {
    /// The algorithms that a passkey may have, as COSE numbers them, best first.
    pub const fn algorithms() -> [i64; 3] {
        ALGORITHMS
    }

    /// Reads a key as an authenticator writes it (section 6.5.1.1).
    pub(super) fn from_cose(key: &Cbor) -> Result<Self, WebauthnError> {
        Self::read_cose(key).ok_or(WebauthnError::Key)
    }

    fn read_cose(key: &Cbor) -> Option<Self> {
        let (kind, algorithm) = (key.at(1)?.integer()?, key.at(3)?.integer()?);
        match (kind, algorithm) {
            (2, ES256) if key.at(-1)?.integer()? == 1 => {
                let (x, y) = (key.at(-2)?.bytes()?, key.at(-3)?.bytes()?);
                let point = (x.len() == 32 && y.len() == 32).then(|| [&[0x04], x, y].concat())?;
                VerifyingKey::from_point(Curve::P256, point).ok().map(|key| Self(Kind::Es256(key)))
            }
            (1, EDDSA) if key.at(-1)?.integer()? == 6 => Self::ed25519(key.at(-2)?.bytes()?.to_vec()),
            (3, RS256) => {
                let (n, e) = (key.at(-1)?.bytes()?.to_vec(), key.at(-2)?.bytes()?.to_vec());
                VerifyingKey::from_rsa(n, e).ok().map(|key| Self(Kind::Rs256(key)))
            }
            _ => None,
        }
    }

    fn ed25519(key: Vec<u8>) -> Option<Self> {
        let is_sound =
            !has_small_order(key.first_chunk::<32>()?) && UnparsedPublicKey::new(&ED25519, &key).parse().is_ok();
        (key.len() == 32 && is_sound).then_some(Self(Kind::Ed25519(key)))
    }

    /// Reads a key as the ledger keeps it.
    ///
    /// # Errors
    /// If it is none of these kinds, or not sound.
    pub fn parse(jwk: &Value) -> Result<Self, WebauthnError> {
        let members = jwk.as_object().ok_or(WebauthnError::Key)?;
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(WebauthnError::Key);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if text("kty") == Some("OKP") && text("crv") == Some("Ed25519") {
            let key = text("x").and_then(|x| base64url::decode(x).ok()).and_then(Self::ed25519);
            return key.ok_or(WebauthnError::Key);
        }
        let key = VerifyingKey::from_jwk(members).ok().flatten().ok_or(WebauthnError::Key)?;
        match key.curve() {
            Some(Curve::P256) => Ok(Self(Kind::Es256(key))),
            Some(_) => Err(WebauthnError::Key),
            None => Ok(Self(Kind::Rs256(key))),
        }
    }

    /// The key as a JWK with its required members only.
    pub fn to_jwk(&self) -> Value {
        match &self.0 {
            Kind::Es256(key) | Kind::Rs256(key) => key.to_value(),
            Kind::Ed25519(key) => json!({"crv": "Ed25519", "kty": "OKP", "x": base64url::encode(key)}),
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Es256(key) => key.verifies_by(Scheme::Ecdsa(&ECDSA_P256_SHA256_ASN1), message, signature),
            Kind::Rs256(key) => key.verifies_by(Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256), message, signature),
            Kind::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
        }
    }
}

/// Whether this is one of the few points on Ed25519 that anybody can sign for (the points of small order), or is not
/// written as a point should be. Who enrols one could later say that it was not they who said yes.
fn has_small_order(key: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = key;
    let last = last & 0x7f;
    let zero_or_one = *first <= 1 && middle.iter().all(|byte| *byte == 0) && last == 0;
    // From the prime less one on: that point, and those that are written with a multiple of the prime too much.
    let from_minus_one = *first >= 0xec && middle.iter().all(|byte| *byte == 0xff) && last == 0x7f;
    let of_order_eight = ORDER_EIGHT.iter().any(|known| {
        let [known_first, known_middle @ .., known_last] = known;
        known_first == first && known_middle == middle && *known_last == last
    });
    zero_or_one || from_minus_one || of_order_eight
}

/// The two coordinates of the points of order eight, least byte first.
const ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];
