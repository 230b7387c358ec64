//! What browsers send: `RegistrationResponseJSON` and `AuthenticationResponseJSON` (Web Authentication level 3, section 5.1).
//!
//! Members that are not known are passed over, since browsers add some; none may be there twice, and nothing is taken from them.

use remit_identity::base64url;
use remit_identity::json::{JsonError, Members};
use remit_identity::webauthn::{Assertion, Registration};

use crate::limits;

#[cfg(test)]
mod tests;

/// Reads a new credential.
///
/// # Errors
/// If it is not one.
pub fn registration(text: &str) -> Result<Registration, JsonError> {
    let (credential, response) = read(text)?;
    Ok(Registration {
        credential,
        client_data: bytes(&response, "clientDataJSON")?,
        attestation_object: bytes(&response, "attestationObject")?,
    })
}

/// Reads the assertion of a credential.
///
/// # Errors
/// If it is not one.
pub fn assertion(text: &str) -> Result<Assertion, JsonError> {
    let (credential, response) = read(text)?;
    Ok(Assertion {
        credential,
        client_data: bytes(&response, "clientDataJSON")?,
        authenticator_data: bytes(&response, "authenticatorData")?,
        signature: bytes(&response, "signature")?,
    })
}

/// The id and the response.
fn read(text: &str) -> Result<(String, Members), JsonError> {
    if text.len() > limits::CREDENTIAL_JSON_BYTES_MAX {
        return Err(JsonError::Length("response"));
    }
    let members = Members::parse(text.as_bytes())?;
    if members.value("type").and_then(|kind| kind.as_str()) != Some("public-key") {
        return Err(JsonError::NotText("type"));
    }
    let id = text_of(&members, "id")?;
    // Two names for one credential would let two readers see two.
    if text_of(&members, "rawId")? != id || bytes(&members, "id")?.is_empty() {
        return Err(JsonError::NotText("rawId"));
    }
    Ok((id.to_owned(), members.object("response")?))
}

/// Longer texts than elsewhere: an attestation may have a chain of certificates. The whole has its bound.
fn text_of<'a>(members: &'a Members, name: &'static str) -> Result<&'a str, JsonError> {
    let value = members.value(name).ok_or(JsonError::Missing(name))?;
    value.as_str().ok_or(JsonError::NotText(name))
}

fn bytes(members: &Members, name: &'static str) -> Result<Vec<u8>, JsonError> {
    base64url::decode(text_of(members, name)?).map_err(|_| JsonError::NotText(name))
}
