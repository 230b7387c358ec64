//! Bundles: what the documents of a trust domain are verified with (SPIFFE Trust Domain and Bundle, section 4).
//!
//! A bundle holds the authorities that sign a domain's X.509-SVIDs and the keys that sign its JWT-SVIDs. It speaks for
//! that one domain only; where it came from is for the operator to say, never for whoever presents a document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::json::JsonError;
use crate::limits;
use crate::spiffe_id::SpiffeIdError;
use crate::verifying_key::{VerifyingKey, VerifyingKeyError};
use crate::x509::{Authority, X509Error};

mod read;
#[cfg(test)]
mod tests;

/// Why a document was not accepted as a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error("the trust domain of the bundle cannot be one: {0}")]
    TrustDomain(SpiffeIdError),
    #[error("the bundle is longer than {} bytes", limits::BUNDLE_BYTES_MAX)]
    TooLong,
    #[error("the bundle cannot be read: {0}")]
    Json(JsonError),
    #[error("the bundle has no array `keys`, or one of more than {} keys", limits::BUNDLE_KEYS_MAX)]
    Keys,
    #[error("the member `{0}` of the bundle is not a whole number that is not negative")]
    Number(&'static str),
    #[error("a key of the bundle is not an object")]
    NotAnObject,
    #[error("a key of the bundle does not have what its use demands in the member `{0}`")]
    Member(&'static str),
    #[error("two keys of the bundle have the name `{0}`")]
    Twice(String),
    #[error("a key of the bundle cannot be used: {0}")]
    Key(VerifyingKeyError),
    #[error("a certificate of the bundle cannot be used: {0}")]
    Certificate(X509Error),
    #[error("a certificate of the bundle has another key than the JWK around it")]
    OtherKey,
}

impl BundleError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        "take the bundle from the bundle endpoint of the other trust domain, in SPIFFE's own format"
    }
}

/// A key that signs the JWT-SVIDs of a trust domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtAuthority {
    /// Its name, which is unique in the bundle.
    pub kid: String,
    /// The key.
    pub key: VerifyingKey,
}

/// The bundle of one trust domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    trust_domain: String,
    x509_authorities: Vec<Authority>,
    jwt_authorities: Vec<JwtAuthority>,
    sequence: Option<u64>,
    refresh_hint_seconds: Option<u64>,
}

impl Bundle {
    pub(crate) fn own(
        trust_domain: String,
        x509_authorities: Vec<Authority>,
        tokens: Vec<(String, VerifyingKey)>,
        sequence: u64,
    ) -> Self {
        let jwt_authorities = tokens.into_iter().map(|(kid, key)| JwtAuthority { kid, key }).collect();
        let refresh_hint_seconds = Some(limits::BUNDLE_REFRESH_SECONDS);
        Self { trust_domain, x509_authorities, jwt_authorities, sequence: Some(sequence), refresh_hint_seconds }
    }

    /// The trust domain that the bundle speaks for.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The authorities that sign X.509-SVIDs.
    pub fn x509_authorities(&self) -> &[Authority] {
        &self.x509_authorities
    }

    /// Their certificates in DER form. The Workload API sends them one after another, TLS takes them as roots.
    pub fn x509_authorities_der(&self) -> Vec<&[u8]> {
        self.x509_authorities.iter().map(Authority::der).collect()
    }

    /// The keys that sign JWT-SVIDs.
    pub fn jwt_authorities(&self) -> &[JwtAuthority] {
        &self.jwt_authorities
    }

    /// The key named `kid` that signs JWT-SVIDs.
    pub fn jwt_authority(&self, kid: &str) -> Option<&VerifyingKey> {
        self.jwt_authorities.iter().find(|authority| authority.kid == kid).map(|authority| &authority.key)
    }

    /// A number that grows whenever the bundle changes.
    pub fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// After how many seconds to look for a newer one, as its publisher would have it.
    pub fn refresh_hint_seconds(&self) -> Option<u64> {
        self.refresh_hint_seconds
    }

    /// The whole bundle as a SPIFFE JWK Set, as bundle endpoints serve it.
    pub fn to_spiffe_jwks(&self) -> Value {
        let keys = self.x509_authorities.iter().map(x509_jwk).chain(self.jwt_authorities.iter().map(jwt_jwk));
        let mut set = json!({"keys": keys.collect::<Vec<_>>()});
        if let Some(members) = set.as_object_mut() {
            members.extend(self.sequence.map(|sequence| ("spiffe_sequence".to_owned(), sequence.into())));
            members.extend(self.refresh_hint_seconds.map(|hint| ("spiffe_refresh_hint".to_owned(), hint.into())));
        }
        set
    }

    /// The keys of JWT-SVIDs only, as the Workload API's `FetchJWTBundles` sends them.
    pub fn to_jwt_jwks(&self) -> Value {
        json!({"keys": self.jwt_authorities.iter().map(jwt_jwk).collect::<Vec<_>>()})
    }
}

/// An authority as a JWK: `use` is `x509-svid`, one certificate in `x5c`, no `kid`.
pub(crate) fn x509_jwk(authority: &Authority) -> Value {
    let mut jwk = authority.key().to_value();
    if let Some(members) = jwk.as_object_mut() {
        members.insert("use".to_owned(), "x509-svid".into());
        // RFC 7517 section 4.7: ordinary base64, unlike everything else in a JWK.
        members.insert("x5c".to_owned(), json!([STANDARD.encode(authority.der())]));
    }
    jwk
}

fn jwt_jwk(authority: &JwtAuthority) -> Value {
    let mut jwk = authority.key.to_value();
    if let Some(members) = jwk.as_object_mut() {
        members.insert("use".to_owned(), "jwt-svid".into());
        members.insert("kid".to_owned(), authority.kid.as_str().into());
    }
    jwk
}
