//! A new passkey (section 7.1).

use super::authenticator_data::AuthenticatorData;
use super::cbor::{self, Cbor};
use super::client_data::ClientData;
use super::key::PasskeyKey;
use super::{Expect, WebauthnError};
use crate::{base64url, limits};

/// What a browser sends back after `navigator.credentials.create()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The id that the browser gives for the credential, base64url.
    pub credential: String,
    pub client_data: Vec<u8>,
    pub attestation_object: Vec<u8>,
}

/// A passkey that may be enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The credential's id, base64url.
    pub credential: String,
    pub key: PasskeyKey,
    pub sign_count: u32,
    pub backed_up: bool,
}

/// Verifies a registration. The caller has made sure that the challenge is its own, fresh and used once.
///
/// # Errors
/// Whatever of section 7.1 does not hold.
pub fn register(registration: &Registration, expect: &Expect<'_>) -> Result<Enrolled, WebauthnError> {
    // Steps 5 to 12: what the browser says.
    ClientData::parse(&registration.client_data)?.must_answer("webauthn.create", expect)?;
    // Step 14: the attestation object.
    if registration.attestation_object.len() > limits::ATTESTATION_BYTES_MAX {
        return Err(WebauthnError::Attestation);
    }
    let object = cbor::parse(&registration.attestation_object).ok_or(WebauthnError::Attestation)?;
    // Steps 22 to 24: a format and a statement have to be there; nothing is taken from them. Where the format is `none` there
    // is nothing to state (section 8.7).
    match (object.named("fmt").and_then(Cbor::text), object.named("attStmt")) {
        (Some("none"), Some(Cbor::Map(statement))) if !statement.is_empty() => return Err(WebauthnError::Attestation),
        (Some(_), Some(Cbor::Map(_))) => {}
        _ => return Err(WebauthnError::Attestation),
    }
    let data = object.named("authData").and_then(Cbor::bytes).ok_or(WebauthnError::Attestation)?;
    let data = AuthenticatorData::parse(data)?;
    // Steps 15 to 19: for us, with a person there who was verified.
    data.must_be_for(expect)?;
    let (id, key) = data.attested.as_ref().ok_or(WebauthnError::Attestation)?;
    let credential = base64url::encode(id);
    if credential != registration.credential {
        return Err(WebauthnError::Credential);
    }
    // Step 20: a key of a kind that was asked for.
    let key = PasskeyKey::from_cose(key)?;
    Ok(Enrolled { credential, key, sign_count: data.sign_count, backed_up: data.is_backed_up() })
}
