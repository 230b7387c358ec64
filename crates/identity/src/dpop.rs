//! Proof of possession for single requests (DPoP, RFC 9449): a stolen token is of no use without its key.

use serde::Serialize;

use crate::htu;
use crate::jws::{self, Header, JwsError, UnverifiedJws};
use crate::{SigningKey, base64url, digest, limits};

mod error;
#[cfg(test)]
mod tests;

pub use error::{DpopError, MakeProofError};

const TYPE: &str = "dpop+jwt";

/// What the receiver of a request expects of the proof that came with it.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The method of the request. Methods are case-sensitive.
    pub htm: &'a str,
    /// The address of the request, as the client knows it. Query and fragment do not count.
    pub htu: &'a str,
    /// The access token that came along, where one did; its hash must then be in the proof.
    pub access_token: Option<&'a str>,
    /// The thumbprint of the key to which the token is bound, where there is one.
    pub jkt: Option<&'a str>,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// A proof that held. It holds once: give `jkt`, `jti` and `iat` to the [`crate::ReplayCache`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofId {
    /// Thumbprint of the key that made the proof.
    pub jkt: String,
    /// The proof's own name.
    pub jti: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
}

#[derive(Serialize)]
struct ProofClaims<'a> {
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
}

/// Checks a proof (RFC 9449 section 4.3). That there was exactly one `DPoP` header is the caller's to check, and that
/// the proof is new is the [`crate::ReplayCache`]'s.
pub fn verify_proof(proof: &str, expect: &Expect<'_>) -> Result<ProofId, DpopError> {
    let proof = UnverifiedJws::parse(proof)?;
    if !proof.is_type(TYPE) {
        return Err(DpopError::Type);
    }
    let key = proof.jwk().cloned().ok_or(DpopError::Key)?;
    let claims = proof.verify(&key)?;
    let unusable = |error| DpopError::Malformed(JwsError::Claims(error));
    if claims.text("htm").map_err(unusable)? != expect.htm {
        return Err(DpopError::Method);
    }
    let said = htu::normalise(claims.text("htu").map_err(unusable)?).map_err(|_| DpopError::Address)?;
    if htu::normalise(expect.htu) != Ok(said) {
        return Err(DpopError::Address);
    }
    let iat = claims.seconds("iat").map_err(unusable)?;
    if expect.now.abs_diff(iat) > limits::DPOP_WINDOW_SECONDS.unsigned_abs() {
        return Err(DpopError::Stale);
    }
    let ath = claims.optional_text("ath").map_err(unusable)?;
    if expect.access_token.is_some_and(|token| ath != Some(token_hash(token).as_str())) {
        return Err(DpopError::Token);
    }
    let jkt = key.thumbprint();
    if expect.jkt.is_some_and(|bound| bound != jkt) {
        return Err(DpopError::Binding);
    }
    Ok(ProofId { jkt, jti: claims.jti().map_err(unusable)?.to_owned(), iat })
}

/// Makes a proof for one request, as a client. `jti` is unique among the proofs of this key; `iat` is now, in seconds
/// since 1970. Query and fragment of `htu` are left out, as RFC 9449 section 4.2 says.
pub fn make_proof(
    key: &SigningKey,
    htm: &str,
    htu: &str,
    iat: i64,
    jti: &str,
    access_token: Option<&str>,
) -> Result<String, MakeProofError> {
    let htu = htu::normalise(htu)?;
    let claims = ProofClaims { jti, htm, htu: &htu, iat, ath: access_token.map(token_hash) };
    Ok(jws::sign(&Header { typ: TYPE, kid: None, jwk: Some(key.public()) }, &claims, key)?)
}

/// The `ath` of a token: SHA-256 of its text in base64url.
fn token_hash(token: &str) -> String {
    base64url::encode(digest::sha256(token.as_bytes()))
}
