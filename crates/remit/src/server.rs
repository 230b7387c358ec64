//! The house, wired: engine, gateway, control plane and console on their listeners.

mod sandbox;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use axum::extract::{ConnectInfo, Request, connect_info::Connected};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::IncomingStream;
use remit_engine::{Engine, KeySource, Options, Setup};
use remit_gateway::{Gateway, Settings, Upstreams};
use serde::Serialize;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::config::{Config, KeysConfig};
use crate::notify::Notify;
use crate::tools::GatewayTools;

/// Where a running Remit is reached; also in `DATA/addresses.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Addresses {
    pub gateway: String,
    pub control: String,
    /// The gateway without tokens, where it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
}

/// A running Remit.
#[derive(Debug)]
pub struct Server {
    pub engine: Engine,
    pub addresses: Addresses,
    gateway: Arc<Gateway>,
    stopping: CancellationToken,
    listeners: TaskTracker,
    data: PathBuf,
}

impl Server {
    /// Opens the data directory and starts to listen. Returns once everything answers.
    pub async fn start(config: &Config, data: &Path) -> anyhow::Result<Self> {
        Self::start_with(config, data, None).await
    }

    /// The same, with a sandbox at an address of this machine if one is given: the gateway without tokens.
    pub async fn start_with(config: &Config, data: &Path, sandbox: Option<SocketAddr>) -> anyhow::Result<Self> {
        let gateway_listener = bind(config.gateway.listen).await?;
        let control_listener = bind(config.control.listen).await?;
        let sandbox_listener = match sandbox {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };
        let addresses = Addresses {
            gateway: address(config.gateway.public_url.as_deref(), &gateway_listener)?,
            control: address(config.control.public_url.as_deref(), &control_listener)?,
            sandbox: sandbox_listener.as_ref().map(|listener| address(None, listener)).transpose()?,
        };
        let settings = Settings {
            hold_seconds: config.gateway.hold_seconds,
            call_seconds_max: config.gateway.call_seconds_max,
            allowed_hosts: config.gateway.hosts.clone(),
            ..Settings::at(&addresses.gateway, &addresses.control)
        };
        let engine = Engine::open(options(config, data, &settings, &addresses)?).await?;
        let sandbox_owner = match &sandbox_listener {
            Some(_) => Some(sandbox::open(&engine).await?),
            None => None,
        };
        if let Some(notify) = Notify::new(&config.notify, &addresses.control, engine.clone()) {
            engine.carry_out(Arc::new(notify));
        }
        let upstreams = Upstreams::new(engine.clone()).context("cannot prepare to call upstreams")?;
        let tools = Arc::new(GatewayTools { upstreams: upstreams.clone() });
        let gateway = Gateway::new(engine.clone(), upstreams, settings);
        let api_settings = remit_api::Settings {
            console_url: addresses.control.clone(),
            mcp_url: format!("{}/mcp", addresses.gateway),
        };
        let api = remit_api::router(remit_api::Api::new(engine.clone(), tools.clone(), api_settings));
        let console = remit_console::router(remit_console::Console::new(engine.clone(), tools)?);
        let socket = data.join("control.sock");
        let socket_listener = bind_socket(&socket)?;
        let (stopping, listeners) = (CancellationToken::new(), TaskTracker::new());
        let until = |token: CancellationToken| async move { token.cancelled().await };
        let serving = axum::serve(gateway_listener, gateway.router());
        listeners.spawn(serving.with_graceful_shutdown(until(stopping.clone())).into_future());
        let serving = axum::serve(control_listener, api.clone().merge(console));
        listeners.spawn(serving.with_graceful_shutdown(until(stopping.clone())).into_future());
        let local = api.layer(middleware::from_fn(vouch_for_peer)).into_make_service_with_connect_info::<SocketPeer>();
        let serving = axum::serve(socket_listener, local);
        listeners.spawn(serving.with_graceful_shutdown(until(stopping.clone())).into_future());
        if let Some((listener, owner)) = sandbox_listener.zip(sandbox_owner) {
            listeners.spawn(sandbox::keep_open(engine.clone(), owner, stopping.clone()));
            let serving = axum::serve(listener, gateway.sandbox_router());
            listeners.spawn(serving.with_graceful_shutdown(until(stopping.clone())).into_future());
        }
        listeners.close();
        write_addresses(data, &addresses)?;
        Ok(Self { engine, addresses, gateway, stopping, listeners, data: data.to_owned() })
    }

