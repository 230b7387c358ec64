//! A passkey that is shown (section 7.2).

use super::authenticator_data::AuthenticatorData;
use super::client_data::ClientData;
use super::key::PasskeyKey;
use super::{Expect, WebauthnError};
use crate::{digest, limits};

/// What a browser sends back after `navigator.credentials.get()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The credential's id, base64url.
    pub credential: String,
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    pub signature: Vec<u8>,
}

/// How a passkey was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The authenticator's count; the caller compares it with the last one (section 6.1.1).
    pub sign_count: u32,
    pub backed_up: bool,
    /// SHA-256 of the relying party's id for which the authenticator signed.
    pub rp_id_hash: [u8; 32],
}

impl Used {
    /// Whether it was used for the relying party `rp_id`.
    pub fn is_for(&self, rp_id: &str) -> bool {
        self.rp_id_hash == digest::sha256(rp_id.as_bytes())
    }
}

/// Verifies an assertion by `key`. The caller has found the key by the credential's id, which says whose it is (steps 5 and 6: no
/// user handle is needed for that), and has made sure that the challenge is its own, or follows from what is signed.
///
/// # Errors
/// Whatever of section 7.2 does not hold.
pub fn check(key: &PasskeyKey, assertion: &Assertion, expect: &Expect<'_>) -> Result<Used, WebauthnError> {
    // Steps 10 to 14: what the browser says.
    ClientData::parse(&assertion.client_data)?.must_answer("webauthn.get", expect)?;
    // Steps 15 to 18: for us, with a person there who was verified.
    let data = read(&assertion.authenticator_data)?;
    data.must_be_for(expect)?;
    // Steps 20 and 21.
    let used = signed(key, &data, &assertion.authenticator_data, &assertion.client_data, &assertion.signature)?;
    Ok(used)
}

/// Verifies an assertion that is on record, when there is nothing to compare it with but the record: who reads it compares the
/// challenge, and for whom it was.
///
/// # Errors
/// If it is not a signature of `key` that a person gave.
pub fn check_signature(
    key: &PasskeyKey,
    authenticator_data: &[u8],
    client_data: &[u8],
    signature: &[u8],
) -> Result<(ClientData, Used), WebauthnError> {
    let said = ClientData::parse(client_data)?;
    if said.kind != "webauthn.get" {
        return Err(WebauthnError::Ceremony);
    }
    if said.cross_origin {
        return Err(WebauthnError::CrossOrigin);
    }
    let data = read(authenticator_data)?;
    data.must_be_attended()?;
    let used = signed(key, &data, authenticator_data, client_data, signature)?;
    Ok((said, used))
}

fn read(bytes: &[u8]) -> Result<AuthenticatorData, WebauthnError> {
    if bytes.len() > limits::AUTHENTICATOR_DATA_BYTES_MAX {
        return Err(WebauthnError::AuthenticatorData);
    }
    AuthenticatorData::parse(bytes)
}

fn signed(
    key: &PasskeyKey,
    data: &AuthenticatorData,
    authenticator_data: &[u8],
    client_data: &[u8],
    signature: &[u8],
) -> Result<Used, WebauthnError> {
    let message = [authenticator_data, &digest::sha256(client_data)].concat();
    if signature.len() > limits::PASSKEY_SIGNATURE_BYTES_MAX || !key.verifies(&message, signature) {
        return Err(WebauthnError::Signature);
    }
    Ok(Used { sign_count: data.sign_count, backed_up: data.is_backed_up(), rp_id_hash: data.rp_id_hash })
}
