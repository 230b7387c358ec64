//! Signed documents in compact form (JWS, RFC 7515), with the advice of RFC 8725 built in.
//!
//! The algorithm is ES256, always: a header that names another is refused before any key is looked at, so neither
//! `none` nor an HMAC keyed with a public key has a way in. Which key to use is the caller's decision.

use serde::Serialize;
use serde_json::json;

use crate::json::{JsonError, Members};
use crate::jwk::JwkError;
use crate::key::KeyError;
use crate::{PublicJwk, SigningKey, base64url, limits};

#[cfg(test)]
pub(crate) mod tests;

/// Why a text was not accepted as a signed document, or could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    #[error("the document is longer than a document of its kind may be")]
    TooLong,
    #[error("the document does not have exactly three parts with dots between them")]
    Parts,
    #[error("a part of the document is not base64url without padding, or its signature is not 64 bytes long")]
    Encoding,
    #[error("the header of the document cannot be used: {0}")]
    Header(JsonError),
    #[error("the document is not signed with ES256")]
    Algorithm,
    #[error("the header of the document demands an extension with `crit`, and none is supported")]
    Critical,
    #[error("the key in the header of the document cannot be used: {0}")]
    Key(JwkError),
    #[error("the claims of the document cannot be used: {0}")]
    Claims(JsonError),
    #[error("the signature of the document does not match")]
    Signature,
    #[error("the document could not be signed")]
    Unsignable,
}

impl From<KeyError> for JwsError {
    fn from(_: KeyError) -> Self {
        Self::Unsignable
    }
}

/// What a header says besides its algorithm.
#[derive(Debug, Clone, Default)]
pub struct Header<'a> {
    /// The kind of document (RFC 8725 section 3.11).
    pub typ: &'a str,
    /// The name of the key that signs.
    pub kid: Option<&'a str>,
    /// The key that signs, where the document itself has to carry it.
    pub jwk: Option<&'a PublicJwk>,
}

/// Signs `claims` with `key`. Fails too where the result would be longer than we would read ourselves.
pub fn sign(header: &Header<'_>, claims: &impl Serialize, key: &SigningKey) -> Result<String, JwsError> {
    sign_within(header, claims, key, limits::JWS_BYTES_MAX)
}

/// As [`sign`], with another bound on the result, for the few kinds of document that are long by nature.
pub(crate) fn sign_within(
    header: &Header<'_>,
    claims: &impl Serialize,
    key: &SigningKey,
    bytes_max: usize,
) -> Result<String, JwsError> {
    let mut members = json!({"alg": "ES256", "typ": header.typ});
    if let Some(members) = members.as_object_mut() {
        members.extend(header.kid.map(|kid| ("kid".to_owned(), kid.into())));
        members.extend(header.jwk.map(|jwk| ("jwk".to_owned(), jwk.to_value())));
    }
    let claims = serde_json::to_vec(claims).map_err(|_| JwsError::Unsignable)?;
    let mut document = format!("{}.{}", base64url::encode(members.to_string()), base64url::encode(claims));
    let signature = key.sign(document.as_bytes())?;
    document.push('.');
    document.push_str(&base64url::encode(signature));
    if document.len() > bytes_max { Err(JwsError::TooLong) } else { Ok(document) }
}

/// A well-formed document whose signature nobody has checked yet. It gives out what is needed to find the key, and its
/// claims only against one.
#[derive(Debug, Clone)]
pub struct UnverifiedJws<'a> {
    signed: &'a str,
    header: Members,
    claims: Members,
    jwk: Option<PublicJwk>,
    signature: [u8; 64],
}

impl<'a> UnverifiedJws<'a> {
    /// Reads a document and its header, strictly.
    pub fn parse(document: &'a str) -> Result<Self, JwsError> {
        Self::parse_within(document, limits::JWS_BYTES_MAX)
    }

    /// As [`UnverifiedJws::parse`], with another bound on the length.
    pub(crate) fn parse_within(document: &'a str, bytes_max: usize) -> Result<Self, JwsError> {
        if document.len() > bytes_max {
            return Err(JwsError::TooLong);
        }
        let (signed, signature) = document.rsplit_once('.').ok_or(JwsError::Parts)?;
        let (header, claims) = signed.split_once('.').ok_or(JwsError::Parts)?;
        if claims.contains('.') {
            return Err(JwsError::Parts);
        }
        let header = base64url::decode(header).map_err(|_| JwsError::Encoding)?;
        let header = Members::parse(&header).map_err(JwsError::Header)?;
        // The algorithm comes before everything else about the document: nothing is done with one that we do not sign.
        if header.text("alg").map_err(JwsError::Header)? != "ES256" {
            return Err(JwsError::Algorithm);
        }
        if header.value("crit").is_some() {
            return Err(JwsError::Critical);
        }
        for name in ["typ", "kid"] {
            header.optional_text(name).map_err(JwsError::Header)?;
        }
        let jwk = header.value("jwk").map(PublicJwk::parse).transpose().map_err(JwsError::Key)?;
        let signature = base64url::decode_exactly(signature).map_err(|_| JwsError::Encoding)?;
        let claims = base64url::decode(claims).map_err(|_| JwsError::Encoding)?;
        let claims = Members::parse(&claims).map_err(JwsError::Claims)?;
        Ok(Self { signed, header, claims, jwk, signature })
    }

    /// Whether the header says that this is a document of the kind `typ`. The prefix `application/` may be there or not
    /// (RFC 7515 section 4.1.9).
    pub fn is_type(&self, typ: &str) -> bool {
        let said = self.typ().unwrap_or_default();
        said.strip_prefix("application/").unwrap_or(said) == typ
    }

    /// The kind of document that the header names, if any.
    pub fn typ(&self) -> Option<&str> {
        self.header.optional_text("typ").ok().flatten()
    }

    /// The name of the key, as the header claims.
    pub fn kid(&self) -> Option<&str> {
        self.header.optional_text("kid").ok().flatten()
    }

    /// The key that the header carries, if any. Its owner is whoever the caller finds it to be.
    pub fn jwk(&self) -> Option<&PublicJwk> {
        self.jwk.as_ref()
    }

    /// A claim that nobody has proved, for finding the key to check it with and nothing else.
    pub(crate) fn unproved_text(&self, name: &'static str) -> Result<&str, JwsError> {
        self.claims.text(name).map_err(JwsError::Claims)
    }

    /// The claims of a document that we have just signed ourselves, for seeing whether we could read them.
    pub(crate) fn own_claims(&self) -> &Members {
        &self.claims
    }

    /// The claims, if `key` signed them.
    pub fn verify(self, key: &PublicJwk) -> Result<Members, JwsError> {
        if key.verifies(self.signed.as_bytes(), &self.signature) { Ok(self.claims) } else { Err(JwsError::Signature) }
    }
}
