//! Signed receipts of a revocation: what was ended, and where that took effect.
//!
//! They name what ended one by one, so they are longer than what is sent with a request, and nobody sends them with one.

use serde::Serialize;

use crate::json::Members;
use crate::jws::{self, Header, JwsError, UnverifiedJws};
use crate::{PublicJwk, SigningKey, limits};

#[cfg(test)]
mod tests;

/// The kind of document in its header.
pub const TYPE: &str = "remit-receipt+jwt";

/// Why a text is not accepted as a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("the document is not a receipt")]
    Kind,
    #[error(transparent)]
    Malformed(#[from] JwsError),
}

/// Signs `claims` with `key`, whose name is `kid`.
///
/// # Errors
///
/// If it would be longer than [`limits::RECEIPT_BYTES_MAX`].
pub fn sign(claims: &impl Serialize, key: &SigningKey) -> Result<String, JwsError> {
    let header = Header { typ: TYPE, kid: Some(key.kid()), jwk: None };
    jws::sign_within(&header, claims, key, limits::RECEIPT_BYTES_MAX)
}

/// A receipt whose signature nobody has checked yet.
#[derive(Debug, Clone)]
pub struct UnverifiedReceipt<'a>(UnverifiedJws<'a>);

impl<'a> UnverifiedReceipt<'a> {
    /// Reads a receipt, strictly. Another kind of document is nothing here, whoever signed it.
    ///
    /// # Errors
    ///
    /// If it is not well-formed, or another kind of document.
    pub fn parse(text: &'a str) -> Result<Self, ReceiptError> {
        let document = UnverifiedJws::parse_within(text, limits::RECEIPT_BYTES_MAX)?;
        if document.is_type(TYPE) { Ok(Self(document)) } else { Err(ReceiptError::Kind) }
    }

    /// The name of the key, as the header claims.
    pub fn kid(&self) -> Option<&str> {
        self.0.kid()
    }

    /// What it says, if `key` signed it.
    ///
    /// # Errors
    ///
    /// If it did not.
    pub fn verify(self, key: &PublicJwk) -> Result<Members, ReceiptError> {
        Ok(self.0.verify(key)?)
    }
}
