//! `remit.toml`: what the operator decides. Every key is optional, and an unknown key is an error with the nearest name.

mod house;
mod identity;
mod listeners;
mod network;
mod notify;
mod others;
mod sign_in;
mod source;
#[cfg(test)]
mod tests;

use std::path::Path;

use remit_domain::Refusal;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::command::Failure;

pub use house::{KeysConfig, LedgerConfig, PoliciesConfig, RealmConfig, WorkloadConfig};
pub use identity::IdentityConfig;
pub use listeners::{ControlConfig, GatewayConfig, HooksConfig, SandboxConfig, TlsConfig};
pub use notify::{NotifyConfig, SecretSource, SlackConfig, SmtpConfig, SmtpTls, WebhookConfig, check_address};
pub use others::{OauthConfig, ReceiverConfig, SignalsConfig};
pub use sign_in::{PasskeysWanted, SignInConfig, SignInOidcConfig};
pub use source::Source;

/// Of every refusal of a configuration.
const CODE: &str = "bad_configuration";

/// `remit.toml`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "remit.toml")]
pub struct Config {
    pub realm: RealmConfig,
    pub gateway: GatewayConfig,
    pub control: ControlConfig,
    pub hooks: HooksConfig,
    pub sandbox: SandboxConfig,
    pub tls: TlsConfig,
    pub identity: IdentityConfig,
    pub oauth: OauthConfig,
    pub sign_in: SignInConfig,
    pub workload: WorkloadConfig,
    pub signals: SignalsConfig,
    pub keys: KeysConfig,
    pub ledger: LedgerConfig,
    pub notify: NotifyConfig,
    pub policies: PoliciesConfig,
}

impl Config {
    /// Reads `path`, or gives the defaults if nothing is named.
    ///
    /// # Errors
    /// A fault if it cannot be read, wrong usage if it cannot be meant.
    pub fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
        Self::parse(&text).map_err(|mut refusal| {
            refusal.sentence = format!("`{}` cannot be used: {}", path.display(), refusal.sentence);
            Failure::Configuration(refusal)
        })
    }

    /// # Errors
    /// If a key is unknown, or a value is not what it can be; an unknown key with the nearest name.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let config: Self = toml::from_str(text).map_err(|error| unusable(&error))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Refusal> {
        listeners::check(self)?;
        self.keys.check()?;
        self.workload.check()?;
        self.identity.check(&self.realm)?;
        self.sign_in.check()?;
        self.signals.check()?;
        self.notify.check()
    }

    /// The JSON schema of `remit.toml` (2020-12), with what every key means and every default.
    pub fn schema() -> Value {
        let whole = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        whole.into_generator().into_root_schema_for::<Self>().to_value()
    }
}

/// The parser's sentence, which points at the place; for an unknown key, the nearest name that is known.
fn unusable(error: &toml::de::Error) -> Refusal {
    let message = error.message();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let nearest = message
        .starts_with("unknown field")
        .then(|| quoted.next())
        .flatten()
        .and_then(|unknown| remit_policy::nearest(unknown, quoted).map(|known| format!("did you mean `{known}`?")));
    let help = nearest.unwrap_or_else(|| "`remit schema config` prints every key with its default".to_owned());
    Refusal::new(CODE, error.to_string().trim_end()).help(help)
}
