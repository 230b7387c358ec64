//! All upstreams: one connection per connector, opened on first need and again after it has ended.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use remit_domain::{Connector, ConnectorId, ConnectorSpec};
use remit_engine::Engine;
use serde_json::Value;
use tokio::time::Instant;

use super::connection::{Connection, Dialect, Signals};
use super::fault::UpstreamFault;
use super::{definitions, handshake, pins};
use crate::limits;

/// The servers behind the gateway. A handle: clones share everything.
#[derive(Debug, Clone)]
pub struct Upstreams {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    http: reqwest::Client,
    slots: Mutex<HashMap<ConnectorId, Arc<tokio::sync::Mutex<Slot>>>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Inner").field("slots", &self.slots).finish_non_exhaustive()
    }
}

/// The place of one connector's connection.
#[derive(Debug, Default)]
struct Slot {
    connection: Option<Arc<Connection>>,
    /// The generation in which it was greeted last.
    dialect: Option<Dialect>,
    failures: u32,
    retry_at: Option<Instant>,
}

impl Upstreams {
    /// Upstreams of the connectors that `engine` knows. The process's cryptographic provider must be installed before.
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be set up, for example without any root certificates.
    pub fn new(engine: Engine) -> Result<Self, UpstreamFault> {
        let http = reqwest::Client::builder()
            // INVARIANT: a permit is for the address that was approved; a server cannot send a call elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(limits::CONNECT_SECONDS_MAX))
            .user_agent(concat!("remit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| UpstreamFault::not_sent("the HTTP client cannot be set up").detail(error))?;
        Ok(Self { inner: Arc::new(Inner { engine, http, slots: Mutex::default() }) })
    }

    /// The definitions of all tools that the server behind `spec` offers now, for people to look at and approve. On a
    /// connection of its own, which ends with this.
    ///
    /// # Errors
    ///
    /// If the server cannot be started, reached, greeted or listed within [`limits::HANDSHAKE_SECONDS_MAX`].
    pub async fn definitions(&self, spec: &ConnectorSpec) -> Result<Vec<Value>, UpstreamFault> {
        in_time(async {
            let connection = handshake::open(spec, &self.inner.http, None).await?;
            definitions::list(&connection).await
        })
        .await
    }

    /// A connection to `connector` whose tools have been compared with the approved ones.
    pub(crate) async fn ready(&self, connector: &Arc<Connector>) -> Result<Arc<Connection>, UpstreamFault> {
        self.forget_removed();
        let slot = self.slot(connector.id);
        // Whoever comes first opens; the others wait for it here, each within its own time limit.
        let mut slot = slot.lock().await;
        if let Some(connection) = slot.connection.as_ref().filter(|connection| !connection.has_ended()) {
            let connection = Arc::clone(connection);
            if connection.is_stale() {
                in_time(pins::check(&self.inner.engine, connector, &connection)).await?;
            }
            return Ok(connection);
        }
        slot.connection = None;
        if slot.retry_at.is_some_and(|retry_at| Instant::now() < retry_at) {
            return Err(UpstreamFault::not_sent("the upstream failed to start and is given a pause"));
        }
        let known = slot.dialect;
        let opened = in_time(async {
            let connection = Arc::new(handshake::open(&connector.spec, &self.inner.http, known).await?);
            pins::check(&self.inner.engine, connector, &connection).await?;
            Ok(connection)
        });
        match opened.await {
            Ok(connection) => {
                *slot = Slot {
                    connection: Some(Arc::clone(&connection)),
                    dialect: Some(connection.dialect),
                    failures: 0,
                    retry_at: None,
                };
                tokio::spawn(follow(
                    Arc::downgrade(&self.inner),
                    Arc::clone(connector),
                    Arc::clone(&connection.signals),
                ));
                Ok(connection)
            }
            Err(fault) => {
                slot.failed();
                Err(fault)
            }
        }
    }

    /// Ends `connection`, if it is still the one that is used.
    pub(crate) async fn discard(&self, connector: &Connector, connection: &Arc<Connection>) {
        connection.signals.ended.cancel();
        let slot = self.slot(connector.id);
        let mut slot = slot.lock().await;
        if slot.connection.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
            slot.connection = None;
        }
    }

    /// Ends all connections and the processes behind them.
    pub(crate) async fn close(&self) {
        let slots: Vec<_> = self.slots(|slots| slots.drain().map(|(_, slot)| slot).collect());
        for slot in slots {
            if let Some(connection) = slot.lock().await.connection.take() {
                connection.signals.ended.cancel();
            }
        }
    }

    fn slots<T>(&self, act: impl FnOnce(&mut HashMap<ConnectorId, Arc<tokio::sync::Mutex<Slot>>>) -> T) -> T {
        act(&mut self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn slot(&self, connector: ConnectorId) -> Arc<tokio::sync::Mutex<Slot>> {
        self.slots(|slots| Arc::clone(slots.entry(connector).or_default()))
    }

    /// Lets go of connectors that were removed; their connections end when the last call on them does.
    fn forget_removed(&self) {
        let known = self.inner.engine.read(|state| state.connectors.clone());
        self.slots(|slots| slots.retain(|connector, _| known.contains_key(connector)));
    }
}

impl Slot {
    fn failed(&mut self) {
        let pause = limits::BACKOFF_SECONDS_MIN << self.failures.min(10);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(Instant::now() + Duration::from_secs(pause.min(limits::BACKOFF_SECONDS_MAX)));
        // It may be another server by now.
        self.dialect = None;
    }
}

/// Greeting and listing have one bound together.
async fn in_time<T>(work: impl Future<Output = Result<T, UpstreamFault>>) -> Result<T, UpstreamFault> {
    let limit = Duration::from_secs(limits::HANDSHAKE_SECONDS_MAX);
    let late = || {
        UpstreamFault::not_sent(format!("the upstream was not ready within {} seconds", limits::HANDSHAKE_SECONDS_MAX))
    };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(late()))
}

/// Compares the tools again as soon as the server says that they have changed, so that nobody is offered what is gone.
///
/// Boxed, since it is started by what it calls.
fn follow(
    upstreams: Weak<Inner>,
    connector: Arc<Connector>,
    signals: Arc<Signals>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        loop {
            tokio::select! {
                () = signals.noticed.notified() => {}
                () = signals.ended.cancelled() => return,
            }
            let Some(inner) = upstreams.upgrade() else { return };
            if let Err(fault) = (Upstreams { inner }).ready(&connector).await {
                tracing::warn!(connector = %connector.name, %fault, "cannot compare the tools of a connector");
            }
        }
    })
}
