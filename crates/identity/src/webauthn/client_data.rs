//! What the browser says of the question that it put to the authenticator (section 5.8.1).

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::{Expect, WebauthnError};
use crate::json::Members;
use crate::{base64url, limits};

/// A browser's account of one ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientData {
    /// `webauthn.create` or `webauthn.get`.
    pub kind: String,
    pub challenge: Vec<u8>,
    pub origin: String,
    pub cross_origin: bool,
}

impl ClientData {
    /// Reads it. Members that are not known are passed over, as section 5.8.1 asks; none may be there twice.
    ///
    /// # Errors
    /// If it is not what a browser writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, WebauthnError> {
        if bytes.len() > limits::CLIENT_DATA_BYTES_MAX {
            return Err(WebauthnError::ClientData);
        }
        let members = Members::parse(bytes).map_err(|_| WebauthnError::ClientData)?;
        let text = |name| members.text(name).map_err(|_| WebauthnError::ClientData);
        let cross_origin = match members.value("crossOrigin") {
            None | Some(serde_json::Value::Null) => false,
            Some(serde_json::Value::Bool(cross)) => *cross,
            Some(_) => return Err(WebauthnError::ClientData),
        };
        Ok(Self {
            kind: text("type")?.to_owned(),
            challenge: base64url::decode(text("challenge")?).map_err(|_| WebauthnError::ClientData)?,
            origin: text("origin")?.to_owned(),
            // A page that is framed by another site is that site's to dress up.
            cross_origin: cross_origin || members.value("topOrigin").is_some(),
        })
    }

    /// Holds it against what the ceremony was begun with.
    pub(super) fn must_answer(&self, kind: &str, expect: &Expect<'_>) -> Result<(), WebauthnError> {
        if self.kind != kind {
            return Err(WebauthnError::Ceremony);
        }
        verify_slices_are_equal(&self.challenge, expect.challenge).map_err(|_| WebauthnError::Challenge)?;
        if !expect.origins.contains(&self.origin) {
            return Err(WebauthnError::Origin(self.origin.chars().take(100).collect()));
        }
        if self.cross_origin { Err(WebauthnError::CrossOrigin) } else { Ok(()) }
    }
}
