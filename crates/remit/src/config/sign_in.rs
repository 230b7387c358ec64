//! Where people sign in besides here.

use std::path::PathBuf;

use remit_domain::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::source::is_safe;
use super::{CODE, SecretSource};

#[cfg(test)]
mod tests;

/// Longest name on the button, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

/// Of whom a passkey is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasskeysWanted {
    /// Whoever has one shows it for what is grave; whoever has none does without.
    #[default]
    Optional,
    /// Whoever was let in by a one-time link does nothing grave before they have enrolled one.
    Required,
}

/// `[sign_in]`: how people sign in besides passkeys and one-time links.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    /// Whether everybody has a passkey.
    pub passkeys: PasskeysWanted,
    /// The organisation's identity provider.
    pub oidc: Option<SignInOidcConfig>,
}

/// `[sign_in.oidc]`: an OpenID Connect provider that vouches for people. Each is somebody here only once an administrator has said
/// so, with `remit person link`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInOidcConfig {
    /// What its tokens say in `iss`, byte for byte. Its `/.well-known/openid-configuration` says the rest.
    pub issuer: String,
    /// What Remit is called there.
    pub client_id: String,
    /// A file with the secret that Remit shows there. Without any it is a public client.
    pub client_secret_file: Option<PathBuf>,
    /// The name of a variable that holds it.
    pub client_secret_variable: Option<String>,
    /// What the button on the sign-in page says after "Sign in with".
    #[serde(default = "name")]
    pub name: String,
    /// A PEM file with further authorities for its certificate.
    pub roots: Option<PathBuf>,
}

fn name() -> String {
    "your organisation".to_owned()
}

impl SignInOidcConfig {
    /// Where the secret is, if there is one.
    ///
    /// # Errors
    /// If there are two places.
    pub fn client_secret(&self) -> Result<Option<SecretSource>, Refusal> {
        match (&self.client_secret_file, &self.client_secret_variable) {
            (None, None) => Ok(None),
            (Some(file), None) => Ok(Some(SecretSource::File(file.clone()))),
            (None, Some(variable)) => Ok(Some(SecretSource::Variable(variable.clone()))),
            (Some(_), Some(_)) => Err(Refusal::new(CODE, "`[sign_in.oidc]` names two places for its secret")
                .help("give either `client_secret_file` or `client_secret_variable`")),
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        let what = "`issuer` of `[sign_in.oidc]`";
        match Url::parse(&self.issuer) {
            // OpenID Connect Discovery 1.0 section 3: neither query nor fragment.
            Ok(url) if url.query().is_none() && url.fragment().is_none() => is_safe(what, &url)?,
            _ => {
                let sentence = format!("{what} is `{}`, which is not the address of an issuer", self.issuer);
                return Err(Refusal::new(CODE, sentence)
                    .help("write it as its tokens do, like `https://login.example.com/tenant`"));
            }
        }
        if self.client_id.is_empty() {
            return Err(Refusal::new(CODE, "`client_id` of `[sign_in.oidc]` is empty")
                .help("register Remit with the provider, and write what it is called there"));
        }
        let long = self.name.chars().count() > NAME_CHARACTERS_MAX;
        if self.name.trim().is_empty() || long || self.name.contains(char::is_control) {
            return Err(Refusal::new(CODE, "`name` of `[sign_in.oidc]` is empty, too long, or no plain text")
                .help(format!("write up to {NAME_CHARACTERS_MAX} characters: it stands on a button")));
        }
        self.client_secret().map(|_| ())
    }
}

impl SignInConfig {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.oidc.as_ref().map_or(Ok(()), SignInOidcConfig::check)
    }
}
