//! Anchors: digests that name what was asked for and what was approved, and that anybody can compute again.

use serde::Serialize;
use serde_json::Value;

use super::MissionError;
use crate::{base64url, digest};

/// The only algorithm. A text with another prefix is refused rather than guessed at.
const PREFIX: &str = "sha-256:";

/// The largest whole number that every reader of JSON has exactly (RFC 8785 section 3.1, RFC 7493 section 2.2).
const EXACT_MAX: u64 = (1 << 53) - 1;

/// What is hashed. The type keeps anchors of different kinds apart, the issuer those of different realms.
#[derive(Serialize)]
struct Envelope<'a> {
    typ: &'a str,
    iss: &'a str,
    value: Value,
}

/// The anchor of an intent, as it was submitted.
pub fn intent_hash(issuer: &str, intent: &impl Serialize) -> Result<String, MissionError> {
    anchor("mission-intent", issuer, intent)
}

/// The anchor of the authority that a client proposed, as it was submitted.
pub fn proposal_hash(issuer: &str, proposed: &impl Serialize) -> Result<String, MissionError> {
    anchor("mission-proposed-authority", issuer, proposed)
}

/// The anchor of the authority that was approved.
pub fn authority_hash(issuer: &str, authority: &impl Serialize) -> Result<String, MissionError> {
    anchor("mission-authority-set", issuer, authority)
}

/// The anchor of one entry of it.
pub fn entry_digest(issuer: &str, entry: &impl Serialize) -> Result<String, MissionError> {
    anchor("mission-authority-entry", issuer, entry)
}

/// The digest of the parameters of a call: all of them, in their canonical form (RFC 8785).
pub fn parameter_digest(parameters: &Value) -> Result<String, MissionError> {
    hash(parameters, parameters)
}

/// Reads an anchor.
pub fn parse_anchor(text: &str) -> Result<[u8; 32], MissionError> {
    let encoded = text.strip_prefix(PREFIX).ok_or(MissionError::Anchor)?;
    base64url::decode_exactly(encoded).map_err(|_| MissionError::Anchor)
}

fn anchor(typ: &str, iss: &str, value: &impl Serialize) -> Result<String, MissionError> {
    let value = serde_json::to_value(value).map_err(|_| MissionError::Number)?;
    let envelope = Envelope { typ, iss, value };
    hash(&envelope, &envelope.value)
}

fn hash(document: &impl Serialize, value: &Value) -> Result<String, MissionError> {
    if !is_exact(value) {
        return Err(MissionError::Number);
    }
    let canonical = serde_json_canonicalizer::to_vec(document).map_err(|_| MissionError::Number)?;
    Ok(format!("{PREFIX}{}", base64url::encode(digest::sha256(&canonical))))
}

/// Whether the canonical form keeps every whole number. It writes numbers as doubles, so two large ones that differ
/// could otherwise have one digest.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number <= EXACT_MAX,
            (None, Some(number)) => number.unsigned_abs() <= EXACT_MAX,
            (None, None) => true,
        },
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
