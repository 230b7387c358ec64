//! The house, wired: engine, gateway, control plane and console on their listeners.

mod accept;
mod elsewhere;
mod foreign;
mod launches;
mod listeners;
mod mtls;
mod peers;
mod rotation;
mod sandbox;
mod setup;
mod sign_in;
mod socket;
mod tls;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use axum::{Router, middleware};
use remit_console::Console;
use remit_domain::PersonId;
use remit_engine::Engine;
use remit_gateway::{Gateway, Settings, Upstreams};
use remit_people::{People, PeopleSettings};
use remit_workload::Workloads;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::caep::Caep;
use crate::config::Config;
use crate::notify::Notify;
use crate::proofs::Proofs;
use crate::tools::GatewayTools;
use accept::Door;
use foreign::Foreign;
use listeners::Listeners;
use mtls::OwnCertificate;
use peers::Peers;
use tls::FileCertificate;

pub use listeners::Addresses;
pub use setup::default_anchors;

/// How long open connections may finish what they are at.
const DRAIN_SECONDS: u64 = 5;

/// A running Remit.
#[derive(Debug)]
pub struct Server {
    pub engine: Engine,
    pub addresses: Addresses,
    gateway: Arc<Gateway>,
    tasks: Tasks,
    data: PathBuf,
}

/// What runs beside: listeners, connections, and what is kept fresh.
#[derive(Debug, Clone, Default)]
struct Tasks {
    stopping: CancellationToken,
    tracker: TaskTracker,
}

/// What is served, each to whom it is for.
struct Routers {
    gateway: Router,
    control: Router,
    hooks: Router,
    sandbox: Option<(Router, PersonId)>,
    /// The control plane without the console, for the data directory's socket.
    local: Router,
}

impl Server {
    /// Opens the data directory and starts to listen. Returns once everything answers.
    pub async fn start(config: &Config, data: &Path) -> anyhow::Result<Self> {
        Self::start_with(config, data, None).await
    }

    /// The same, with a sandbox at an address of this machine if one is given: the gateway without tokens.
    pub async fn start_with(config: &Config, data: &Path, sandbox: Option<SocketAddr>) -> anyhow::Result<Self> {
        let bound = Listeners::bind(config, sandbox).await?;
        let mut addresses = bound.addresses(config)?;
        let socket = workload_socket(config, data)?;
        addresses.workload = socket.as_ref().map(|socket| format!("unix://{}", socket.display()));
        let settings = settings(config, &addresses);
        let certificate = config.tls.files().map(|(certificate, key)| FileCertificate::read(&certificate, &key));
        let certificate = certificate.transpose()?.map(Arc::new);
        let tasks = Tasks::default();
        let foreign = Foreign::open(config, &tasks.stopping, &tasks.tracker).await?;
        let engine = Engine::open(setup::options(config, data, &settings, &addresses)?).await?;
        let sandbox_owner = match sandbox {
            Some(_) => Some(sandbox::open(&engine).await?),
            None => None,
        };
        let people = People::new(engine.clone(), sign_in::people_settings(config, &addresses)?)?;
        for notify in Notify::each(&config.notify, &people.settings().console_url, &engine)? {
            engine.carry_out(Arc::new(notify));
        }
        let invariants = config.policies.invariants.as_deref();
        if let Some(proofs) = Proofs::new(invariants, engine.clone()).context("cannot read the invariants")? {
            engine.carry_out(Arc::new(proofs));
        }
        for caep in Caep::each(&config.signals.receiver, &engine)? {
            engine.carry_out(Arc::new(caep));
        }
        let upstreams = Upstreams::new(engine.clone()).context("cannot prepare to call upstreams")?;
        let tools = Arc::new(GatewayTools { upstreams: upstreams.clone() });
        let gateway = Gateway::new(engine.clone(), upstreams, settings);
        gateway.effects().into_iter().for_each(|effect| engine.carry_out(effect));
        let api_settings = remit_api::Settings {
            workload_api: launches::workload_api(&engine, addresses.workload.as_deref()),
            ..elsewhere::api_settings(config, &addresses, &foreign)?
        };
        let api = remit_api::router(remit_api::Api::new(engine.clone(), tools.clone(), people.clone(), api_settings));
        let console = console(Console::new(engine.clone(), tools, people.clone())?, &people, data);
        let routers = Routers {
            gateway: gateway.router(),
            control: api.clone().merge(remit_console::router(console)),
            hooks: gateway.hooks_router(),
            sandbox: sandbox_owner.map(|owner| (gateway.sandbox_router(), owner)),
            local: api,
        };
        if let Some(socket) = socket {
            offer_workload_api(config, &socket, &engine, &tasks).await?;
        }
        tasks.spawn(rotation::keep(engine.clone(), config.identity.rotate_keys_days, tasks.stopping.clone()));
        let doors = Doors { engine: engine.clone(), tasks: tasks.clone(), config, foreign, certificate };
        doors.open(bound, socket::bind(&data.join("control.sock"))?, routers)?;
        tasks.tracker.close();
        write_addresses(data, &addresses)?;
        Ok(Self { engine, addresses, gateway, tasks, data: data.to_owned() })
    }

