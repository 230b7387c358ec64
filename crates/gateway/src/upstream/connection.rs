//! A greeted upstream, in whatever generation and over whatever wire.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use remit_domain::{Digest, Feature};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::exchange::{Ask, Governed, Outgoing, Reply, UpstreamRequest, Watch};
use super::fault::{FaultKind, UpstreamFault};
use super::http::{HttpFault, HttpWire};
use super::message::{Described, Meta};
use super::mirror::{self, Mirror};
use super::offer::{Askable, Offer};
use super::resources::Resources;
use super::signals::{Dialect, Listening, Signals};
use super::stdio::StdioWire;
use crate::call::severity;
use crate::mcp::reply::DECISION_HEADER;
use crate::{Permit, limits, refuse};

/// How bytes get there and back.
#[derive(Debug)]
pub(super) enum Wire {
    Stdio(StdioWire),
    Http(HttpWire),
}

/// One tool or feature as it was listed last.
#[derive(Debug)]
struct Listed {
    digest: Digest,
    mirrors: Arc<[Mirror]>,
}

/// What was listed, and how fresh that is.
#[derive(Debug, Default)]
struct Tools {
    listed: HashMap<String, Listed>,
    /// When it was compared with what is approved, and how many changes the server had announced before.
    checked: Option<(Instant, u64)>,
}

/// A server that can be called.
#[derive(Debug)]
pub(crate) struct Connection {
    wire: Wire,
    pub(super) signals: Arc<Signals>,
    /// What the server said when it was greeted.
    offer: OnceLock<Offer>,
    /// What the server was told that it may ask.
    pub(super) askable: Askable,
    pub(super) resources: Arc<Resources>,
    tools: Mutex<Tools>,
    /// The least severe log messages that the server was told to send, if it was told (before 2026-07-28).
    log_level: tokio::sync::Mutex<Option<usize>>,
    /// Whether the first call has waited for the server's own stream.
    waited: AtomicBool,
}

/// Why a call gave no reply.
#[derive(Debug)]
pub(crate) enum CallFault {
    /// The connection had ended before anything of the call was taken, so it may be sent again on a new one.
    ConnectionEnded(UpstreamFault),
    Fault(UpstreamFault),
}

impl Connection {
    pub(super) fn new(wire: Wire, signals: Arc<Signals>, askable: Askable, resources: Arc<Resources>) -> Self {
        Self {
            wire,
            signals,
            offer: OnceLock::new(),
            askable,
            resources,
            tools: Mutex::default(),
            log_level: tokio::sync::Mutex::default(),
            waited: AtomicBool::new(false),
        }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.signals.dialect
    }

    /// Notes what the server said when it was greeted.
    pub(super) fn greeted(&self, offer: Offer) {
        // A connection is greeted once.
        let _ = self.offer.set(offer);
    }

    pub(super) fn offer(&self) -> &Offer {
        self.offer.get_or_init(Offer::default)
    }

    /// Whether the server has `feature`, or may be asked to have its client asked it.
    pub(crate) fn offers(&self, feature: Feature) -> bool {
        self.offer().has(feature)
    }

    /// How the server wants to be used, in its own words: up to [`limits::INSTRUCTIONS_BYTES_MAX`] of them.
    pub(crate) fn instructions(&self) -> Option<&str> {
        self.offer().instructions()
    }

    /// Whether the server speaks 2026-07-28, so that what it asks of its client comes as a result.
    pub(crate) fn is_modern(&self) -> bool {
        self.dialect() == Dialect::Modern
    }

    /// Whether it can be used no more.
    pub(super) fn has_ended(&self) -> bool {
        self.signals.ended.is_cancelled()
    }

