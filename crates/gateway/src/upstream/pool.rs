//! All upstreams: one connection per connector, opened on first need and again after it has ended.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use remit_domain::{Connector, ConnectorId, ConnectorSpec};
use remit_engine::Engine;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::connection::Connection;
use super::fault::UpstreamFault;
use super::handshake::Opening;
use super::news::{News, Reporter};
use super::offer::Askable;
use super::resources::Resources;
use super::signals::{Dialect, Signals};
use super::stderr::Stderr;
use super::{definitions, listen, pins};
use crate::limits;

/// The servers behind the gateway. A handle: clones share everything.
#[derive(Debug, Clone)]
pub struct Upstreams {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    http: reqwest::Client,
    places: Mutex<HashMap<ConnectorId, Arc<Place>>>,
    news: broadcast::Sender<News>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Inner").field("places", &self.places).finish_non_exhaustive()
    }
}

/// The place of one connector's connection.
#[derive(Debug, Default)]
struct Place {
    /// The connection that is used. Set only by whoever holds `slot`.
    current: Mutex<Option<Arc<Connection>>>,
    slot: tokio::sync::Mutex<Slot>,
    resources: Arc<Resources>,
    stderr: Arc<Stderr>,
}

/// One more who follows a resource, until it is dropped.
#[derive(Debug)]
pub(crate) struct Following {
    resources: Arc<Resources>,
    uri: String,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.resources.remove(&self.uri);
    }
}

/// How opening went so far.
#[derive(Debug, Default)]
struct Slot {
    /// The generation in which it was greeted last.
    dialect: Option<Dialect>,
    failures: u32,
    retry_at: Option<Instant>,
}

