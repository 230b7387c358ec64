//! SHA-256 values and the two ways in which a tree makes them (RFC 6962 section 2.1).

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::base64;

#[cfg(test)]
mod tests;

/// Keeps leaves and nodes apart, so that a node cannot be passed off as an entry (RFC 6962 section 2.1).
const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

/// A SHA-256 value. In JSON it is a standard base64 string, shown to people it is hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// Why some text or bytes are not a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    #[error("`{text}` is not standard base64")]
    Base64 { text: String },
    #[error("a hash has 32 bytes, not {bytes}")]
    Length { bytes: usize },
}

impl Hash {
    /// How many bytes a hash has.
    pub const BYTES: usize = 32;

    /// All zero: stands where there is nothing before, such as the link of a subject's first entry.
    pub const ZERO: Self = Self([0; Self::BYTES]);

    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The root of the tree that has no entries (RFC 6962 section 2.1: the hash of nothing).
    pub fn empty_root() -> Self {
        sha256(&[])
    }

    /// Standard base64 with padding, as checkpoints and proofs write it.
    pub fn base64(&self) -> String {
        base64::encode(&self.0)
    }

    /// Reads what [`Hash::base64`] writes.
    ///
    /// # Errors
    ///
    /// If `text` is not strict standard base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, HashError> {
        let bytes = base64::decode(text).ok_or_else(|| HashError::Base64 { text: shortened(text) })?;
        Self::try_from(bytes.as_slice())
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = HashError;

    fn try_from(bytes: &[u8]) -> Result<Self, HashError> {
        bytes.try_into().map(Self).map_err(|_| HashError::Length { bytes: bytes.len() })
    }
}

/// The plain SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash {
    finished(&digest::digest(&digest::SHA256, bytes))
}

/// The hash of an entry as a leaf of the tree.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[LEAF_PREFIX]);
    context.update(entry);
    finished(&context.finish())
}

/// The hash of the node above `left` and `right`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    // One buffer and one call: this runs for every entry, and a context would cost more than the hashing.
    let mut bytes = [NODE_PREFIX; 1 + 2 * Hash::BYTES];
    let (_, children) = bytes.split_at_mut(1);
    let (left_half, right_half) = children.split_at_mut(Hash::BYTES);
    left_half.copy_from_slice(&left.0);
    right_half.copy_from_slice(&right.0);
    sha256(&bytes)
}

fn finished(digest: &digest::Digest) -> Hash {
    let mut bytes = [0; Hash::BYTES];
    bytes.copy_from_slice(digest.as_ref());
    Hash(bytes)
}

/// What is quoted in an error is untrusted, so it is cut to a length that fits a line.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.base64())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(de::Error::custom)
    }
}
