//! Base64url without padding (RFC 4648 section 5), as JOSE writes it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Text that is not base64url, or not in its one canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not base64url without padding")]
pub struct EncodingError;

/// Writes `bytes` as base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url. Padding, white space and stray bits in the last character are refused, so that no two texts stand
/// for the same bytes.
pub fn decode(text: &str) -> Result<Vec<u8>, EncodingError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| EncodingError)
}

/// Reads base64url of exactly `N` bytes.
pub fn decode_exactly<const N: usize>(text: &str) -> Result<[u8; N], EncodingError> {
    decode(text)?.try_into().map_err(|_| EncodingError)
}