impl Place {
    fn current(&self) -> Option<Arc<Connection>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|connection| !connection.has_ended()).map(Arc::clone)
    }

    fn set(&self, connection: Option<Arc<Connection>>) -> Option<Arc<Connection>> {
        std::mem::replace(&mut *self.current.lock().unwrap_or_else(PoisonError::into_inner), connection)
    }
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
            // A call under load finds a connection that is open already.
            .pool_max_idle_per_host(limits::IDLE_CONNECTIONS_MAX)
            .tcp_nodelay(true)
            .user_agent(concat!("remit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| UpstreamFault::not_sent("the HTTP client cannot be set up").detail(error))?;
        let news = broadcast::Sender::new(limits::NEWS_KEPT);
        Ok(Self { inner: Arc::new(Inner { engine, http, places: Mutex::default(), news }) })
    }

    /// The definitions of all tools that the server behind `spec` offers now, followed by the built-in ones of its features, for
    /// people to look at and approve. On a connection of its own, which ends with this.
    ///
    /// # Errors
    ///
    /// If the server cannot be started, reached, greeted or listed within [`limits::HANDSHAKE_SECONDS_MAX`].
    pub async fn definitions(&self, spec: &ConnectorSpec) -> Result<Vec<Value>, UpstreamFault> {
        let opening = Opening {
            spec,
            http: &self.inner.http,
            known: None,
            askable: Askable::default(),
            reporter: Reporter::default(),
            resources: Arc::default(),
            stderr: Arc::default(),
        };
        let found = in_time(async {
            let connection = opening.open().await?;
            definitions::list(&connection).await
        });
        let found = found.await?;
        self.look_again(spec);
        Ok(found)
    }

    /// What somebody has just seen counts for the calls too: connections to the same server compare their tools before the next one.
    fn look_again(&self, spec: &ConnectorSpec) {
        let same = self.inner.engine.read(|state| {
            let same = state.connectors.values().filter(|connector| connector.spec == *spec);
            same.map(|connector| connector.id).collect::<Vec<_>>()
        });
        for connection in same.into_iter().filter_map(|connector| self.place(connector).current()) {
            connection.signals.tools_changed();
        }
    }

    /// The last lines that the processes of `connector` wrote to their standard error, oldest first; none if it is no process.
    pub fn stderr(&self, connector: ConnectorId) -> Vec<String> {
        let place = self.places(|places| places.get(&connector).map(Arc::clone));
        place.map(|place| place.stderr.lines()).unwrap_or_default()
    }

    /// What servers say of themselves from now on.
    pub(crate) fn news(&self) -> broadcast::Receiver<News> {
        self.inner.news.subscribe()
    }

    /// A connection to `connector` whose tools have been compared with the approved ones.
    pub(crate) async fn ready(&self, connector: &Arc<Connector>) -> Result<Arc<Connection>, UpstreamFault> {
        let place = self.place(connector.id);
        if let Some(connection) = place.current().filter(|connection| !connection.is_stale())
            && self.may_ask_as_told(connector, &connection)
        {
            return Ok(connection);
        }
        // Apart, since it is large and seldom: it would be part of every call otherwise.
        Box::pin(self.prepare(connector, &place)).await
    }

    /// Opens a connection to `connector`, or compares its tools again.
    async fn prepare(&self, connector: &Arc<Connector>, place: &Place) -> Result<Arc<Connection>, UpstreamFault> {
        self.forget_removed();
        // Whoever comes first opens or compares; the others wait for it here, each within its own time limit.
        let mut slot = place.slot.lock().await;
        if let Some(connection) = place.current()
            && self.may_ask_as_told(connector, &connection)
        {
            if connection.is_stale() {
                in_time(pins::check(&self.inner.engine, connector, &connection)).await?;
            }
            // What was just found may have withdrawn what the server was told that it may ask.
            if self.may_ask_as_told(connector, &connection) {
                return Ok(connection);
            }
        }
        if slot.retry_at.is_some_and(|retry_at| Instant::now() < retry_at) {
            return Err(UpstreamFault::not_sent("the upstream failed to start and is given a pause"));
        }
        match in_time(self.open(connector, place, slot.dialect)).await {
            Ok(connection) => {
                *slot = Slot { dialect: Some(connection.dialect()), failures: 0, retry_at: None };
                // One that was used before ends when the last call on it does.
                place.set(Some(Arc::clone(&connection)));
                let signals = Arc::clone(&connection.signals);
                tokio::spawn(follow(Arc::downgrade(&self.inner), Arc::clone(connector), signals));
                listen::start(&connection);
                let instructions = connection.instructions();
                tracing::debug!(connector = %connector.name, ?instructions, "an upstream is ready");
                Ok(connection)
            }
            Err(fault) => {
                place.set(None);
                slot.failed();
                Err(fault)
            }
        }
    }

    async fn open(
        &self,
        connector: &Arc<Connector>,
        place: &Place,
        known: Option<Dialect>,
    ) -> Result<Arc<Connection>, UpstreamFault> {
        let opening = Opening {
            spec: &connector.spec,
            http: &self.inner.http,
            known,
            askable: self.inner.engine.read(|state| Askable::of(state, connector)),
            reporter: Reporter::new(connector.id, self.inner.news.clone()),
            resources: Arc::clone(&place.resources),
            stderr: Arc::clone(&place.stderr),
        };
        let connection = Arc::new(opening.open().await?);
        pins::check(&self.inner.engine, connector, &connection).await?;
        Ok(connection)
    }

    /// Whether the server behind `connection` was told exactly what it may ask now. Only a handshake tells it.
    fn may_ask_as_told(&self, connector: &Connector, connection: &Connection) -> bool {
        connection.dialect() == Dialect::Modern
            || connection.askable == self.inner.engine.read(|state| Askable::of(state, connector))
    }

    /// Has `connector`, whose `connection` is used now, tell of changes of the resource `uri` until the result is dropped (2026-07-28).
    pub(crate) async fn follow(
        &self,
        connector: &Connector,
        connection: &Connection,
        uri: &str,
    ) -> Result<Following, UpstreamFault> {
        let resources = Arc::clone(&self.place(connector.id).resources);
        let version = resources.add(uri)?;
        // From here on undone by being dropped, wherever that happens.
        let following = Following { resources, uri: uri.to_owned() };
        connection.listens_from(version).await?;
        Ok(following)
    }

    /// Ends `connection`, if it is still the one that is used.
    pub(crate) async fn discard(&self, connector: &Connector, connection: &Arc<Connection>) {
        connection.signals.ended.cancel();
        let place = self.place(connector.id);
        let mut current = place.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
            *current = None;
        }
    }

    /// Ends all connections and the processes behind them.
    pub(crate) async fn close(&self) {
        let places: Vec<_> = self.places(|places| places.drain().map(|(_, place)| place).collect());
        let connections = places.iter().filter_map(|place| place.set(None));
        futures_util::future::join_all(connections.map(|connection| async move { connection.end().await })).await;
    }

    fn places<T>(&self, act: impl FnOnce(&mut HashMap<ConnectorId, Arc<Place>>) -> T) -> T {
        act(&mut self.inner.places.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn place(&self, connector: ConnectorId) -> Arc<Place> {
        self.places(|places| Arc::clone(places.entry(connector).or_default()))
    }

    /// Lets go of connectors that were removed; their connections end when the last call on them does.
    fn forget_removed(&self) {
        let known = self.inner.engine.read(|state| state.connectors.clone());
        self.places(|places| places.retain(|connector, _| known.contains_key(connector)));
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
