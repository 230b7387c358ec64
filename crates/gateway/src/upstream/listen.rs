//! Keeps a stream open on which a server says what has changed, as long as its connection lives.

use std::sync::{Arc, Weak};
use std::time::Duration;

use remit_domain::Feature;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::connection::{Connection, Wire};
use super::exchange::Reply;
use super::http;
use super::offer::Offer;
use super::resources::Resources;
use super::signals::{Dialect, Listening, Signals};
use crate::{limits, refuse};

/// What came of listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listened {
    /// The server does not do that.
    Never,
    /// It is over for now.
    Ended,
}

/// What a `subscriptions/listen` asks for (2026-07-28).
#[derive(Debug)]
pub(super) struct Wanted {
    pub params: Map<String, Value>,
    /// The version of the followed resources that it names.
    pub version: u64,
}

/// Whether a server that answers `subscriptions/listen` so would answer it so again.
pub(super) fn is_final(reply: &Reply) -> bool {
    let codes = [refuse::METHOD_NOT_FOUND, refuse::INVALID_PARAMS, refuse::INVALID_REQUEST];
    matches!(reply, Reply::Error(error) if codes.contains(&error.code))
}

/// Begins to listen. It ends with the connection.
pub(super) fn start(connection: &Arc<Connection>) {
    let source = match (connection.dialect(), connection.wire()) {
        // All that such a process says is heard anyway.
        (Dialect::Handshake, Wire::Stdio(_)) => return,
        (Dialect::Handshake, Wire::Http(wire)) => Source::Alone { server: wire.server(), place: None },
        (Dialect::Modern, Wire::Http(wire)) => Source::Http(wire.server()),
        (Dialect::Modern, Wire::Stdio(_)) => Source::Process { connection: Arc::downgrade(connection), previous: None },
    };
    let listener = Listener {
        source,
        signals: Arc::clone(&connection.signals),
        resources: Arc::clone(&connection.resources),
        offer: connection.offer().clone(),
        missed: false,
        pause: Duration::ZERO,
    };
    tokio::spawn(listener.keep());
}

enum Source {
    /// The stand-alone stream, and where it was left.
    Alone {
        server: Arc<http::Server>,
        place: Option<String>,
    },
    Http(Arc<http::Server>),
    /// A process, and the request before, which is taken back.
    Process {
        connection: Weak<Connection>,
        previous: Option<u64>,
    },
}

struct Listener {
    source: Source,
    signals: Arc<Signals>,
    resources: Arc<Resources>,
    offer: Offer,
    /// Whether something may have been said while nobody listened.
    missed: bool,
    /// How long the server wants to be left alone after its stream has ended.
    pause: Duration,
}

impl Listener {
    async fn keep(mut self) {
        let mut versions = self.resources.watch();
        let signals = Arc::clone(&self.signals);
        let least = Duration::from_secs(limits::BACKOFF_SECONDS_MIN);
        let most = Duration::from_secs(limits::BACKOFF_SECONDS_MAX);
        let mut backoff = least;
        loop {
            let began = Instant::now();
            versions.borrow_and_update();
            let listened = tokio::select! {
                listened = self.listen() => listened,
                () = signals.ended.cancelled() => return,
                // Others are followed now, which has to be said in a new request.
                Ok(()) = versions.changed(), if signals.dialect == Dialect::Modern => continue,
            };
            if listened == Listened::Never {
                signals.set_listening(Listening::Never);
                return;
            }
            signals.set_listening(Listening::Opening);
            self.missed = true;
            if began.elapsed() >= most {
                backoff = least;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.max(self.pause)) => {}
                () = signals.ended.cancelled() => return,
            }
            backoff = (backoff * 2).min(most);
        }
    }

    /// Opens the stream and takes what comes on it until it ends.
    async fn listen(&mut self) -> Listened {
        let wanted = self.wanted();
        let (server, opened) = match &mut self.source {
            Source::Alone { server, place } => (Arc::clone(server), server.open_alone(place.as_deref()).await),
            Source::Http(server) => (Arc::clone(server), server.open_listening(&wanted).await),
            Source::Process { connection, previous } => return of_process(connection, previous, &wanted).await,
        };
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(listened) => return listened,
        };
        let taken_up = matches!(&self.source, Source::Alone { place: Some(_), .. });
        if std::mem::take(&mut self.missed) && !taken_up {
            self.signals.tools_changed();
        }
        let listened = server.hear(&mut stream).await;
        self.pause = stream.pause();
        if let Source::Alone { place, .. } = &mut self.source {
            *place = stream.last_event_id().map(str::to_owned);
        }
        listened
    }

    fn wanted(&self) -> Wanted {
        let (uris, version) = self.resources.all();
        let mut notifications = Map::new();
        notifications.insert("toolsListChanged".to_owned(), true.into());
        if self.offer.has(Feature::Prompts) {
            notifications.insert("promptsListChanged".to_owned(), true.into());
        }
        if self.offer.has(Feature::Resources) {
            notifications.insert("resourcesListChanged".to_owned(), true.into());
        }
        if !uris.is_empty() {
            notifications.insert("resourceSubscriptions".to_owned(), json!(uris));
        }
        let mut params = Map::new();
        params.insert("notifications".to_owned(), Value::Object(notifications));
        Wanted { params, version }
    }
}

/// The same over a process, where what it says comes with everything else.
async fn of_process(connection: &Weak<Connection>, previous: &mut Option<u64>, wanted: &Wanted) -> Listened {
    let answered = {
        let Some(connection) = connection.upgrade() else { return Listened::Never };
        let Wire::Stdio(wire) = connection.wire() else { return Listened::Never };
        let Some((id, answered)) = wire.listen(wanted).await else { return Listened::Never };
        if let Some(previous) = previous.replace(id) {
            wire.give_up(previous).await;
        }
        answered
    };
    match answered.await {
        Ok(reply) if is_final(&reply) => Listened::Never,
        Ok(_) | Err(_) => Listened::Ended,
    }
}
