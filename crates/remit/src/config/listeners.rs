//! Where Remit listens, how others write those addresses, and with which certificate.

use std::net::SocketAddr;
use std::path::PathBuf;

use remit_domain::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{CODE, Config};

/// `[gateway]`: the listener that agents call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    pub listen: SocketAddr,
    /// Another listener, with the gateway's X.509-SVID as its certificate: callers have to show theirs.
    pub mtls_listen: Option<SocketAddr>,
    /// How agents write its address, if not as it listens.
    pub public_url: Option<String>,
    /// How long a call is kept open while a person is asked.
    pub hold_seconds: u64,
    /// How long an upstream may take for one call.
    pub call_seconds_max: u64,
    /// Names accepted in `Host` besides those of the loopback interface, of `public_url` and of the addresses listened on.
    pub hosts: Vec<String>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 7480));
        let hold_seconds = remit_gateway::limits::HOLD_SECONDS_DEFAULT;
        let call_seconds_max = remit_gateway::limits::CALL_SECONDS_DEFAULT;
        Self { listen, mtls_listen: None, public_url: None, hold_seconds, call_seconds_max, hosts: Vec::new() }
    }
}

/// `[control]`: the listener for people and scripts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ControlConfig {
    pub listen: SocketAddr,
    /// Another listener, with the control plane's X.509-SVID as its certificate: callers have to show theirs.
    pub mtls_listen: Option<SocketAddr>,
    /// How people write its address, if not as it listens.
    pub public_url: Option<String>,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7470)), mtls_listen: None, public_url: None }
    }
}

/// `[hooks]`: where gateways of others ask for decisions, which they enforce themselves (gRPC): Envoy by `ext_authz`, agentgateway by `ExtMcp`.
/// Closed unless an address is given; `127.0.0.1:7484` is the usual one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HooksConfig {
    pub listen: Option<SocketAddr>,
    /// Another listener, with an X.509-SVID of Remit's own as its certificate: whoever asks has to show theirs.
    pub mtls_listen: Option<SocketAddr>,
    /// How gateways write its address, if not as it listens.
    pub public_url: Option<String>,
}

/// `[sandbox]`: the listener without tokens that `remit up --dev` opens, and nothing else does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    pub listen: SocketAddr,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7489)) }
    }
}

/// `[tls]`: with both, the gateway and the control plane speak https. The files are looked at every minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// A PEM file: the certificate, and after it those of the authorities in between.
    pub certificate: Option<PathBuf>,
    /// A PEM file: the certificate's private key.
    pub key: Option<PathBuf>,
}

impl TlsConfig {
    /// Both files, if there is to be TLS.
    pub fn files(&self) -> Option<(PathBuf, PathBuf)> {
        self.certificate.clone().zip(self.key.clone())
    }
}

/// What must hold for all listeners together.
pub(super) fn check(config: &Config) -> Result<(), Refusal> {
    if config.tls.certificate.is_some() != config.tls.key.is_some() {
        return Err(Refusal::new(
            CODE,
            "`[tls]` names a certificate without its key, or a key without its certificate",
        )
        .help("name both files, or neither"));
    }
    let encrypted = config.tls.files().is_some();
    let (gateway, control, hooks) = (&config.gateway, &config.control, &config.hooks);
    let public = [
        ("gateway", Some(gateway.listen), gateway.mtls_listen, gateway.public_url.as_deref()),
        ("control", Some(control.listen), control.mtls_listen, control.public_url.as_deref()),
        ("hooks", hooks.listen, hooks.mtls_listen, hooks.public_url.as_deref()),
    ];
    for (name, listen, mtls_listen, public_url) in public {
        if let Some(listen) = listen.filter(|_| !encrypted) {
            loopback_only(name, listen)?;
        }
        if let Some(url) = public_url {
            is_an_address(name, url, encrypted)?;
        }
        let everywhere = [listen, mtls_listen].into_iter().flatten().find(|listen| listen.ip().is_unspecified());
        if let (Some(listen), None) = (everywhere, public_url) {
            let sentence = format!(
                "`[{name}]` listens on `{listen}`, every address of this machine, and none of them is its name"
            );
            return Err(Refusal::new(CODE, sentence).help(format!(
                "say in `{name}.public_url` how others write it, such as `https://remit.example:7480`"
            )));
        }
    }
    loopback_only("sandbox", config.sandbox.listen)
}

fn loopback_only(name: &str, listen: SocketAddr) -> Result<(), Refusal> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    if name == "sandbox" {
        let sentence = format!("`sandbox.listen` is `{listen}`, and a sandbox listens on the loopback interface only");
        return Err(Refusal::new(CODE, sentence).help("others reach the gateway, with a token"));
    }
    let sentence =
        format!("`{name}.listen` is `{listen}`, and without TLS Remit listens on the loopback interface only");
    Err(Refusal::new(CODE, sentence)
        .help("name a `certificate` and its `key` in `[tls]`, or put a TLS terminator in front of it"))
}

/// Tokens name this address byte for byte, so it must be one.
fn is_an_address(name: &str, text: &str, encrypted: bool) -> Result<(), Refusal> {
    let url = Url::parse(text).ok().filter(|url| {
        url.has_host() && matches!(url.scheme(), "https" | "http") && url.query().is_none() && url.fragment().is_none()
    });
    let help = format!("write `{name}.public_url` like `https://remit.example:7480`");
    match url {
        None => {
            Err(Refusal::new(CODE, format!("`{name}.public_url` is `{text}`, which is not the address of a server"))
                .help(help))
        }
        Some(url) if encrypted && url.scheme() == "http" => {
            let sentence = format!("`{name}.public_url` is `{text}`, and with `[tls]` the listener speaks https only");
            Err(Refusal::new(CODE, sentence).help(help))
        }
        Some(_) => Ok(()),
    }
}
