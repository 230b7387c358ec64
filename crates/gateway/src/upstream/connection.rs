//! A greeted upstream, in whatever generation and over whatever wire.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use remit_domain::{Definition, Digest};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::exchange::{Ask, Outgoing, Reply, Watch};
use super::fault::{FaultKind, UpstreamFault};
use super::http::{HttpFault, HttpWire};
use super::mirror::{self, Mirror};
use super::stdio::StdioWire;
use crate::forward::UpstreamRequest;
use crate::mcp::reply::{DECISION_HEADER, DECISION_MEMBER};
use crate::mcp::{CAPABILITIES_MEMBER, CLIENT_MEMBER, MODERN, VERSION_MEMBER};
use crate::{Permit, limits};

/// What happens to a connection from outside.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// Cancelled when the connection has ended, or has to.
    pub ended: CancellationToken,
    changed: AtomicBool,
    pub noticed: Notify,
}

impl Signals {
    /// The server says that its tools are others now.
    pub fn tools_changed(&self) {
        self.changed.store(true, Ordering::Release);
        self.noticed.notify_one();
    }
}

/// How bytes get there and back.
#[derive(Debug)]
pub(super) enum Wire {
    Stdio(StdioWire),
    Http(HttpWire),
}

/// In which generation an upstream is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Modern,
    Handshake,
}

/// One tool as the server listed it last.
#[derive(Debug)]
struct Listed {
    digest: Digest,
    mirrors: Vec<Mirror>,
}

/// A server that can be called.
#[derive(Debug)]
pub(crate) struct Connection {
    wire: Wire,
    pub(super) dialect: Dialect,
    pub(super) signals: Arc<Signals>,
    tools: Mutex<(HashMap<String, Listed>, Option<Instant>)>,
}

/// Why a call gave no reply.
#[derive(Debug)]
pub(crate) enum CallFault {
    /// The connection had ended before anything of the call was taken, so it may be sent again on a new one.
    ConnectionEnded(UpstreamFault),
    Fault(UpstreamFault),
}

impl Connection {
    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(super) fn new(wire: Wire, dialect: Dialect, signals: Arc<Signals>) -> Self {
        Self { wire, dialect, signals, tools: Mutex::default() }
    }

    /// Whether it can be used no more.
    pub(super) fn has_ended(&self) -> bool {
        self.signals.ended.is_cancelled()
    }

    /// Whether its tools have to be listed before the next call: never done, said to have changed, or long ago.
    pub(super) fn is_stale(&self) -> bool {
        let listed_at = self.tools.lock().unwrap_or_else(PoisonError::into_inner).1;
        let age_max = Duration::from_secs(limits::DEFINITIONS_SECONDS_MAX);
        self.signals.changed.load(Ordering::Acquire) || listed_at.is_none_or(|at| at.elapsed() >= age_max)
    }

    /// Before the tools are listed: a change that comes while they are is a new one.
    pub(super) fn about_to_list(&self) {
        self.signals.changed.store(false, Ordering::Release);
    }

    /// Notes the tools as they were just listed.
    pub(super) fn note(&self, definitions: &[Value]) {
        let listed = definitions.iter().filter_map(|document| {
            let name = document.get("name")?.as_str()?.to_owned();
            let digest = Definition { document: document.clone() }.digest();
            Some((name, Listed { digest, mirrors: mirror::marked(document) }))
        });
        *self.tools.lock().unwrap_or_else(PoisonError::into_inner) = (listed.collect(), Some(Instant::now()));
    }

    /// Digest of the definition that the server gave for `tool` when it listed its tools last.
    pub(crate) fn definition(&self, tool: &str) -> Option<Digest> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner).0.get(tool).map(|listed| listed.digest)
    }

    /// Sends the call that `permit` allows.
    pub(crate) async fn call(
        &self,
        permit: &Permit,
        request: &UpstreamRequest,
        watch: Watch,
    ) -> Result<Reply, CallFault> {
        let decision = permit.action().to_string();
        let tool = permit.operation().tool();
        let mut params = Map::new();
        let mut meta = request.meta.clone();
        meta.insert(DECISION_MEMBER.to_owned(), decision.clone().into());
        params.insert("_meta".to_owned(), Value::Object(meta));
        params.insert("name".to_owned(), tool.into());
        params.insert("arguments".to_owned(), (*request.arguments).clone());
        let mut headers = HeaderMap::new();
        if let Ok(decision) = HeaderValue::from_str(&decision) {
            headers.insert(HeaderName::from_static(DECISION_HEADER), decision);
        }
        if self.dialect == Dialect::Modern
            && let Some(listed) = self.tools.lock().unwrap_or_else(PoisonError::into_inner).0.get(tool)
        {
            headers.extend(mirror::headers(&listed.mirrors, &request.arguments));
        }
        self.exchange(Ask::Call(permit), params, headers, watch).await
    }

    /// Asks for something that needs no permit.
    pub(super) async fn ask(&self, ask: Ask<'_>, params: Map<String, Value>) -> Result<Reply, UpstreamFault> {
        let reply = self.exchange(ask, params, HeaderMap::new(), Watch::default()).await;
        reply.map_err(|fault| match fault {
            CallFault::ConnectionEnded(fault) | CallFault::Fault(fault) => fault,
        })
    }

    async fn exchange(
        &self,
        ask: Ask<'_>,
        mut params: Map<String, Value>,
        headers: HeaderMap,
        watch: Watch,
    ) -> Result<Reply, CallFault> {
        if self.dialect == Dialect::Modern {
            describe(&mut params);
        }
        let outgoing = Outgoing { ask, params, headers, watch };
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
}

/// Says in the request itself what 2026-07-28 has no handshake for. No capability is declared: an upstream asks the gateway
/// for nothing.
fn describe(params: &mut Map<String, Value>) {
    let meta = params.entry("_meta").or_insert_with(|| Value::Object(Map::new()));
    if let Some(meta) = meta.as_object_mut() {
        meta.insert(VERSION_MEMBER.to_owned(), MODERN.into());
        meta.insert(CLIENT_MEMBER.to_owned(), client());
        meta.insert(CAPABILITIES_MEMBER.to_owned(), json!({}));
    }
}

/// How the gateway names itself to upstreams.
pub(super) fn client() -> Value {
    json!({"name": "remit", "version": env!("CARGO_PKG_VERSION")})
}
