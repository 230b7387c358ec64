//! `remit.toml`: what the operator decides. Every key is optional, and an unknown key is an error with the nearest name.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use remit_domain::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::command::Failure;

#[cfg(test)]
mod tests;

/// Of every refusal of a configuration.
const CODE: &str = "bad_configuration";

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub realm: RealmConfig,
    pub gateway: GatewayConfig,
    pub control: ControlConfig,
    pub sandbox: SandboxConfig,
    pub keys: KeysConfig,
    pub ledger: LedgerConfig,
    pub notify: NotifyConfig,
}

/// `[realm]`: its names are read when the realm begins; afterwards the ledger says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RealmConfig {
    /// SPIFFE trust domain, lower case.
    pub trust_domain: String,
    /// Name of the first administrator; the user who starts Remit if not given.
    pub administrator: Option<String>,
    /// Whether real work is done here. Such a realm never opens a sandbox. Read at every start.
    pub production: bool,
}

impl Default for RealmConfig {
    fn default() -> Self {
        Self { trust_domain: "remit.local".to_owned(), administrator: None, production: false }
    }
}

/// `[gateway]`: the listener that agents call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    pub listen: SocketAddr,
    /// How agents write its address, if not as it listens.
    pub public_url: Option<String>,
    /// How long a call is kept open while a person is asked.
    pub hold_seconds: u64,
    /// How long an upstream may take for one call.
    pub call_seconds_max: u64,
    /// Names accepted in `Host` besides those of the loopback interface.
    pub hosts: Vec<String>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 7480));
        let hold_seconds = remit_gateway::limits::HOLD_SECONDS_DEFAULT;
        let call_seconds_max = remit_gateway::limits::CALL_SECONDS_DEFAULT;
        Self { listen, public_url: None, hold_seconds, call_seconds_max, hosts: Vec::new() }
    }
}

/// `[control]`: the listener for people and scripts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControlConfig {
    pub listen: SocketAddr,
    /// How people write its address, if not as it listens.
    pub public_url: Option<String>,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7470)), public_url: None }
    }
}

/// `[sandbox]`: the listener without tokens that `remit up --dev` opens, and nothing else does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    pub listen: SocketAddr,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7489)) }
    }
}

/// `[keys]`: where the key that seals all others comes from. At most one is given; a file `DATA/kek` is made otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// A file with 32 bytes in base64url.
    pub file: Option<PathBuf>,
    /// The name of a variable that holds 32 bytes in base64url.
    pub variable: Option<String>,
    /// The name of a variable that holds a passphrase.
    pub passphrase_variable: Option<String>,
}

/// `[ledger]`: how the log is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// Directory, outside the data directory, for the last checkpoint; by default in the user's state directory.
    pub anchors: Option<PathBuf>,
    /// Length of a segment file.
    pub segment_bytes: u64,
    /// Entries after which the state is kept as a snapshot.
    pub snapshot_entries: u64,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        let segment_bytes = remit_engine::store::SEGMENT_BYTES;
        Self { anchors: None, segment_bytes, snapshot_entries: remit_engine::SNAPSHOT_ENTRIES }
    }
}

/// `[notify]`: who is told that an approval waits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// A program, with arguments, that gets one JSON document on its standard input for every approval that is asked for.
    pub command: Vec<String>,
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
        let listeners =
            [("gateway", self.gateway.listen), ("control", self.control.listen), ("sandbox", self.sandbox.listen)];
        for (name, listen) in listeners {
            if !listen.ip().is_loopback() {
                let sentence =
                    format!("`{name}.listen` is `{listen}`, and Remit listens on the loopback interface only");
                return Err(Refusal::new(CODE, sentence).help("put a TLS terminator in front of it"));
            }
        }
        let given = [self.keys.file.is_some(), self.keys.variable.is_some(), self.keys.passphrase_variable.is_some()];
        if given.into_iter().filter(|given| *given).count() > 1 {
            return Err(Refusal::new(CODE, "`[keys]` names more than one source")
                .help("choose `file`, `variable` or `passphrase_variable`"));
        }
        Ok(())
    }

    /// The JSON schema of `remit.toml` (2020-12), with every default.
    pub fn schema() -> Value {
        let defaults = serde_json::to_value(Self::default()).unwrap_or_default();
        let section = |name: &str| {
            let keys = defaults.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
            let keys =
                keys.into_iter().map(|(key, default)| (key, json!({"type": type_of(&default), "default": default})));
            json!({"type": "object", "additionalProperties": false, "properties": keys.collect::<serde_json::Map<_, _>>()})
        };
        let sections = ["realm", "gateway", "control", "sandbox", "keys", "ledger", "notify"];
        let properties: serde_json::Map<String, Value> =
            sections.iter().map(|name| ((*name).to_owned(), section(name))).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "remit.toml",
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
        })
    }
}

fn type_of(default: &Value) -> Value {
    match default {
        Value::Number(_) => json!("integer"),
        Value::Bool(_) => json!("boolean"),
        Value::Array(_) => json!("array"),
        Value::Null => json!(["string", "null"]),
        _ => json!("string"),
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
