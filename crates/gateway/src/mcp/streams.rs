//! Streams on which a client hears that something has changed: the stand-alone stream of a session (before 2026-07-28), and the answer to
//! `subscriptions/listen` (since then). Each hears only of what its caller may see.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use remit_domain::{AgentId, Connector, ConnectorId, Event, Feature, KeyStep, State, TaskId};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::call::stream_headers;
use super::envelope::RequestId;
use super::sessions::Followed;
use super::sse;
use crate::caller::Caller;
use crate::door::Door;
use crate::lives::{Held, Kind};
use crate::upstream::{Following, News, NewsKind};
use crate::{Gateway, gate, limits};

/// The member of `_meta` that names the request behind a notification (2026-07-28).
const SUBSCRIPTION_MEMBER: &str = "io.modelcontextprotocol/subscriptionId";

/// Of what a stream wants to hear.
#[derive(Debug, Default)]
pub(super) struct Wants {
    pub tools: bool,
    pub prompts: bool,
    pub resources: bool,
    /// Following lasts as long as the stream.
    pub followed: HashMap<Followed, Option<Following>>,
}

/// All open streams.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    streams: HashMap<u64, Listener>,
}

#[derive(Debug)]
struct Listener {
    agent: AgentId,
    task: TaskId,
    door: Door,
    wants: Wants,
    /// The request that the stream answers, if it answers one.
    request: Option<RequestId>,
    /// The session whose stream it is, if it is one's; it follows what the session follows.
    session: Option<String>,
    messages: mpsc::Sender<Bytes>,
}

/// Something that streams may want to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change<'a> {
    Tools,
    Prompts,
    Resources,
    Resource { connector: &'a str, uri: &'a str },
}

/// Forgets a stream whose client has left.
struct Registered {
    gateway: Arc<Gateway>,
    id: u64,
    /// Held until the last of it has been given to the client, or the client is gone.
    _life: Held,
    /// The same for what it follows upstream.
    _follows: Option<Held>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.gateway.streams.with(|open| drop(open.streams.remove(&self.id)));
    }
}

