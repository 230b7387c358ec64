//! Documents that others sign: JWTs of identity providers, of event transmitters and of OAuth clients, held against the
//! keys that they publish.
//!
//! This is the one place where a document's header names an algorithm, since the world uses several. It chooses among
//! asymmetric ones only, and the key has to be made for it (RFC 8725 section 3.1). A key that the document itself brings
//! along, or points to, is never looked at.

use serde_json::Value;

use crate::json::{JsonError, Members};
use crate::{base64url, limits};

mod algorithm;
mod error;
mod keys;
mod rules;
#[cfg(test)]
pub(crate) mod tests;

pub use algorithm::Algorithm;
pub use error::ForeignError;
pub use keys::{ForeignKey, KeySet, KeySetError};
pub use rules::{ClaimRules, RuleError};

/// What a reader expects of a foreign JWT.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The issuer whose keys are used, compared byte for byte.
    pub issuer: &'a str,
    /// The one audience that it must be for, compared byte for byte.
    pub audience: &'a str,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// A well-formed JWT whose signature nobody has checked yet.
#[derive(Debug, Clone)]
pub struct ForeignJwt<'a> {
    signed: &'a str,
    algorithm: Algorithm,
    header: Members,
    claims: Members,
    signature: Vec<u8>,
}

impl<'a> ForeignJwt<'a> {
    /// Reads a JWT as it came, without believing it.
    pub fn parse(token: &'a str) -> Result<Self, ForeignError> {
        if token.len() > limits::FOREIGN_JWT_BYTES_MAX {
            return Err(ForeignError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(ForeignError::Parts)?;
        let (header, claims) = signed.split_once('.').ok_or(ForeignError::Parts)?;
        if claims.contains('.') {
            return Err(ForeignError::Parts);
        }
        let part = |text| base64url::decode(text).map_err(|_| ForeignError::Parts);
        let header = Members::parse(&part(header)?).map_err(ForeignError::Header)?;
        let algorithm = Algorithm::parse(header.text("alg").map_err(ForeignError::Header)?);
        let algorithm = algorithm.ok_or(ForeignError::Algorithm)?;
        if header.value("crit").is_some() {
            return Err(ForeignError::Critical);
        }
        for name in ["typ", "kid"] {
            header.optional_text(name).map_err(ForeignError::Header)?;
        }
        let claims = Members::parse(&part(claims)?)?;
        Ok(Self { signed, algorithm, header, claims, signature: part(signature)? })
    }

    /// The kind of document that the header names, without the prefix `application/`.
    pub fn typ(&self) -> Option<&str> {
        let typ = self.header.optional_text("typ").ok().flatten()?;
        Some(typ.strip_prefix("application/").unwrap_or(typ))
    }

    /// The name of the key, as the header claims.
    pub fn kid(&self) -> Option<&str> {
        self.header.optional_text("kid").ok().flatten()
    }

    /// A claim that nobody has proved, for finding the keys to check it with and nothing else.
    pub fn claimed(&self, name: &'static str) -> Result<&str, ForeignError> {
        Ok(self.claims.text(name)?)
    }

    /// The claims of a token about a workload or a person, if the issuer signed them and they hold now.
    pub fn verify(self, keys: &KeySet, expect: &Expect<'_>) -> Result<Members, ForeignError> {
        // Events, logout tokens and proofs are signed with the same keys, and are no identities.
        if !matches!(self.typ(), None | Some("JWT" | "jwt" | "at+jwt")) {
            return Err(ForeignError::Type);
        }
        let claims = self.signed_by(keys)?;
        check_parties(&claims, expect)?;
        let now = expect.now;
        let late = |time: i64| time > now.saturating_add(limits::FOREIGN_SKEW_SECONDS);
        if claims.seconds("exp")?.saturating_add(limits::FOREIGN_SKEW_SECONDS) <= now {
            return Err(ForeignError::Expired);
        }
        if claims.optional_seconds("nbf")?.is_some_and(late) || claims.optional_seconds("iat")?.is_some_and(late) {
            return Err(ForeignError::NotYetValid);
        }
        Ok(claims)
    }

    /// The claims, if one of `keys` signed them. Everything that they say is still to be judged.
    pub(crate) fn signed_by(self, keys: &KeySet) -> Result<Members, ForeignError> {
        let key = keys.find(self.kid()).ok_or(ForeignError::KeyUnknown)?;
        if !key.is_for(self.algorithm) {
            return Err(ForeignError::KeyUse);
        }
        if key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature) {
            Ok(self.claims)
        } else {
            Err(ForeignError::Signature)
        }
    }
}

/// Issuer and audience of claims whose signature held.
pub(crate) fn check_parties(claims: &Members, expect: &Expect<'_>) -> Result<(), ForeignError> {
    if claims.text("iss")? != expect.issuer {
        return Err(ForeignError::Issuer);
    }
    // A list of one is as good as a text. A token for several audiences can be passed on by any of them.
    let audience = match claims.value("aud") {
        Some(Value::String(audience)) => Some(audience.as_str()),
        Some(Value::Array(audiences)) => match audiences.as_slice() {
            [audience] => audience.as_str(),
            _ => None,
        },
        _ => None,
    };
    if audience == Some(expect.audience) { Ok(()) } else { Err(ForeignError::Audience) }
}

impl From<JsonError> for ForeignError {
    fn from(error: JsonError) -> Self {
        Self::Claims(error)
    }
}
