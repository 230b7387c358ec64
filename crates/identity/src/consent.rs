//! A request for consent on its way from the authorization endpoint to the page where a person answers it: checked once,
//! then sealed, so that nothing in it can be changed in the browser between the two.

use serde::{Deserialize, Serialize};

use crate::mission::Entry;
use crate::seal::SealError;
use crate::{Kek, base64url, limits};

#[cfg(test)]
mod tests;

/// What the sealed text is for.
const AAD: &[u8] = b"remit consent request v1";

/// What a person is asked to consent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRequest {
    pub client_id: String,
    /// What the client calls itself. Shown, never believed.
    pub client_name: String,
    pub redirect_uri: String,
    /// Given back to the client as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Patterns of operations; none where the client named no scope.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Entry>,
    /// What the details mean, as the house has authority: settled when the question was checked.
    #[serde(default)]
    pub authority: serde_json::Value,
    /// What the token is for (RFC 8707).
    pub resource: String,
    /// The S256 challenge (RFC 7636).
    pub code_challenge: String,
    /// What the client says that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The goal of the `mission_intent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// When the `mission_intent` ends, and with it whatever is consented to, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<i64>,
    /// The anchor of the `mission_intent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_hash: Option<String>,
    /// The thumbprint of the key to which the code is bound (`dpop_jkt`, RFC 9449 section 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// Digest of the configuration that the client runs the agent with, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The agent that the client would like to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_hint: Option<String>,
    /// When it was asked, in seconds since 1970.
    pub issued_at: i64,
    /// Until when it can be answered, in seconds since 1970.
    pub expires_at: i64,
}

/// Why a request for consent was not sealed, or not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    #[error("the request for consent is longer than {} bytes", limits::CONSENT_BYTES_MAX)]
    TooLong,
    #[error("the request for consent has a required part that is empty, or ends when it should not")]
    Terms,
    #[error("this is not a request for consent that Remit made")]
    Unopenable,
    #[error("the request for consent has expired")]
    Expired,
    #[error("the request for consent could not be sealed")]
    Unsealable,
}

impl ConsentError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::TooLong => "ask for less at a time, or push the request (RFC 9126)",
            Self::Terms | Self::Unsealable => "try again; if it stays, look at the log",
            Self::Unopenable | Self::Expired => "go back to the application and start again",
        }
    }
}

impl ConsentRequest {
    /// Seals the request, as text for a query string.
    pub fn seal(&self, kek: &Kek) -> Result<String, ConsentError> {
        let life_seconds = self.expires_at.saturating_sub(self.issued_at);
        let required = [&self.client_id, &self.client_name, &self.redirect_uri, &self.resource, &self.code_challenge];
        if !(1..=limits::CONSENT_SECONDS_MAX).contains(&life_seconds) || required.iter().any(|text| text.is_empty()) {
            return Err(ConsentError::Terms);
        }
        let plain = serde_json::to_vec(self).map_err(|_| ConsentError::Unsealable)?;
        let sealed = kek.seal(AAD, &plain).map_err(|_: SealError| ConsentError::Unsealable)?;
        let text = base64url::encode(sealed);
        if text.len() > limits::CONSENT_BYTES_MAX { Err(ConsentError::TooLong) } else { Ok(text) }
    }

    /// Opens what [`ConsentRequest::seal`] made, if it can still be answered at `now`.
    pub fn open(kek: &Kek, text: &str, now: i64) -> Result<Self, ConsentError> {
        if text.len() > limits::CONSENT_BYTES_MAX {
            return Err(ConsentError::TooLong);
        }
        let sealed = base64url::decode(text).map_err(|_| ConsentError::Unopenable)?;
        let plain = kek.open(AAD, &sealed).map_err(|_| ConsentError::Unopenable)?;
        let request: Self = serde_json::from_slice(&plain).map_err(|_| ConsentError::Unopenable)?;
        if request.expires_at <= now || request.issued_at > now.saturating_add(limits::IAT_AHEAD_SECONDS_MAX) {
            return Err(ConsentError::Expired);
        }
        Ok(request)
    }
}
