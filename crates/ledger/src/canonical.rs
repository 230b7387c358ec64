//! The one byte form of a JSON document, for everything that is hashed or signed (RFC 8785).

use serde::Serialize;

#[cfg(test)]
mod tests;
mod writer;

/// The largest whole number that every JSON reader keeps exactly: 2^53 - 1 (RFC 8785 section 3.2.2.3, RFC 7493
/// section 2.2).
const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// Why a value has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    #[error("the value cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
    #[error("the number `{number}` is outside ±(2^53 - 1), where others would round it")]
    NumberOutside { number: String },
}

impl CanonicalError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unwritable(_) => "give objects distinct keys, each a text",
            Self::NumberOutside { .. } => "carry the number as a string",
        }
    }
}

/// Writes `value` in its canonical form: no white space, members sorted, one spelling for each number and string.
///
/// NaN and the infinities, which JSON does not have, become `null` inside arrays and objects, as `serde_json` writes
/// them everywhere else; so the canonical form of a value is always that of the JSON that others get to see.
///
/// # Errors
///
/// If the value is not JSON (a key that is not text, two equal keys), or has a number that would be rounded.
pub fn to_canonical(value: &impl Serialize) -> Result<Vec<u8>, CanonicalError> {
    if let Some(bytes) = writer::write(value) {
        return Ok(bytes);
    }
    slowly(value)
}

/// As [`to_canonical`], for whatever there is in JSON: floating-point numbers above all.
fn slowly(value: &impl Serialize) -> Result<Vec<u8>, CanonicalError> {
    let bytes = serde_json_canonicalizer::to_vec(value)?;
    match number_outside(&bytes) {
        None => Ok(bytes),
        Some(number) => Err(CanonicalError::NumberOutside { number }),
    }
}

/// The first number in canonical JSON that lies outside the safe range.
///
/// Looking at what was written rather than at the value costs one pass and no copy. It finds rounded integers too:
/// rounding never brings a number from outside the range into it.
fn number_outside(json: &[u8]) -> Option<String> {
    let (mut in_string, mut escaped) = (false, false);
    let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    let mut rest = json;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if in_string {
            (in_string, escaped) = (byte != b'"' || escaped, byte == b'\\' && !escaped);
        } else if byte == b'"' {
            in_string = true;
        } else if byte == b'-' || byte.is_ascii_digit() {
            let length = after.iter().take_while(|&&byte| is_part(byte)).count();
            let (tail, beyond) = after.split_at_checked(length)?;
            let number = String::from_utf8_lossy(&[&[byte], tail].concat()).into_owned();
            if number.parse::<f64>().is_ok_and(|value| value.abs() > SAFE_INTEGER_MAX) {
                return Some(number);
            }
            rest = beyond;
        }
    }
    None
}