impl Streams {
    fn with<T>(&self, act: impl FnOnce(&mut Open) -> T) -> T {
        act(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, listener: Listener) -> Option<u64> {
        self.with(|open| {
            // One session has one stream: a further one takes its place.
            if listener.session.is_some() {
                open.streams.retain(|_, other| other.session != listener.session);
            }
            let own = open.streams.values().filter(|other| other.task == listener.task).count();
            if open.streams.len() >= limits::STREAMS_MAX || own >= limits::STREAMS_PER_TASK_MAX {
                return None;
            }
            open.next += 1;
            open.streams.insert(open.next, listener);
            Some(open.next)
        })
    }

    /// Ends the streams of a task.
    pub fn end_of(&self, task: TaskId) {
        self.end(|listener| listener.task == task);
    }

    /// Ends the streams that `ends` picks.
    fn end(&self, ends: impl Fn(&Listener) -> bool) {
        self.with(|open| open.streams.retain(|_, listener| !ends(listener)));
    }

    /// Whether some stream of its own follows a resource.
    pub fn follows(&self, followed: &Followed) -> bool {
        self.with(|open| open.streams.values().any(|listener| listener.wants.followed.contains_key(followed)))
    }
}

/// Opens a stream for `caller`. Nothing if no more can be kept.
pub(super) fn open(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    door: &Door,
    wants: Wants,
    request: Option<RequestId>,
    session: Option<String>,
) -> Option<Response> {
    let (messages, receiver) = mpsc::channel(limits::STREAM_MESSAGES_MAX);
    let honoured = honoured(&wants, door);
    let listener = Listener {
        agent: caller.agent,
        task: caller.task,
        door: door.clone(),
        wants,
        request: request.clone(),
        session,
        messages,
    };
    let heard = heard(gateway, &listener);
    let life = gateway.lives.hold(caller.task, Kind::Stream);
    let follows = (!listener.wants.followed.is_empty()).then(|| gateway.lives.hold(caller.task, Kind::Upstream));
    let id = gateway.streams.add(listener)?;
    let task = caller.task;
    let now = gateway.engine.now();
    if !gateway.engine.read(|state| state.task(task).is_ok_and(|task| task.must_be_alive(now).is_ok())) {
        // It has ended since the caller was identified, and the end may have been told before this stream was there to hear it.
        gateway.streams.end(|listener| listener.task == task);
    }
    // A server says nothing to whom it does not know: each that this stream could hear of is greeted, if it was not before.
    let upstreams = gateway.upstreams.clone();
    tokio::spawn(async move {
        for connector in heard {
            if let Err(fault) = upstreams.ready(&connector).await {
                tracing::debug!(connector = %connector.name, %fault, "a connector cannot be listened to");
            }
        }
    });
    let registered = Registered { gateway: Arc::clone(gateway), id, _life: life, _follows: follows };
    let first = match &request {
        Some(request) => {
            let params = json!({"notifications": honoured});
            message("notifications/subscriptions/acknowledged", params, Some(request))
        }
        None => sse::comment("listening"),
    };
    let events = stream::unfold((receiver, registered, Some(first)), |(mut receiver, registered, first)| async move {
        if let Some(first) = first {
            return Some((Ok::<_, std::convert::Infallible>(first), (receiver, registered, None)));
        }
        let pause = Duration::from_secs(limits::STREAM_KEEPALIVE_SECONDS);
        let next = tokio::select! {
            next = tokio::time::timeout(pause, receiver.recv()) => next,
            () = registered.gateway.stopping.cancelled() => return None,
        };
        match next {
            Ok(Some(message)) => Some((Ok(message), (receiver, registered, None))),
            Ok(None) => None,
            Err(_) => Some((Ok(sse::comment("listening")), (receiver, registered, None))),
        }
    });
    let mut response = Response::new(Body::from_stream(events));
    stream_headers(&mut response);
    Some(response)
}

/// The connectors of which a listener could hear.
fn heard(gateway: &Gateway, listener: &Listener) -> Vec<Arc<Connector>> {
    gateway.engine.read(|state| {
        let concerned = state.connectors.values().filter(|connector| concerns(state, listener, &connector.name));
        concerned.take(limits::CONNECTORS_HEARD_MAX).cloned().collect()
    })
}

/// What of a filter is honoured, in the protocol's words.
fn honoured(wants: &Wants, door: &Door) -> Value {
    let mut honoured = Map::new();
    for (name, wanted) in [
        ("toolsListChanged", wants.tools),
        ("promptsListChanged", wants.prompts),
        ("resourcesListChanged", wants.resources),
    ] {
        if wanted {
            honoured.insert(name.to_owned(), true.into());
        }
    }
    if !wants.followed.is_empty() {
        let uris = wants.followed.keys().map(|(connector, uri)| door.uri(connector, uri).into()).collect();
        honoured.insert("resourceSubscriptions".to_owned(), Value::Array(uris));
    }
    Value::Object(honoured)
}

fn message(method: &str, mut params: Value, request: Option<&RequestId>) -> Bytes {
    if let (Some(request), Some(params)) = (request, params.as_object_mut()) {
        params.insert("_meta".to_owned(), json!({SUBSCRIPTION_MEMBER: request}));
    }
    let message = match params.as_object().is_some_and(|params| params.is_empty()) {
        true => json!({"jsonrpc": "2.0", "method": method}),
        false => json!({"jsonrpc": "2.0", "method": method, "params": params}),
    };
    sse::message(message.to_string().as_bytes())
}

/// Tells the streams what the ledger and the upstreams say, as long as the gateway is there.
pub(crate) async fn follow(gateway: Weak<Gateway>) {
    let Some((mut records, mut news)) =
        gateway.upgrade().map(|gateway| (gateway.engine.watch(gateway.engine.head()), gateway.upstreams.news()))
    else {
        return;
    };
    let mut reaping = tokio::time::interval(Duration::from_secs(limits::SESSIONS_REAPED_SECONDS));
    loop {
        tokio::select! {
            _ = reaping.tick() => {
                let Some(gateway) = gateway.upgrade() else { return };
                gateway.sessions.reap(Instant::now());
            }
            record = records.next() => {
                let (Some(record), Some(gateway)) = (record, gateway.upgrade()) else { return };
                recorded(&gateway, &record.record.event);
            }
            heard = news.recv() => {
                let Some(gateway) = gateway.upgrade() else { return };
                match heard {
                    Ok(news) => upstream(&gateway, &news),
                    // Some were lost: everybody looks again.
                    Err(RecvError::Lagged(_)) => {
                        tell(&gateway, &[Change::Tools, Change::Prompts, Change::Resources], |_, _| true);
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }
}

/// What an event changes for whom.
fn recorded(gateway: &Gateway, event: &Event) {
    const ALL: [Change<'static>; 3] = [Change::Tools, Change::Prompts, Change::Resources];
    match event {
        Event::TaskEnded { task, .. } => {
            gateway.cut(*task);
        }
        Event::AgentSuspended { agent, .. } | Event::AgentDecommissioned { agent, .. } => {
            gateway.streams.end(|listener| listener.agent == *agent);
        }
        // Which stream was opened by which token is not kept: those of the task, or all of them, are opened again by one that holds.
        Event::TokenRevoked { task, .. } => gateway.streams.end_of(*task),
        Event::RealmKeyStepped(stepped) if stepped.step == KeyStep::Revoked => gateway.streams.end(|_| true),
        Event::GrantGiven(grant) => {
            let is_its = |task| grant.task.is_none_or(|own| own == task);
            tell(gateway, &ALL, |_, listener| listener.agent == grant.agent && is_its(listener.task));
        }
        Event::GrantRevoked { agent, .. } | Event::GrantExpired { agent, .. } | Event::AgentDescribed { agent, .. } => {
            tell(gateway, &ALL, |_, listener| listener.agent == *agent);
        }
        Event::PolicyActivated { .. } => tell(gateway, &ALL, |_, _| true),
        Event::OperationApproved(approved) => {
            let connector = approved.name.connector();
            tell(gateway, &ALL, |state, listener| concerns(state, listener, connector));
        }
        Event::OperationWithdrawn { operation, .. } => {
            let connector = operation.connector();
            tell(gateway, &ALL, |state, listener| concerns(state, listener, connector));
        }
        _ => {}
    }
}

/// What a server said of itself.
fn upstream(gateway: &Gateway, news: &News) {
    let connector = |id: ConnectorId| gateway.engine.read(|state| state.connectors.get(&id).cloned());
    let Some(connector) = connector(news.connector) else { return };
    let change = match &news.kind {
        NewsKind::ToolsChanged => Change::Tools,
        NewsKind::PromptsChanged => Change::Prompts,
        NewsKind::ResourcesChanged => Change::Resources,
        NewsKind::ResourceUpdated { uri } => return updated(gateway, &connector, uri),
    };
    tell(gateway, &[change], |state, listener| concerns(state, listener, &connector.name));
}

fn updated(gateway: &Gateway, connector: &Connector, uri: &str) {
    let followed = (connector.name.clone(), uri.to_owned());
    let now = gateway.engine.now();
    tell(gateway, &[Change::Resource { connector: &connector.name, uri }], |state, listener| {
        let session = listener.session.as_deref();
        let follows = listener.wants.followed.contains_key(&followed)
            || session.is_some_and(|session| gateway.sessions.follows(session, &followed));
        // That it was once allowed to follow does not last longer than what allowed it.
        follows
            && listener.door.opens_on(&connector.name)
            && gate::available(state, listener.task, &connector.name, Feature::Resources, now)
    });
}

/// Whether a listener's agent may reach anything of `connector` through its door. Cheap, since it is asked for every stream.
fn concerns(state: &State, listener: &Listener, connector: &str) -> bool {
    if !listener.door.opens_on(connector) {
        return false;
    }
    let of_task = state.task(listener.task).into_iter().flat_map(|task| state.grants_of_task(task));
    let granted = state.grants_of(listener.agent).chain(of_task).any(|grant| {
        grant.operations.iter().any(|pattern| pattern.as_str().split_once('/').is_some_and(|(own, _)| own == connector))
    });
    let sandboxed = || {
        state.connector_named(connector).is_ok_and(|connector| connector.sandbox)
            && state
                .agent(listener.agent)
                .is_ok_and(|agent| agent.profile.environment == Some(remit_domain::Environment::Sandbox))
    };
    granted || sandboxed()
}

/// Sends what has changed to the streams that want to hear it and whom it concerns. A stream that does not keep up misses it; it will look again
/// at the next change.
fn tell(gateway: &Gateway, changes: &[Change<'_>], whom: impl Fn(&State, &Listener) -> bool) {
    let state = gateway.engine.state();
    gateway.streams.with(|open| {
        for listener in open.streams.values().filter(|listener| whom(&state, listener)) {
            for change in changes {
                if let Some(message) = said(change, listener) {
                    let _ = listener.messages.try_send(message);
                }
            }
        }
    });
}

fn said(change: &Change<'_>, listener: &Listener) -> Option<Bytes> {
    let (wanted, method) = match change {
        Change::Tools => (listener.wants.tools, "notifications/tools/list_changed"),
        Change::Prompts => (listener.wants.prompts, "notifications/prompts/list_changed"),
        Change::Resources => (listener.wants.resources, "notifications/resources/list_changed"),
        Change::Resource { connector, uri } => {
            let params = json!({"uri": listener.door.uri(connector, uri)});
            return Some(message("notifications/resources/updated", params, listener.request.as_ref()));
        }
    };
    wanted.then(|| message(method, json!({}), listener.request.as_ref()))
}
