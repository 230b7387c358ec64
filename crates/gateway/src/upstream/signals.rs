//! What reaches a connection from outside: its end, changes behind it, and what its server says between answers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::exchange::Notice;
use super::message::{self, Change, Incoming};
use super::news::Reporter;
use super::underway::{Asked, Followed, Underway};
use crate::limits;

/// In which generation an upstream is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Modern,
    Handshake,
}

/// How far a connection's `subscriptions/listen` is (2026-07-28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listening {
    /// It is not open, or not yet.
    Opening,
    /// It is open with this version of the list of followed resources.
    Open(u64),
    /// The server does not know it.
    Never,
}

/// What a connection and the tasks around it share.
#[derive(Debug)]
pub(super) struct Signals {
    /// Cancelled when the connection has ended, or has to.
    pub ended: CancellationToken,
    pub dialect: Dialect,
    pub underway: Underway,
    /// Wakes whoever compares the tools.
    /// The process was ended because a message of its was larger than any may be.
    pub too_large: AtomicBool,
    pub noticed: Notify,
    /// How often the tools were said to have changed.
    changes: AtomicU64,
    listening: watch::Sender<Listening>,
    /// The `subscriptions/listen` that was sent last: its id, and which version of the followed resources it names.
    opening: Mutex<Option<(u64, u64)>>,
    reporter: Reporter,
    answering: Arc<Semaphore>,
}

impl Signals {
    pub fn new(dialect: Dialect, reporter: Reporter) -> Self {
        Self {
            ended: CancellationToken::new(),
            dialect,
            underway: Underway::default(),
            too_large: AtomicBool::new(false),
            noticed: Notify::new(),
            changes: AtomicU64::new(0),
            listening: watch::Sender::new(Listening::Opening),
            opening: Mutex::default(),
            reporter,
            answering: Arc::new(Semaphore::new(limits::ANSWERS_MAX)),
        }
    }

    /// The server says that its tools are others now.
    pub fn tools_changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.noticed.notify_one();
    }

    /// How often that was said.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// How far listening is, from now on.
    pub fn listening(&self) -> watch::Receiver<Listening> {
        self.listening.subscribe()
    }

    pub fn set_listening(&self, listening: Listening) {
        self.listening.send_replace(listening);
    }

    /// A `subscriptions/listen` with `id` is about to be sent, with `version` of the followed resources.
    pub fn about_to_listen(&self, id: u64, version: u64) {
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, version));
    }

    /// Takes what is no answer. `own` is the request on whose stream it came, with its follower, where each has its own;
    /// otherwise it is about the one call that is under way, or about none. Returns what has to be answered.
    pub fn heed(&self, message: Incoming, own: Option<(u64, &Arc<Followed>)>) -> Option<Asked> {
        let own_or_only = || own.map(|(_, call)| Arc::clone(call)).or_else(|| self.underway.only_call());
        match message {
            Incoming::Progress { token: Some(token), params } => {
                let call = match own {
                    Some((id, call)) => (id == token).then(|| Arc::clone(call)),
                    None => self.underway.follower(token),
                };
                if let Some(call) = call {
                    call.tell(Notice::Progress(params));
                }
            }
            Incoming::Log(params) => {
                if let Some(call) = own_or_only() {
                    call.tell(Notice::Log(params));
                }
            }
            Incoming::Request { id, method, params } => {
                return Some(Asked { id, method, params, call: own_or_only() });
            }
            Incoming::Changed(Change::Tools) => {
                self.tools_changed();
                self.reporter.report(Change::Tools);
            }
            Incoming::Changed(change) => self.reporter.report(change),
            Incoming::Listening(id) => self.listens(id),
            Incoming::Answer(..)
            | Incoming::Progress { token: None, .. }
            | Incoming::Cancelled(_)
            | Incoming::Other => {}
        }
        None
    }

    fn listens(&self, id: Option<u64>) {
        let opening = *self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, version)) = opening.filter(|(opening, _)| Some(*opening) == id) {
            self.set_listening(Listening::Open(version));
        }
    }

    /// Answers a request of the server's, beside everything else; `send` carries the answer. A server that asks more at a time
    /// than [`limits::ANSWERS_MAX`] gets no answer.
    pub fn answer<F>(self: &Arc<Self>, asked: Asked, send: impl FnOnce(String) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let Ok(room) = Arc::clone(&self.answering).try_acquire_owned() else {
            tracing::debug!(method = asked.method, "the server asks too much at a time");
            return;
        };
        let signals = Arc::clone(self);
        tokio::spawn(async move {
            let id = asked.id.clone();
            let ended = signals.ended.clone();
            let work = async {
                let answer = asked.answer(&signals).await;
                send(message::response(&id, &answer)).await;
            };
            tokio::select! {
                () = work => {}
                () = ended.cancelled() => {}
            }
            drop(room);
        });
    }
}
