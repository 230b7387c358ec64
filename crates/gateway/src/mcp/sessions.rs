//! Sessions of clients that begin with a handshake: bounded, idle ones forgotten, each bound to the task that began it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use remit_domain::TaskId;
use remit_identity::code::OneTimeCode;
use tokio_util::sync::CancellationToken;

use super::envelope::RequestId;
use crate::limits;

#[cfg(test)]
mod tests;

/// All sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sessions {
    open: Arc<Mutex<HashMap<String, Session>>>,
}

#[derive(Debug)]
struct Session {
    task: TaskId,
    used_at: Instant,
    /// Calls under way, and how to give them up.
    calls: HashMap<RequestId, CancellationToken>,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        self.calls.is_empty() && now.duration_since(self.used_at) >= Duration::from_secs(limits::SESSION_IDLE_SECONDS)
    }
}

/// A call under way in a session, until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight {
    sessions: Sessions,
    session: String,
    id: RequestId,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.sessions.with(|open| {
            if let Some(session) = open.get_mut(&self.session) {
                session.calls.remove(&self.id);
                session.used_at = Instant::now();
            }
        });
    }
}

impl Sessions {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, Session>) -> T) -> T {
        act(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a session of `task` and returns its id, or nothing if no more can be kept.
    pub fn begin(&self, task: TaskId, now: Instant) -> Option<String> {
        let id = OneTimeCode::generate("").ok()?.expose().to_owned();
        let begun = self.with(|open| {
            let own = open.values().filter(|session| session.task == task).count();
            if own >= limits::SESSIONS_PER_TASK_MAX {
                // A task that begins ever new ones loses its own oldest, never another's.
                let oldest =
                    open.iter().filter(|(_, session)| session.task == task).min_by_key(|(_, session)| session.used_at);
                if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                    open.remove(&oldest);
                }
            }
            if open.len() >= limits::SESSIONS_MAX {
                open.retain(|_, session| !session.is_over(now));
            }
            let room = open.len() < limits::SESSIONS_MAX;
            if room {
                open.insert(id.clone(), Session { task, used_at: now, calls: HashMap::new() });
            }
            room
        });
        begun.then_some(id)
    }

    /// Whether `id` is a live session of `task`; if so it is used now.
    pub fn touch(&self, id: &str, task: TaskId, now: Instant) -> bool {
        self.with(|open| {
            let Some(session) = open.get_mut(id).filter(|session| session.task == task) else { return false };
            if session.is_over(now) {
                open.remove(id);
                return false;
            }
            session.used_at = now;
            true
        })
    }

    /// Ends the session `id` of `task`. What it has under way is given up.
    pub fn end(&self, id: &str, task: TaskId) -> bool {
        let ended = self.with(|open| {
            let own = open.get(id).is_some_and(|session| session.task == task);
            if own { open.remove(id) } else { None }
        });
        let Some(session) = ended else { return false };
        session.calls.values().for_each(CancellationToken::cancel);
        true
    }

    /// Notes a call under way, which `cancelled` gives up.
    pub fn carry(&self, session: String, id: RequestId, cancelled: CancellationToken) -> InFlight {
        self.with(|open| {
            if let Some(session) = open.get_mut(&session) {
                session.calls.insert(id.clone(), cancelled);
            }
        });
        InFlight { sessions: self.clone(), session, id }
    }

    /// Gives up the call `id` of `session`, if it is under way.
    pub fn cancel(&self, session: &str, id: &RequestId) {
        self.with(|open| {
            if let Some(cancelled) = open.get(session).and_then(|session| session.calls.get(id)) {
                cancelled.cancel();
            }
        });
    }
}
