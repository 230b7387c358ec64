//! Clients of the authorization server, and the signals that come from and go to others.

use std::path::PathBuf;

use remit_domain::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::identity::{is_issuer, not_empty};
use super::network::Network;
use super::source::{Source, is_safe, once, one};

/// `[oauth]`: which clients may ask for tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OauthConfig {
    /// Whether clients may register themselves (RFC 7591). Clients that have a metadata document need not.
    pub dynamic_registration: bool,
    /// Private networks, such as `10.1.0.0/16`, from which a client's metadata document may be fetched all the same.
    #[schemars(with = "Vec<String>")]
    pub metadata_networks: Vec<Network>,
    /// A PEM file with further authorities for the servers of those documents.
    pub metadata_roots: Option<PathBuf>,
}

/// `[signals]`: who tells us about people, and whom we tell about agents (OpenID Shared Signals Framework 1.0).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignalsConfig {
    /// Those whose events are believed here.
    pub transmitter: Vec<TransmitterConfig>,
    /// Those who are sent ours.
    pub receiver: Vec<ReceiverConfig>,
}

/// `[[signals.transmitter]]`: an issuer of security events that is believed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransmitterConfig {
    /// What its events say in `iss`, byte for byte.
    pub issuer: String,
    /// A file with its keys (RFC 7517 section 5), read again every minute.
    pub jwks_file: Option<PathBuf>,
    /// The address of its keys.
    #[schemars(with = "Option<String>")]
    pub jwks_url: Option<Url>,
    /// What its events must say in `aud`.
    pub audience: String,
    /// Further issuers whose accounts its events may be about; without any, only its own.
    #[serde(default)]
    pub subjects: Vec<String>,
}

impl TransmitterConfig {
    /// Where the keys are.
    ///
    /// # Errors
    /// If there is not exactly one source, or it could be forged on the way.
    pub fn source(&self) -> Result<Source, Refusal> {
        let table = format!("`[[signals.transmitter]]` for `{}`", self.issuer);
        one(&table, "jwks", self.jwks_file.as_ref(), self.jwks_url.as_ref())
    }

    fn check(&self) -> Result<(), Refusal> {
        is_issuer("signals.transmitter", &self.issuer)?;
        self.subjects.iter().try_for_each(|subject| not_empty("signals.transmitter", "subjects", subject))?;
        self.source()?;
        not_empty("signals.transmitter", "audience", &self.audience)
    }
}

/// `[[signals.receiver]]`: somebody whom our events are pushed to (RFC 8935).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiverConfig {
    #[schemars(with = "String")]
    pub url: Url,
    /// The name of a variable that holds the token to show there.
    pub bearer_variable: Option<String>,
}

impl SignalsConfig {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.transmitter.iter().try_for_each(TransmitterConfig::check)?;
        once("[[signals.transmitter]]", "issuer", self.transmitter.iter().map(|from| from.issuer.as_str()))?;
        self.receiver.iter().try_for_each(|to| is_safe("`url` of `[[signals.receiver]]`", &to.url))?;
        once("[[signals.receiver]]", "address", self.receiver.iter().map(|to| to.url.as_str()))
    }
}
