//! The gateway: what every request shares.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use remit_domain::TaskId;
use remit_engine::{Effect, Engine};
use remit_identity::ReplayCache;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::caller::Runs;
use crate::listen::Entrance;
use crate::lives::Lives;
use crate::mcp::{Handles, ParkingLot, Sessions, Streams, streams};
use crate::outputs::Outputs;
use crate::request_state::RequestStates;
use crate::room::Room;
use crate::tokens::Tokens;
use crate::{Settings, Upstreams, cut, hooks, limits, listen};

/// The gate in front of all tools. Share it by `Arc`; [`Gateway::close`] ends it.
pub struct Gateway {
    pub(crate) engine: Engine,
    pub(crate) upstreams: Upstreams,
    pub(crate) settings: Settings,
    pub(crate) tokens: Tokens,
    /// Proofs of possession that have been shown.
    pub(crate) proofs: Mutex<ReplayCache>,
    /// With which task each run began.
    pub(crate) runs: Runs,
    /// What is open for each task.
    pub(crate) lives: Lives,
    pub(crate) sessions: Sessions,
    pub(crate) request_states: RequestStates,
    pub(crate) parked: ParkingLot,
    pub(crate) handles: Handles,
    pub(crate) streams: Streams,
    pub(crate) outputs: Outputs,
    /// One permit for each call under way or held.
    pub(crate) room: Room,
    /// Calls and records that must not be lost when a client leaves.
    pub(crate) work: TaskTracker,
    pub(crate) stopping: CancellationToken,
}

impl Gateway {
    /// A gateway that decides with `engine` and calls through `upstreams`.
    pub fn new(engine: Engine, upstreams: Upstreams, settings: Settings) -> Arc<Self> {
        let proofs = Mutex::new(ReplayCache::new(engine.now().as_seconds()));
        let request_states = RequestStates::new(&engine);
        let gateway = Arc::new(Self {
            engine,
            upstreams,
            settings,
            tokens: Tokens::default(),
            proofs,
            runs: Runs::default(),
            lives: Lives::default(),
            sessions: Sessions::default(),
            request_states,
            parked: ParkingLot::default(),
            handles: Handles::default(),
            streams: Streams::default(),
            outputs: Outputs::default(),
            room: Room::default(),
            work: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        tokio::spawn(streams::follow(Arc::downgrade(&gateway)));
        gateway
    }

    /// Everything that the gateway's listener serves.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        listen::router(Arc::clone(self), Entrance::Tokens)
    }

    /// The same without a token, for experiments: whoever comes is the agent `sandbox`. The listener must be one of this machine only.
    pub fn sandbox_router(self: &Arc<Self>) -> axum::Router {
        listen::router(Arc::clone(self), Entrance::Sandbox)
    }

    /// What gateways of others ask for decisions (gRPC): Envoy by `ext_authz`, agentgateway by `ExtMcp`. They enforce the answers.
    pub fn hooks_router(self: &Arc<Self>) -> axum::Router {
        hooks::router(Arc::clone(self))
    }

    /// What has to happen here when something ends, for the engine to carry out: each reports when it took effect.
    pub fn effects(self: &Arc<Self>) -> Vec<Arc<dyn Effect>> {
        cut::effects(self)
    }

    /// Ends what is open for `task`, which has ended: its streams at once, its calls as soon as their upstreams have been told.
    pub(crate) fn cut(&self, task: TaskId) {
        if self.lives.cut(task) {
            self.streams.end_of(task);
            self.sessions.release(task);
            self.parked.end(task);
            self.handles.end(task);
        }
    }

    /// Ends: holds are answered at once, calls under way get [`limits::DRAIN_SECONDS_MAX`] to end and be recorded, then
    /// the upstreams are closed. What is still open after that is found by the engine as an unknown outcome.
    pub async fn close(&self) {
        self.stopping.cancel();
        self.work.close();
        let drained = tokio::time::timeout(Duration::from_secs(limits::DRAIN_SECONDS_MAX), self.work.wait()).await;
        if drained.is_err() {
            tracing::warn!(calls = self.work.len(), "closing while calls are under way");
        }
        self.upstreams.close().await;
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gateway").field("settings", &self.settings).finish_non_exhaustive()
    }
}