    /// Ends: no new calls, calls under way are finished and recorded, then the ledger is closed.
    pub async fn stop(self) {
        // Removed first, so that nobody who looks finds a server that is going away.
        for name in ["addresses.json", "control.sock"] {
            if let Err(error) = std::fs::remove_file(self.data.join(name)) {
                tracing::debug!(name, %error, "was already gone");
            }
        }
        self.stopping.cancel();
        self.gateway.close().await;
        if tokio::time::timeout(std::time::Duration::from_secs(5), self.listeners.wait()).await.is_err() {
            tracing::debug!("connections were still open; they are dropped");
        }
        self.engine.close().await;
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on `{listen}`; is another Remit running? `remit.toml` can name another address")
    })
}

fn address(public: Option<&str>, listener: &TcpListener) -> anyhow::Result<String> {
    match public {
        Some(public) => Ok(public.trim_end_matches('/').to_owned()),
        None => Ok(format!("http://{}", listener.local_addr()?)),
    }
}

fn options(config: &Config, data: &Path, settings: &Settings, addresses: &Addresses) -> anyhow::Result<Options> {
    let uid = rustix::process::getuid().as_raw();
    let policies = remit_policy::starter().into_iter().map(|source| (source.name, source.text)).collect();
    let setup = Setup {
        trust_domain: config.realm.trust_domain.clone(),
        issuer: addresses.control.clone(),
        administrator: config.realm.administrator.clone().unwrap_or_else(operator_name),
        administrator_uid: Some(uid),
        policies,
    };
    Ok(Options {
        keys: key_source(&config.keys, data)?,
        anchors: Some(config.ledger.anchors.clone().unwrap_or_else(default_anchors)),
        audience: settings.audience.clone(),
        segment_bytes: config.ledger.segment_bytes,
        snapshot_entries: config.ledger.snapshot_entries,
        ..Options::new(data, setup)
    })
}

fn key_source(keys: &KeysConfig, data: &Path) -> anyhow::Result<KeySource> {
    let variable = |name: &str| {
        std::env::var(name)
            .map(Zeroizing::new)
            .with_context(|| format!("`[keys]` names the variable `{name}`, which is not set"))
    };
    Ok(match (&keys.file, &keys.variable, &keys.passphrase_variable) {
        (_, Some(name), _) => KeySource::Value(variable(name)?),
        (_, _, Some(name)) => KeySource::Passphrase(variable(name)?),
        (Some(path), ..) => KeySource::File(path.clone()),
        (None, None, None) => KeySource::File(data.join("kek")),
    })
}

/// Where checkpoints are kept apart: the user's state directory, which is not part of a copy of the data directory.
pub fn default_anchors() -> PathBuf {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    state.unwrap_or_else(|| PathBuf::from("/var/lib")).join("remit/anchors")
}

/// The name of the user who runs Remit, as far as it is a name.
fn operator_name() -> String {
    let name = std::env::var("USER").unwrap_or_default().to_lowercase();
    let plain =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || "-_.".contains(character);
    match name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= 64 && name.chars().all(plain) {
        true => name,
        false => "operator".to_owned(),
    }
}

/// Binds the socket of the data directory. Only this directory's one writer comes here, so a leftover is of a dead process.
fn bind_socket(path: &Path) -> anyhow::Result<UnixListener> {
    if path.exists() {
        std::fs::remove_file(path).with_context(|| format!("cannot replace `{}`", path.display()))?;
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen on `{}`", path.display()))?;
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn write_addresses(data: &Path, addresses: &Addresses) -> anyhow::Result<()> {
    let next = data.join("addresses.json.next");
    std::fs::write(&next, serde_json::to_vec_pretty(addresses)?)?;
    std::fs::rename(&next, data.join("addresses.json"))?;
    Ok(())
}

/// Who is at the other end of the socket, as the operating system says.
#[derive(Debug, Clone, Copy)]
struct SocketPeer {
    uid: Option<u32>,
}

impl Connected<IncomingStream<'_, UnixListener>> for SocketPeer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self { uid: stream.io().peer_cred().ok().map(|peer| peer.uid()) }
    }
}

/// Tells the control plane who the connection is. Without that word it is nobody.
async fn vouch_for_peer(ConnectInfo(peer): ConnectInfo<SocketPeer>, mut request: Request, next: Next) -> Response {
    if let Some(uid) = peer.uid {
        request.extensions_mut().insert(remit_api::Peer::Socket { uid });
    }
    next.run(request).await
}
