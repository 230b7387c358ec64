//! The agent's own side of enrolment: a key is made where it is used, and only its public part leaves.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use remit_domain::Refusal;
use remit_identity::code::OneTimeCode;
use remit_identity::enrol::{self, EnrolmentClaims, EnrolmentCode};
use remit_identity::{SigningKey, base64url};
use serde_json::json;
use zeroize::Zeroizing;

use super::output::text_at;
use super::{Client, Failure, Output};

/// Makes a key, enrols it for the agent `name` with `code`, and keeps it in `file` (PKCS#8, base64url).
pub async fn enrol(
    client: &Client,
    output: &Output,
    name: &str,
    code: &str,
    issuer: &str,
    file: &Path,
) -> Result<(), Failure> {
    let code =
        EnrolmentCode::parse(code).map_err(|error| Refusal::new(error.code(), error.to_string()).help(error.help()))?;
    let unusable =
        |error: &dyn std::fmt::Display| Failure::fault(format!("no key can be made: {error}"), "check the machine");
    let (key, private) = SigningKey::generate().map_err(|error| unusable(&error))?;
    let jti = OneTimeCode::generate("enp_").map_err(|error| unusable(&error))?;
    let claims = EnrolmentClaims::new(issuer, &code, name, jiff::Timestamp::now().as_second(), jti.expose());
    let proof = enrol::make(&key, &claims).map_err(|error| unusable(&error))?;
    // Kept before it is enrolled: a key that the realm knows and nobody has would only use up the code.
    let text = Zeroizing::new(base64url::encode(private.as_bytes()));
    write_private(file, text.as_bytes()).map_err(|error| Failure::new_file(file, &error, "--key"))?;
    let body = json!({"agent": name, "code": code.expose(), "proof": proof});
    let enrolled = match client.post("/v1/enrol", body).await {
        Ok(enrolled) => enrolled,
        Err(failure) => {
            // It is worth nothing now, and a second try needs the place.
            let _ = std::fs::remove_file(file);
            return Err(failure);
        }
    };
    let thumbprint = text_at(&enrolled, "/key");
    output.done(
        &enrolled,
        &format!("enrolled the key {thumbprint} for {name}; its private part is in {}", file.display()),
    );
    Ok(())
}

/// A new file that only this user reads; one that is there already is never overwritten.
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}