    /// Ends: no new calls, calls under way are finished and recorded, then the ledger is closed.
    pub async fn stop(self) {
        // Removed first, so that nobody who looks finds a server that is going away.
        for name in ["addresses.json", "control.sock"] {
            if let Err(error) = std::fs::remove_file(self.data.join(name)) {
                tracing::debug!(name, %error, "was already gone");
            }
        }
        self.tasks.stopping.cancel();
        self.gateway.close().await;
        let drained = tokio::time::timeout(std::time::Duration::from_secs(DRAIN_SECONDS), self.tasks.tracker.wait());
        if drained.await.is_err() {
            tracing::debug!("connections were still open; they are dropped");
        }
        self.engine.close().await;
    }
}

/// Opens the doors: each router on its listener.
struct Doors<'a> {
    engine: Engine,
    tasks: Tasks,
    config: &'a Config,
    foreign: Foreign,
    certificate: Option<Arc<FileCertificate>>,
}

impl Doors<'_> {
    fn open(self, bound: Listeners, socket: UnixListener, routers: Routers) -> anyhow::Result<()> {
        self.public(bound.gateway, routers.gateway.clone())?;
        self.public(bound.control, routers.control.clone())?;
        if let Some(listener) = bound.hooks {
            self.public(listener, routers.hooks.clone())?;
        }
        let (gateway, control, hooks) = (&self.config.gateway, &self.config.control, &self.config.hooks);
        if let Some(listener) = bound.gateway_mtls {
            self.with_certificates(listener, "gateway", gateway.public_url.as_deref(), routers.gateway)?;
        }
        if let Some(listener) = bound.control_mtls {
            self.with_certificates(listener, "control", control.public_url.as_deref(), routers.control)?;
        }
        if let Some(listener) = bound.hooks_mtls {
            self.with_certificates(listener, "hooks", hooks.public_url.as_deref(), routers.hooks)?;
        }
        if let Some((listener, (router, owner))) = bound.sandbox.zip(routers.sandbox) {
            self.tasks.spawn(sandbox::keep_open(self.engine.clone(), owner, self.tasks.stopping.clone()));
            self.plain(listener, router);
        }
        if let Some(certificate) = &self.certificate {
            self.tasks.spawn(Arc::clone(certificate).keep_fresh(self.tasks.stopping.clone()));
        }
        let local = routers.local.layer(middleware::from_fn(socket::vouch_for_peer));
        let local = local.into_make_service_with_connect_info::<socket::SocketPeer>();
        let until = self.tasks.stopping.clone().cancelled_owned();
        self.tasks.spawn(axum::serve(socket, local).with_graceful_shutdown(until).into_future());
        Ok(())
    }

    /// By https with the operator's certificate, if there is one.
    fn public(&self, listener: TcpListener, router: Router) -> anyhow::Result<()> {
        match &self.certificate {
            Some(certificate) => {
                let config = tls::config(Arc::clone(certificate) as _, None)?;
                self.encrypted(Door { listener, config, peers: None, router });
            }
            None => self.plain(listener, router),
        }
        Ok(())
    }

    /// By https with our own certificate, for those who show theirs.
    fn with_certificates(
        &self,
        listener: TcpListener,
        door: &str,
        public_url: Option<&str>,
        router: Router,
    ) -> anyhow::Result<()> {
        let names = listeners::names(listener.local_addr()?, public_url);
        let own = Arc::new(OwnCertificate::issue(self.engine.clone(), door, names)?);
        let peers = Peers::new(self.engine.clone(), self.foreign.bundles.clone());
        let config = tls::config(own, Some(Arc::new(peers.verifier())))?;
        self.encrypted(Door { listener, config, peers: Some(peers), router });
        Ok(())
    }

    fn encrypted(&self, door: Door) {
        self.tasks.spawn(accept::serve(door, self.tasks.stopping.clone(), self.tasks.tracker.clone()));
    }

    fn plain(&self, listener: TcpListener, router: Router) {
        let until = self.tasks.stopping.clone().cancelled_owned();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        self.tasks.spawn(axum::serve(listener, service).with_graceful_shutdown(until).into_future());
    }
}

