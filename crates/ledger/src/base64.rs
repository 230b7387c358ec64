//! Standard base64 with padding (RFC 4648 section 4), the only form that checkpoints, notes and proofs use.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads `text` strictly: padding is required and unused bits must be zero, so each value has exactly one form.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
