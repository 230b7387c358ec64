//! Sessions of clients that begin with a handshake: bounded, idle ones forgotten, each bound to the task that began it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use remit_domain::TaskId;
use remit_identity::code::OneTimeCode;
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::envelope::RequestId;
use crate::answer::RpcError;
use crate::limits;
use crate::lives::Held;
use crate::upstream::Following;

#[cfg(test)]
mod tests;

/// What a client answers to a request of ours.
pub(crate) type Said = Result<Value, RpcError>;

/// A resource that a session follows: its connector and its server's own address for it.
pub(crate) type Followed = (String, String);

/// All sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sessions {
    open: Arc<Mutex<HashMap<String, Session>>>,
}

#[derive(Debug)]
struct Session {
    task: TaskId,
    used_at: Instant,
    /// What the client declared when it began.
    capabilities: Arc<Map<String, Value>>,
    log_level: Option<String>,
    /// Calls under way, and how to give them up.
    calls: HashMap<RequestId, CancellationToken>,
    /// Requests of ours that the client has not answered.
    asked: HashMap<String, oneshot::Sender<Said>>,
    asked_before: u64,
    followed: HashMap<Followed, Option<Following>>,
    /// What is followed is open at upstreams as long as the task lives.
    life: Option<Held>,
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
        self.sessions.with(&self.session, |session| {
            session.calls.remove(&self.id);
            session.used_at = Instant::now();
        });
    }
}

impl Sessions {
    fn all<T>(&self, act: impl FnOnce(&mut HashMap<String, Session>) -> T) -> T {
        act(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with<T>(&self, session: &str, act: impl FnOnce(&mut Session) -> T) -> Option<T> {
        self.all(|open| open.get_mut(session).map(act))
    }

    /// Begins a session of `task` for a client with `capabilities` and returns its id, or nothing if no more can be kept.
    pub fn begin(&self, task: TaskId, capabilities: Map<String, Value>, now: Instant) -> Option<String> {
        let id = OneTimeCode::generate("").ok()?.expose().to_owned();
        let session = Session {
            task,
            used_at: now,
            capabilities: Arc::new(capabilities),
            log_level: None,
            calls: HashMap::new(),
            asked: HashMap::new(),
            asked_before: 0,
            followed: HashMap::new(),
            life: None,
        };
        let begun = self.all(|open| {
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
                open.insert(id.clone(), session);
            }
            room
        });
        begun.then_some(id)
    }

    /// Whether `id` is a live session of `task`; if so it is used now.
    pub fn touch(&self, id: &str, task: TaskId, now: Instant) -> bool {
        self.all(|open| {
            let Some(session) = open.get_mut(id).filter(|session| session.task == task) else { return false };
            if session.is_over(now) {
                open.remove(id);
                return false;
            }
            session.used_at = now;
            true
        })
    }

    /// What the client of a session can do, and the least severe log messages that it wants.
    pub fn manner(&self, session: &str) -> (Arc<Map<String, Value>>, Option<String>) {
        self.with(session, |session| (Arc::clone(&session.capabilities), session.log_level.clone())).unwrap_or_default()
    }

    /// Notes which log messages a client wants.
    pub fn set_log_level(&self, session: &str, level: &str) {
        self.with(session, |session| session.log_level = Some(level.to_owned()));
    }

    /// Ends the session `id` of `task`. What it has under way is given up.
    pub fn end(&self, id: &str, task: TaskId) -> bool {
        let ended = self.all(|open| {
            let own = open.get(id).is_some_and(|session| session.task == task);
            if own { open.remove(id) } else { None }
        });
        let Some(session) = ended else { return false };
        session.calls.values().for_each(CancellationToken::cancel);
        true
    }

    /// Forgets the sessions that were idle too long.
    pub fn reap(&self, now: Instant) {
        self.all(|open| open.retain(|_, session| !session.is_over(now)));
    }

    /// Notes a call under way, which `cancelled` gives up. Nothing if the client uses the id for another call that is under way.
    pub fn carry(&self, session: String, id: RequestId, cancelled: CancellationToken) -> Option<InFlight> {
        let free = self.with(&session, |session| match session.calls.contains_key(&id) {
            true => false,
            false => session.calls.insert(id.clone(), cancelled).is_none(),
        });
        // A session that ended this very moment has nothing that could be confused.
        free.unwrap_or(true).then(|| InFlight { sessions: self.clone(), session, id })
    }

    /// Gives up the call `id` of `session`, if it is under way.
    pub fn cancel(&self, session: &str, id: &RequestId) {
        self.with(session, |session| {
            if let Some(cancelled) = session.calls.get(id) {
                cancelled.cancel();
            }
        });
    }

    /// Notes a request to the client and returns the id that it has; `answer` gets what the client says. Nothing if there is no such session.
    pub fn ask(&self, session: &str, answer: oneshot::Sender<Said>) -> Option<String> {
        self.with(session, |session| {
            session.asked.retain(|_, waiting| !waiting.is_closed());
            if session.asked.len() >= limits::ASKS_AT_A_TIME_MAX {
                return None;
            }
            session.asked_before += 1;
            let id = format!("remit-{}", session.asked_before);
            session.asked.insert(id.clone(), answer);
            Some(id)
        })
        .flatten()
    }

    /// Takes what the client of `session` said to our request `id`. Only the session that was asked can answer.
    pub fn answer(&self, session: &str, id: &RequestId, said: Said) {
        let RequestId::Text(id) = id else { return };
        let waiting = self.with(session, |session| session.asked.remove(id)).flatten();
        if let Some(waiting) = waiting {
            let _ = waiting.send(said);
        }
    }

    /// Whether a session may follow one more resource.
    pub fn has_room(&self, session: &str) -> bool {
        self.with(session, |session| session.followed.len() < limits::FOLLOWED_PER_STREAM_MAX).unwrap_or(false)
    }

    /// Notes that a session follows a resource; it keeps `following` as long as it does.
    pub fn follow(&self, session: &str, followed: Followed, following: Option<Following>, life: Held) {
        self.with(session, |session| {
            // If the task ended meanwhile, nothing else would let go of it.
            if life.has_ended() {
                return;
            }
            session.followed.insert(followed, following);
            session.life = Some(life);
        });
    }

    /// Lets go of all that the sessions of a task follow and were asked. They stay: who asks in one is told that the task has ended, not
    /// that there is no session.
    pub fn release(&self, task: TaskId) {
        let released: Vec<_> = self.all(|open| {
            let own = open.values_mut().filter(|session| session.task == task);
            own.map(|session| {
                (std::mem::take(&mut session.followed), std::mem::take(&mut session.asked), session.life.take())
            })
            .collect()
        });
        // Outside the lock: what is let go of may ask others to let go.
        drop(released);
    }

    /// Notes that it does not any more, and says whether some other session still does.
    pub fn unfollow(&self, session: &str, followed: &Followed) -> bool {
        self.all(|open| {
            if let Some(session) = open.get_mut(session) {
                session.followed.remove(followed);
            }
            open.values().any(|session| session.followed.contains_key(followed))
        })
    }

    /// Whether a session follows a resource.
    pub fn follows(&self, session: &str, followed: &Followed) -> bool {
        self.with(session, |session| session.followed.contains_key(followed)).unwrap_or(false)
    }
}
