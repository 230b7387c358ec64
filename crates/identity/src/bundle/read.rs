//! Reading the bundle of another trust domain, strictly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{Bundle, BundleError, JwtAuthority};
use crate::json::Members;
use crate::verifying_key::VerifyingKey;
use crate::x509::{Authority, X509Error};
use crate::{SpiffeId, limits};

impl Bundle {
    /// Reads a SPIFFE JWK Set as the bundle of `trust_domain`. Keys of an unknown use, and of kinds that verify nothing
    /// here, are passed over, as the standard says; anything else that is wrong with one key is wrong with the whole.
    ///
    /// # Errors
    ///
    /// See [`BundleError`].
    pub fn parse(trust_domain: &str, document: &[u8]) -> Result<Self, BundleError> {
        SpiffeId::domain(trust_domain).map_err(BundleError::TrustDomain)?;
        if document.len() > limits::BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLong);
        }
        let members = Members::parse(document).map_err(BundleError::Json)?;
        let keys = members.value("keys").and_then(Value::as_array).ok_or(BundleError::Keys)?;
        if keys.len() > limits::BUNDLE_KEYS_MAX {
            return Err(BundleError::Keys);
        }
        let mut bundle = Self {
            trust_domain: trust_domain.to_owned(),
            x509_authorities: Vec::new(),
            jwt_authorities: Vec::new(),
            sequence: number(&members, "spiffe_sequence")?,
            refresh_hint_seconds: number(&members, "spiffe_refresh_hint")?,
        };
        for key in keys {
            let jwk = key.as_object().ok_or(BundleError::NotAnObject)?;
            match jwk.get("use").and_then(Value::as_str) {
                Some("x509-svid") => bundle.x509_authorities.extend(read_x509(jwk)?),
                Some("jwt-svid") => {
                    let authority = read_jwt(jwk)?;
                    if let Some(twice) = authority.as_ref().filter(|new| bundle.jwt_authority(&new.kid).is_some()) {
                        return Err(BundleError::Twice(twice.kid.clone()));
                    }
                    bundle.jwt_authorities.extend(authority);
                }
                _ => {}
            }
        }
        Ok(bundle)
    }
}

fn number(members: &Members, name: &'static str) -> Result<Option<u64>, BundleError> {
    members.value(name).map(|value| value.as_u64().ok_or(BundleError::Number(name))).transpose()
}

fn read_x509(jwk: &Map<String, Value>) -> Result<Option<Authority>, BundleError> {
    let key = VerifyingKey::from_jwk(jwk).map_err(BundleError::Key)?;
    let Some([Value::String(certificate)]) = jwk.get("x5c").and_then(Value::as_array).map(Vec::as_slice) else {
        return Err(BundleError::Member("x5c"));
    };
    let der = STANDARD.decode(certificate).map_err(|_| BundleError::Member("x5c"))?;
    match Authority::read(&der) {
        Err(X509Error::Algorithm) => Ok(None),
        Err(error) => Err(BundleError::Certificate(error)),
        Ok(authority) if key.is_some_and(|key| key == *authority.key()) => Ok(Some(authority)),
        Ok(_) => Err(BundleError::OtherKey),
    }
}

fn read_jwt(jwk: &Map<String, Value>) -> Result<Option<JwtAuthority>, BundleError> {
    let kid = jwk.get("kid").and_then(Value::as_str).unwrap_or_default();
    if kid.is_empty() || kid.len() > limits::MEMBER_BYTES_MAX {
        return Err(BundleError::Member("kid"));
    }
    let key = VerifyingKey::from_jwk(jwk).map_err(BundleError::Key)?;
    Ok(key.map(|key| JwtAuthority { kid: kid.to_owned(), key }))
}
