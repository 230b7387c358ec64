//! JWT-SVIDs: a workload's name as a bearer's document for one audience, for where a certificate cannot go (JWT-SVID
//! standard).
//!
//! Whoever holds one can use it, so it lives minutes and names one audience. Both are narrower than the standard demands.

use serde_json::{Value, json};

use crate::json::{JsonError, Members};
use crate::jws::{self, Header, JwsError};
use crate::spiffe_id::SpiffeIdError;
use crate::verifying_key::Algorithm;
use crate::x509::IssueError;
use crate::{Bundle, KeyRing, SpiffeId, base64url, limits};

#[cfg(test)]
mod tests;

/// Why a JWT-SVID was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtSvidError {
    #[error("the JWT-SVID is longer than {} bytes", limits::JWS_BYTES_MAX)]
    TooLong,
    #[error("the JWT-SVID is not three parts in base64url with dots between them")]
    Parts,
    #[error("the header of the JWT-SVID cannot be used: {0}")]
    Header(JsonError),
    #[error("the header of the JWT-SVID says more than `alg`, `kid` and `typ`")]
    ExtraHeader,
    #[error("the JWT-SVID is signed with an algorithm that the standard does not have")]
    Algorithm,
    #[error("this is not a JWT-SVID but another kind of document")]
    Type,
    #[error("the claims of the JWT-SVID cannot be used: {0}")]
    Claims(JsonError),
    #[error("the subject of the JWT-SVID is not a SPIFFE ID: {0}")]
    Subject(SpiffeIdError),
    #[error("the subject of the JWT-SVID names a trust domain and nothing in it")]
    NoPath,
    #[error("the JWT-SVID belongs to another trust domain than the bundle that it was held against")]
    TrustDomain,
    #[error("the JWT-SVID is signed with a key that its trust domain does not have, or has no longer")]
    KeyUnknown,
    #[error("the signature of the JWT-SVID does not match")]
    Signature,
    #[error("the JWT-SVID is not for this audience alone")]
    Audience,
    #[error("the JWT-SVID has expired")]
    Expired,
    #[error("the JWT-SVID was issued in the future")]
    NotYetValid,
}

impl JwtSvidError {
    /// A short name that never changes, for records and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong | Self::Parts | Self::Header(_) | Self::ExtraHeader | Self::Claims(_) => "svid_malformed",
            Self::Algorithm => "svid_algorithm",
            Self::Type => "svid_type",
            Self::Subject(_) | Self::NoPath => "svid_subject",
            Self::TrustDomain => "svid_trust_domain",
            Self::KeyUnknown => "svid_key_unknown",
            Self::Signature => "svid_signature",
            Self::Audience => "svid_audience",
            Self::Expired => "svid_expired",
            Self::NotYetValid => "svid_not_yet_valid",
        }
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Expired | Self::KeyUnknown => "fetch a new JWT-SVID from the Workload API",
            Self::NotYetValid => "set the clocks of both machines right",
            Self::Audience => "fetch a JWT-SVID for this audience and no other",
            Self::TrustDomain => "have the trust domain of the JWT-SVID configured under `[[identity.federation]]`",
            _ => "send the JWT-SVID exactly as the Workload API gave it",
        }
    }
}

/// A fresh JWT-SVID.
#[derive(Debug, Clone)]
pub struct MintedJwtSvid {
    /// The document.
    pub token: String,
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// Signs a JWT-SVID for `audience` with the realm's active token key.
///
/// # Errors
///
/// See [`IssueError`]: `id` is not of this realm, or `ttl_seconds` is not from 1 to [`limits::JWT_SVID_SECONDS_MAX`].
pub fn mint(
    ring: &KeyRing,
    id: &SpiffeId,
    audience: &str,
    ttl_seconds: i64,
    now: i64,
) -> Result<MintedJwtSvid, MintError> {
    if !(1..=limits::JWT_SVID_SECONDS_MAX).contains(&ttl_seconds) {
        return Err(IssueError::Lifetime(limits::JWT_SVID_SECONDS_MAX).into());
    }
    if !id.has_path() || ring.trust_domain() != Some(id.trust_domain()) {
        return Err(IssueError::Id(id.clone()).into());
    }
    if audience.is_empty() || audience.len() > limits::MEMBER_BYTES_MAX {
        return Err(MintError::Audience);
    }
    let key = ring.signing().map_err(IssueError::Ring)?;
    let expires_at = now.saturating_add(ttl_seconds);
    let claims = json!({"sub": id, "aud": [audience], "exp": expires_at, "iat": now});
    let token = jws::sign(&Header { typ: "JWT", kid: Some(key.kid()), jwk: None }, &claims, key)?;
    Ok(MintedJwtSvid { token, issued_at: now, expires_at })
}

/// Why a JWT-SVID was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error("the audience is empty or longer than {} bytes", limits::MEMBER_BYTES_MAX)]
    Audience,
    #[error(transparent)]
    Jws(#[from] JwsError),
}

impl MintError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Issue(error) => error.help(),
            Self::Audience => "name the one audience that the JWT-SVID is for",
            Self::Jws(_) => "ask with a shorter audience",
        }
    }
}

