//! The addresses that are listened on, and how others write them.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context;
use serde::Serialize;
use tokio::net::TcpListener;
use url::Url;

use crate::config::Config;

#[cfg(test)]
mod tests;

/// Where a running Remit is reached; also in `DATA/addresses.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Addresses {
    pub gateway: String,
    pub control: String,
    /// The gateway without tokens, where it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// The gateway for callers who show a certificate, where it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_mtls: Option<String>,
    /// The control plane for callers who show a certificate, where it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_mtls: Option<String>,
    /// Where gateways of others ask for decisions, where that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks: Option<String>,
    /// The same for those who show a certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks_mtls: Option<String>,
    /// Where processes of this machine ask for their identity, as `SPIFFE_ENDPOINT_SOCKET` says it, where they can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
}

/// Every listener, bound.
#[derive(Debug)]
pub struct Listeners {
    pub gateway: TcpListener,
    pub control: TcpListener,
    pub sandbox: Option<TcpListener>,
    pub gateway_mtls: Option<TcpListener>,
    pub control_mtls: Option<TcpListener>,
    pub hooks: Option<TcpListener>,
    pub hooks_mtls: Option<TcpListener>,
}

impl Listeners {
    pub async fn bind(config: &Config, sandbox: Option<SocketAddr>) -> anyhow::Result<Self> {
        Ok(Self {
            gateway: bind(config.gateway.listen).await?,
            control: bind(config.control.listen).await?,
            sandbox: bind_some(sandbox).await?,
            gateway_mtls: bind_some(config.gateway.mtls_listen).await?,
            control_mtls: bind_some(config.control.mtls_listen).await?,
            hooks: bind_some(config.hooks.listen).await?,
            hooks_mtls: bind_some(config.hooks.mtls_listen).await?,
        })
    }

    pub fn addresses(&self, config: &Config) -> anyhow::Result<Addresses> {
        let scheme = if config.tls.files().is_some() { "https" } else { "http" };
        let (gateway, control) = (config.gateway.public_url.as_deref(), config.control.public_url.as_deref());
        let hooks = config.hooks.public_url.as_deref();
        Ok(Addresses {
            gateway: written(scheme, gateway, &self.gateway)?,
            control: written(scheme, control, &self.control)?,
            sandbox: self.sandbox.as_ref().map(|listener| written("http", None, listener)).transpose()?,
            gateway_mtls: self.gateway_mtls.as_ref().map(|listener| with_certificate(gateway, listener)).transpose()?,
            control_mtls: self.control_mtls.as_ref().map(|listener| with_certificate(control, listener)).transpose()?,
            hooks: self.hooks.as_ref().map(|listener| written(scheme, hooks, listener)).transpose()?,
            hooks_mtls: self.hooks_mtls.as_ref().map(|listener| with_certificate(hooks, listener)).transpose()?,
            workload: None,
        })
    }
}

async fn bind_some(listen: Option<SocketAddr>) -> anyhow::Result<Option<TcpListener>> {
    match listen {
        Some(listen) => Ok(Some(bind(listen).await?)),
        None => Ok(None),
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on `{listen}`; is another Remit running? `remit.toml` can name another address")
    })
}

/// How others write the address of a listener.
fn written(scheme: &str, public: Option<&str>, listener: &TcpListener) -> anyhow::Result<String> {
    match public {
        Some(public) => Ok(public.trim_end_matches('/').to_owned()),
        None => Ok(format!("{scheme}://{}", listener.local_addr()?)),
    }
}

/// How others write the address of a listener that asks for certificates: as it listens, unless that is everywhere.
fn with_certificate(public: Option<&str>, listener: &TcpListener) -> anyhow::Result<String> {
    let listen = listener.local_addr()?;
    Ok(match public.and_then(host).filter(|_| listen.ip().is_unspecified()) {
        Some(host) => format!("https://{host}:{}", listen.port()),
        None => format!("https://{listen}"),
    })
}

/// The host of an address, without its port, as it stands in `Host`.
fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// The names under which a listener is called, for `Host` and for its own certificate: of the address that it listens on, unless
/// that is everywhere, and of how others write it.
pub fn names(listen: SocketAddr, public: Option<&str>) -> Vec<String> {
    let own = match listen.ip() {
        address if address.is_unspecified() => None,
        IpAddr::V4(address) => Some(address.to_string()),
        IpAddr::V6(address) => Some(format!("[{address}]")),
    };
    let mut names: Vec<String> = own.into_iter().chain(public.and_then(host)).collect();
    if listen.ip().is_loopback() {
        names.push("localhost".to_owned());
    }
    names
}