    /// Whether its tools have to be listed before the next call: never done, said to have changed, or long ago.
    pub(super) fn is_stale(&self) -> bool {
        let checked = self.tools.lock().unwrap_or_else(PoisonError::into_inner).checked;
        let age_max = Duration::from_secs(limits::DEFINITIONS_SECONDS_MAX);
        checked.is_none_or(|(at, changes)| at.elapsed() >= age_max || changes != self.signals.changes())
    }

    /// Notes what was just listed.
    pub(super) fn note(&self, definitions: &[Value]) {
        let listed = definitions.iter().filter_map(|document| {
            let name = document.get("name")?.as_str()?.to_owned();
            let digest = Digest::of_document(document);
            let mirrors = mirror::marked(document).unwrap_or_default().into();
            Some((name, Listed { digest, mirrors }))
        });
        let listed = listed.collect();
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).listed = listed;
    }

    /// What was noted is on record, as of `changes` announced by the server.
    pub(super) fn checked(&self, changes: u64) {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).checked = Some((Instant::now(), changes));
    }

    /// Digest of the definition that the server gave for `tool` when it listed its tools last; for a feature that the server
    /// has, of the built-in one.
    pub(crate) fn definition(&self, tool: &str) -> Option<Digest> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).listed.get(tool).map(|listed| listed.digest)
    }

    /// Sends the request that `permit` allows.
    pub(crate) async fn call(
        &self,
        permit: &Permit,
        request: &UpstreamRequest,
        watch: Watch,
    ) -> Result<Reply, CallFault> {
        if !is_of(request, permit) {
            let reason = "the request is not of the operation that was allowed";
            return Err(CallFault::Fault(UpstreamFault::not_sent(reason)));
        }
        self.listen_first().await;
        self.tell_level(request.log_level.as_deref()).await;
        let described =
            Described { capabilities: Some(&request.capabilities), log_level: request.log_level.as_deref() };
        let meta = Meta {
            said: Some(&request.meta),
            decision: Some(permit.action()),
            progress_token: None,
            described: self.is_modern().then_some(described),
        };
        let ask = Ask::Governed(permit, request.method);
        let outgoing = Outgoing { ask, params: &request.params, meta, headers: self.headers(permit, request), watch };
        let reply = self.exchange(outgoing).await?;
        if matches!(&reply, Reply::Error(error) if error.code == refuse::HEADER_MISMATCH) {
            // The server wants other arguments repeated than it said when it was listed.
            self.signals.tools_changed();
        }
        Ok(reply)
    }

    /// What a server asks on the stream that stands alone would be lost before that is open (2025-11-25, Streamable HTTP). One that does not open it
    /// in time goes without: some say nothing at all before their first message.
    async fn listen_first(&self) {
        if self.is_modern() || matches!(self.wire, Wire::Stdio(_)) || self.waited.load(Ordering::Relaxed) {
            return;
        }
        let mut listening = self.signals.listening();
        let settled = listening.wait_for(|listening| !matches!(listening, Listening::Opening));
        let _ = tokio::time::timeout(Duration::from_millis(limits::LISTEN_FIRST_MILLISECONDS_MAX), settled).await;
        self.waited.store(true, Ordering::Relaxed);
    }

    /// A server with a handshake logs to a connection, not to a call: it is told the least severe level that any client wants, and each client
    /// gets what it asked for.
    async fn tell_level(&self, level: Option<&str>) {
        let Some((level, wanted)) = level.and_then(|level| Some((level, severity(level)?))) else { return };
        if self.is_modern() || !self.offers(Feature::Logging) {
            return;
        }
        // Whoever is telling it already tells it for all; the next call tells it what is missing.
        let Ok(mut told) = self.log_level.try_lock() else { return };
        if told.is_some_and(|told| told <= wanted) {
            return;
        }
        let params = [("level".to_owned(), level.into())].into_iter().collect();
        // Whether it listens changes nothing about the call.
        let limit = Duration::from_secs(limits::CANCEL_SECONDS_MAX);
        if let Ok(Ok(Reply::Result(_))) = tokio::time::timeout(limit, self.ask(Ask::SetLevel, &params)).await {
            *told = Some(wanted);
        }
    }

    /// Headers of a call, besides those of the protocol.
    fn headers(&self, permit: &Permit, request: &UpstreamRequest) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Wire::Stdio(_) = self.wire {
            return headers;
        }
        if let Ok(decision) = HeaderValue::from_str(&permit.action().to_string()) {
            headers.insert(HeaderName::from_static(DECISION_HEADER), decision);
        }
        if self.is_modern() && request.method == Governed::CallTool {
            let mirrors = {
                let tools = self.tools.lock().unwrap_or_else(PoisonError::into_inner);
                tools.listed.get(permit.operation().tool()).map(|listed| Arc::clone(&listed.mirrors))
            };
            if let (Some(mirrors), Some(arguments)) = (mirrors, request.params.get("arguments")) {
                mirror::repeat(&mirrors, arguments, &mut headers);
            }
        }
        headers
    }

    /// Waits until the server tells of changes of all resources that are followed as of `version` (2026-07-28).
    pub(super) async fn listens_from(&self, version: u64) -> Result<(), UpstreamFault> {
        let mut listening = self.signals.listening();
        let taken = listening.wait_for(|listening| match listening {
            Listening::Open(open) => *open >= version,
            Listening::Never => true,
            Listening::Opening => false,
        });
        let limit = Duration::from_secs(limits::FOLLOW_SECONDS_MAX);
        let reason = match tokio::time::timeout(limit, taken).await.map(|taken| taken.map(|taken| *taken)) {
            Ok(Ok(Listening::Open(_))) => return Ok(()),
            Ok(Ok(Listening::Never)) => "the upstream does not tell of changes of its resources",
            Ok(Ok(Listening::Opening) | Err(_)) | Err(_) => "the upstream did not take the subscription in time",
        };
        Err(UpstreamFault::failed(reason))
    }

    /// Asks for something that needs no permit.
    pub(super) async fn ask(&self, ask: Ask<'_>, params: &Map<String, Value>) -> Result<Reply, UpstreamFault> {
        let meta = Meta { described: self.is_modern().then(Described::default), ..Meta::default() };
        let outgoing = Outgoing { ask, params, meta, headers: HeaderMap::new(), watch: Watch::default() };
        self.exchange(outgoing).await.map_err(|fault| match fault {
            CallFault::ConnectionEnded(fault) | CallFault::Fault(fault) => fault,
        })
    }

    async fn exchange(&self, outgoing: Outgoing<'_>) -> Result<Reply, CallFault> {
        let reply = match &self.wire {
            Wire::Stdio(wire) => wire.exchange(outgoing).await,
            Wire::Http(wire) => match wire.exchange(outgoing).await {
                Ok(reply) => Ok(reply),
                Err(HttpFault::Fault(fault)) => Err(fault),
                Err(HttpFault::SessionEnded) => {
                    self.signals.ended.cancel();
                    Err(UpstreamFault::not_sent("the upstream has ended our session"))
                }
            },
        };
        reply.map_err(|fault| match fault.kind {
            FaultKind::NotSent if self.has_ended() => CallFault::ConnectionEnded(fault),
            _ => CallFault::Fault(fault),
        })
    }

    /// Ends it, and says so where there is anybody to say it to.
    pub(super) async fn end(&self) {
        self.signals.ended.cancel();
        if let Wire::Http(wire) = &self.wire {
            wire.end_session().await;
        }
    }
}

/// INVARIANT: a permit for one operation carries no request to another.
fn is_of(request: &UpstreamRequest, permit: &Permit) -> bool {
    let allowed = permit.operation().tool();
    match request.method.feature() {
        Some(feature) => feature.name() == allowed,
        None => request.params.get("name").and_then(Value::as_str) == Some(allowed) && !Feature::is_reserved(allowed),
    }
}