/// What a JWT-SVID proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSvid {
    /// Who it is.
    pub id: SpiffeId,
    /// When the document ends, in seconds since 1970.
    pub expires_at: i64,
    /// Everything that it says.
    pub claims: Members,
}

/// A JWT-SVID that nobody has checked yet.
#[derive(Debug, Clone)]
pub struct UnverifiedJwtSvid<'a> {
    signed: &'a str,
    algorithm: Algorithm,
    kid: String,
    id: SpiffeId,
    claims: Members,
    signature: Vec<u8>,
}

impl<'a> UnverifiedJwtSvid<'a> {
    /// Reads a document as it came, without believing it.
    ///
    /// # Errors
    ///
    /// See [`JwtSvidError`]: what is said about its form.
    pub fn parse(token: &'a str) -> Result<Self, JwtSvidError> {
        if token.len() > limits::JWS_BYTES_MAX {
            return Err(JwtSvidError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtSvidError::Parts)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtSvidError::Parts)?;
        let decode = |part| base64url::decode(part).map_err(|_| JwtSvidError::Parts);
        let header = Members::parse(&decode(header)?).map_err(JwtSvidError::Header)?;
        let algorithm = header.text("alg").map_err(JwtSvidError::Header)?;
        let algorithm = Algorithm::parse(algorithm).ok_or(JwtSvidError::Algorithm)?;
        if !header.as_map().keys().all(|name| matches!(name.as_str(), "alg" | "kid" | "typ")) {
            return Err(JwtSvidError::ExtraHeader);
        }
        let typ = header.optional_text("typ").map_err(JwtSvidError::Header)?;
        if !matches!(typ, None | Some("JWT" | "JOSE")) {
            return Err(JwtSvidError::Type);
        }
        let kid = header.text("kid").map_err(JwtSvidError::Header)?.to_owned();
        let signature = decode(signature)?;
        let claims = Members::parse(&decode(claims)?).map_err(JwtSvidError::Claims)?;
        let id = SpiffeId::parse(claims.text("sub").map_err(JwtSvidError::Claims)?).map_err(JwtSvidError::Subject)?;
        if !id.has_path() {
            return Err(JwtSvidError::NoPath);
        }
        Ok(Self { signed, algorithm, kid, id, claims, signature })
    }

    /// The name that the document claims, for finding the bundle of its trust domain and nothing else.
    pub fn claimed_id(&self) -> &SpiffeId {
        &self.id
    }

    /// The name of the key that it says to be signed with.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it proves, if a key in `bundle` signed it and it holds for `audience` at `now`.
    ///
    /// # Errors
    ///
    /// See [`JwtSvidError`]; among them, that `bundle` is that of another trust domain.
    pub fn verify(self, bundle: &Bundle, audience: &str, now: i64) -> Result<JwtSvid, JwtSvidError> {
        if bundle.trust_domain() != self.id.trust_domain() {
            return Err(JwtSvidError::TrustDomain);
        }
        let key = bundle.jwt_authority(&self.kid).ok_or(JwtSvidError::KeyUnknown)?;
        if !key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(JwtSvidError::Signature);
        }
        if !is_for(&self.claims, audience) {
            return Err(JwtSvidError::Audience);
        }
        let expires_at = self.claims.seconds("exp").map_err(JwtSvidError::Claims)?;
        if now >= expires_at {
            return Err(JwtSvidError::Expired);
        }
        for name in ["iat", "nbf"] {
            if self.claims.value(name).is_some() {
                let since = self.claims.seconds(name).map_err(JwtSvidError::Claims)?;
                if since > now.saturating_add(limits::IAT_AHEAD_SECONDS_MAX) {
                    return Err(JwtSvidError::NotYetValid);
                }
            }
        }
        Ok(JwtSvid { id: self.id, expires_at, claims: self.claims })
    }
}

/// What `token` proves, if a key in `bundle`, which must be that of its own trust domain, signed it and it holds for
/// `audience` alone at `now`.
///
/// # Errors
///
/// See [`JwtSvidError`].
pub fn verify(token: &str, bundle: &Bundle, audience: &str, now: i64) -> Result<JwtSvid, JwtSvidError> {
    UnverifiedJwtSvid::parse(token)?.verify(bundle, audience, now)
}

/// One audience, as text or as an array of one. A document for several can be passed on by any of them, so it is refused.
fn is_for(claims: &Members, audience: &str) -> bool {
    match claims.value("aud") {
        Some(Value::String(only)) => only == audience,
        Some(Value::Array(all)) => matches!(all.as_slice(), [Value::String(only)] if only == audience),
        _ => false,
    }
}