impl Tasks {
    fn spawn<F>(&self, task: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        drop(self.tracker.spawn(task));
    }
}

/// Where the Workload API is offered, if it is; as others need it, from the root.
fn workload_socket(config: &Config, data: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !config.workload.enabled {
        return Ok(None);
    }
    let socket = config.workload.socket.clone().unwrap_or_else(|| data.join("workload.sock"));
    Ok(Some(std::path::absolute(&socket).with_context(|| format!("cannot place `{}`", socket.display()))?))
}

/// Gives the processes of this machine their identity, on a socket of its own.
async fn offer_workload_api(config: &Config, socket: &Path, engine: &Engine, tasks: &Tasks) -> anyhow::Result<()> {
    let settings =
        remit_workload::Settings { svid_seconds: config.identity.svid_seconds, ..remit_workload::Settings::at(socket) };
    let workloads = Workloads::bind(engine.clone(), &settings).await;
    let workloads = workloads.with_context(|| format!("cannot offer the Workload API on `{}`", socket.display()))?;
    engine.carry_out(Arc::new(workloads.enforcement()));
    tasks.spawn(workloads.serve(tasks.stopping.clone().cancelled_owned()));
    Ok(())
}

fn settings(config: &Config, addresses: &Addresses) -> Settings {
    let gateway = &config.gateway;
    let listening = [Some(gateway.listen), gateway.mtls_listen].into_iter().flatten();
    let names = listening.flat_map(|listen| listeners::names(listen, gateway.public_url.as_deref()));
    Settings {
        mtls_url: addresses.gateway_mtls.clone(),
        production: config.realm.production,
        hold_seconds: gateway.hold_seconds,
        call_seconds_max: gateway.call_seconds_max,
        allowed_hosts: gateway.hosts.iter().cloned().chain(names).collect(),
        ..Settings::at(&addresses.gateway, &PeopleSettings::at(&addresses.control).console_url)
    }
}

fn write_addresses(data: &Path, addresses: &Addresses) -> anyhow::Result<()> {
    let next = data.join("addresses.json.next");
    std::fs::write(&next, serde_json::to_vec_pretty(addresses)?)?;
    std::fs::rename(&next, data.join("addresses.json"))?;
    Ok(())
}

/// A console at a name of this machine tells people, who are on it then, where the realm's socket is.
fn console(console: Console, people: &People, data: &Path) -> Console {
    let directory = std::path::absolute(data).ok().filter(|_| people.settings().rp_id == "localhost");
    match directory.as_deref().and_then(Path::to_str) {
        Some(directory) => console.on_this_machine(directory),
        None => console,
    }
}
