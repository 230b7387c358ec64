//! The questions of one connection that wait for an answer, and whom each belongs to: so that what a server says or asks
//! meanwhile reaches the caller whose call it is about, and nobody else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use remit_domain::Feature;
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};

use super::exchange::{AskedBack, Notice, Reply, Watch};
use super::signals::{Dialect, Signals};
use crate::answer::RpcError;
use crate::{limits, refuse};

#[cfg(test)]
mod tests;

/// Who follows one call.
#[derive(Debug)]
pub(super) struct Followed {
    notices: Option<mpsc::Sender<Notice>>,
    asks: Option<mpsc::Sender<AskedBack>>,
    asked: AtomicUsize,
}

impl Followed {
    pub fn by(watch: &Watch) -> Arc<Self> {
        Arc::new(Self { notices: watch.notices.clone(), asks: watch.asks.clone(), asked: AtomicUsize::new(0) })
    }

    /// Passes on what the server says, where there is room for it.
    pub fn tell(&self, notice: Notice) {
        if let Some(notices) = &self.notices {
            let _ = notices.try_send(notice);
        }
    }
}

/// What waits for an answer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub followed: Arc<Followed>,
    /// Whether it is a call of an agent's, and not a question of our own.
    pub is_call: bool,
    /// Takes the answer, where all answers come the same way.
    pub reply: Option<oneshot::Sender<Reply>>,
    /// When whoever asked gave it up, though the server may still work on it and ask because of it.
    pub given_up: Option<Instant>,
}

/// All that wait, by the id of the request.
#[derive(Debug, Default)]
pub(super) struct Underway {
    waiting: Mutex<HashMap<u64, Waiting>>,
}

/// Forgets a question when whoever asked no longer waits.
#[derive(Debug)]
pub(super) struct Entered<'a> {
    underway: &'a Underway,
    id: u64,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.underway.leave(self.id);
    }
}

impl Underway {
    /// Notes a question for as long as the returned value lives.
    pub fn enter(&self, id: u64, waiting: Waiting) -> Entered<'_> {
        self.keep(id, waiting);
        Entered { underway: self, id }
    }

    /// Notes a question until it is taken.
    pub fn keep(&self, id: u64, waiting: Waiting) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, waiting);
    }

    pub fn take(&self, id: u64) -> Option<Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    /// Whoever asked `id` no longer waits. A call whose answer may still come by the common way is remembered: what the server asks meanwhile may be
    /// because of it, and must not be taken for another caller's.
    fn leave(&self, id: u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let over = Duration::from_secs(limits::GIVEN_UP_SECONDS_KEPT);
        waiting.retain(|_, other| other.given_up.is_none_or(|at| at.elapsed() < over));
        match waiting.get_mut(&id) {
            Some(left) if left.is_call && left.reply.is_some() => {
                left.reply = None;
                left.followed = Followed::by(&Watch::default());
                left.given_up = Some(Instant::now());
            }
            _ => drop(waiting.remove(&id)),
        }
    }

    /// Lets go of the question `id` if it is one of our own.
    pub fn drop_own(&self, id: u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(&id).is_some_and(|waiting| !waiting.is_call) {
            waiting.remove(&id);
        }
    }

    /// Who follows the question `id`.
    pub fn follower(&self, id: u64) -> Option<Arc<Followed>> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(&id).map(|waiting| Arc::clone(&waiting.followed))
    }

    /// Who follows the one call that is under way; nobody if there are more of them.
    pub fn only_call(&self) -> Option<Arc<Followed>> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls = waiting.values().filter(|waiting| waiting.is_call);
        match (calls.next(), calls.next()) {
            (Some(only), None) => Some(Arc::clone(&only.followed)),
            _ => None,
        }
    }
}

/// A request of the server's.
#[derive(Debug)]
pub(super) struct Asked {
    pub id: Value,
    pub method: String,
    pub params: Map<String, Value>,
    /// The call during which it is asked, if that can be told.
    pub call: Option<Arc<Followed>>,
}

impl Asked {
    /// What the server is answered.
    ///
    /// INVARIANT: a server's question goes to the caller of the very call that it belongs to. Where that cannot be told, it
    /// goes to nobody.
    pub async fn answer(self, signals: &Signals) -> Result<Value, RpcError> {
        if self.method == "ping" {
            return Ok(json!({}));
        }
        let of_client = Feature::of_method(&self.method).is_some_and(Feature::is_asked_by_server);
        // 2026-07-28 has no requests of servers: there, a server asks in its result.
        if !of_client || signals.dialect == Dialect::Modern {
            return Err(error(refuse::METHOD_NOT_FOUND, "Method not found"));
        }
        let Some(call) = self.call else {
            return Err(error(refuse::INTERNAL_ERROR, "cannot tell for which call"));
        };
        let Some(asks) = &call.asks else {
            return Err(error(refuse::METHOD_NOT_FOUND, "the client of this call cannot be asked that"));
        };
        if call.asked.fetch_add(1, Ordering::Relaxed) >= limits::ASKS_PER_CALL_MAX {
            return Err(error(refuse::INTERNAL_ERROR, "too much was asked during this call"));
        }
        let (answer, answered) = oneshot::channel();
        let asked = AskedBack { method: self.method, params: self.params, answer };
        let over = || error(refuse::INTERNAL_ERROR, "the call is over");
        asks.send(asked).await.map_err(|_| over())?;
        answered.await.unwrap_or_else(|_| Err(over()))
    }
}

fn error(code: i64, message: &str) -> RpcError {
    RpcError { code, message: message.to_owned(), data: None }
}
