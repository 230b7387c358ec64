//! Enrolment: how an agent's own key becomes known, with a code that works once.
//!
//! A person is shown a code; the agent's machine makes a key, and proves with one signed document that it holds both. Only
//! the code's digest is ever kept, and it may be public: a proof is checked against the code itself, so who has merely
//! read the digest can enrol nothing.

use std::fmt;
use std::fmt::Write as _;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::json::Members;
use crate::jws::{self, Header, JwsError, UnverifiedJws};
use crate::random::random_bytes;
use crate::{PublicJwk, RandomnessError, SigningKey, base64url, digest, limits};

#[cfg(test)]
mod tests;

const TYPE: &str = "remit-enrolment+jwt";
const PREFIX: &str = "enr_";

/// A code for one enrolment: `enr_` and 64 hexadecimal digits.
#[derive(Clone)]
pub struct EnrolmentCode(Zeroizing<String>);

impl EnrolmentCode {
    /// A new random code.
    pub fn generate() -> Result<Self, RandomnessError> {
        let random = random_bytes::<{ limits::CODE_RANDOM_BYTES }>()?;
        let mut code = Zeroizing::new(String::with_capacity(PREFIX.len() + 2 * limits::CODE_RANDOM_BYTES));
        code.push_str(PREFIX);
        for byte in random.iter() {
            // Writing to a string cannot fail.
            let _ = write!(code, "{byte:02x}");
        }
        Ok(Self(code))
    }

    /// Reads a code as somebody typed or sent it.
    pub fn parse(text: &str) -> Result<Self, EnrolmentError> {
        let digits = text.strip_prefix(PREFIX).ok_or(EnrolmentError::Code)?;
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 2 * limits::CODE_RANDOM_BYTES || !digits.bytes().all(hexadecimal) {
            return Err(EnrolmentError::Code);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The code itself, to be shown once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of the code: SHA-256 of its text.
    pub fn digest(&self) -> [u8; 32] {
        digest::sha256(self.0.as_bytes())
    }
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EnrolmentCode(secret)")
    }
}

/// What an enrolment proof says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnrolmentClaims {
    /// The issuer identifier of the realm to enrol with.
    pub aud: String,
    /// SHA-256 of the code, in base64url.
    pub code_hash: String,
    /// The agent that the key is for.
    pub agent: String,
    /// When the proof was made, in seconds since 1970.
    pub iat: i64,
    /// The proof's own name.
    pub jti: String,
}

impl EnrolmentClaims {
    /// Claims that use `code` to enrol a key for `agent` with the realm `issuer`.
    pub fn new(issuer: &str, code: &EnrolmentCode, agent: &str, iat: i64, jti: &str) -> Self {
        let code_hash = base64url::encode(code.digest());
        Self { aud: issuer.to_owned(), code_hash, agent: agent.to_owned(), iat, jti: jti.to_owned() }
    }
}

/// Why an enrolment was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentError {
    #[error("this is not an enrolment code")]
    Code,
    #[error("the enrolment proof cannot be read: {0}")]
    Malformed(JwsError),
    #[error("this is not an enrolment proof but another kind of document")]
    Type,
    #[error("the enrolment proof does not carry a public P-256 key")]
    Key,
    #[error("the signature of the enrolment proof does not match its key")]
    Signature,
    #[error("the enrolment proof is for another realm")]
    Audience,
    #[error("the enrolment proof was not made within {} seconds of now", limits::ENROLMENT_WINDOW_SECONDS)]
    Stale,
    #[error("the enrolment proof was made for another code")]
    OtherCode,
}

impl EnrolmentError {
    /// A short name that never changes, for records and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Code => "enrolment_code",
            Self::Malformed(_) => "enrolment_malformed",
            Self::Type => "enrolment_type",
            Self::Key => "enrolment_key",
            Self::Signature => "enrolment_signature",
            Self::Audience => "enrolment_audience",
            Self::Stale => "enrolment_stale",
            Self::OtherCode => "enrolment_other_code",
        }
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Stale => "set the clocks of both machines right",
            Self::Code | Self::OtherCode => "copy the whole code, or ask the agent's owner for a new one",
            Self::Audience => "enrol with the realm that issued the code",
            _ => "let the `remit` command make the proof",
        }
    }
}

impl From<JwsError> for EnrolmentError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Key(_) => Self::Key,
            JwsError::Signature => Self::Signature,
            other => Self::Malformed(other),
        }
    }
}

/// What the realm expects of an enrolment proof.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The realm's issuer identifier, compared byte for byte.
    pub issuer: &'a str,
    /// The code that came with the proof. Whether it is open is for the caller to look up by its digest.
    pub code: &'a EnrolmentCode,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// Makes a proof with the key that is to be enrolled.
pub fn make(key: &SigningKey, claims: &EnrolmentClaims) -> Result<String, JwsError> {
    jws::sign(&Header { typ: TYPE, kid: None, jwk: Some(key.public()) }, claims, key)
}

/// The key to enrol and what was said about it, if the sender holds both the key and the code.
pub fn verify(proof: &str, expect: &Expect<'_>) -> Result<(PublicJwk, EnrolmentClaims), EnrolmentError> {
    let proof = UnverifiedJws::parse(proof)?;
    if !proof.is_type(TYPE) {
        return Err(EnrolmentError::Type);
    }
    let key = proof.jwk().cloned().ok_or(EnrolmentError::Key)?;
    let claims = read(&proof.verify(&key)?).map_err(EnrolmentError::Malformed)?;
    if claims.aud != expect.issuer {
        return Err(EnrolmentError::Audience);
    }
    if expect.now.abs_diff(claims.iat) > limits::ENROLMENT_WINDOW_SECONDS.unsigned_abs() {
        return Err(EnrolmentError::Stale);
    }
    let wanted = base64url::encode(expect.code.digest());
    if !digest::equal(claims.code_hash.as_bytes(), wanted.as_bytes()) {
        return Err(EnrolmentError::OtherCode);
    }
    Ok((key, claims))
}

fn read(claims: &Members) -> Result<EnrolmentClaims, JwsError> {
    let text = |name| claims.text(name).map(str::to_owned).map_err(JwsError::Claims);
    Ok(EnrolmentClaims {
        aud: text("aud")?,
        code_hash: text("code_hash")?,
        agent: text("agent")?,
        iat: claims.seconds("iat").map_err(JwsError::Claims)?,
        jti: claims.jti().map_err(JwsError::Claims)?.to_owned(),
    })
}
