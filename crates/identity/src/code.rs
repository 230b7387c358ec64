//! One-time codes and session secrets: random, shown once, kept only as a digest.

use std::fmt;

use zeroize::Zeroizing;

use crate::random::random_bytes;
use crate::{RandomnessError, base64url, digest, limits};

#[cfg(test)]
mod tests;

/// A secret of 256 random bits behind a prefix that says what it is for. Since nobody can guess it, a plain SHA-256 is
/// enough to keep it by.
#[derive(Clone)]
pub struct OneTimeCode(Zeroizing<String>);

impl OneTimeCode {
    /// A new code that starts with `prefix`, for example `signin_`.
    pub fn generate(prefix: &str) -> Result<Self, RandomnessError> {
        let random = random_bytes::<{ limits::CODE_RANDOM_BYTES }>()?;
        let random = Zeroizing::new(base64url::encode(random.as_slice()));
        Ok(Self(Zeroizing::new([prefix, random.as_str()].concat())))
    }

    /// The code itself, to be shown once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of the code: see [`digest_of`].
    pub fn digest(&self) -> String {
        digest_of(&self.0)
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OneTimeCode(secret)")
    }
}

/// SHA-256 of the whole code with its prefix, in base64url.
pub fn digest_of(code: &str) -> String {
    base64url::encode(digest::sha256(code.as_bytes()))
}

/// Whether `code` is the one whose digest was kept, in a time that tells nothing about either.
pub fn matches(code: &str, kept_digest: &str) -> bool {
    digest::equal(digest_of(code).as_bytes(), kept_digest.as_bytes())
}
