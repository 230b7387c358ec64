//! The open streams: which identities each has given out, and which of them something has cut.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use remit_domain::{AgentId, State, TaskId, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::changes::Change;
use crate::entitled::{self, Identity};
use crate::limits;

#[cfg(test)]
mod tests;

/// What an identity that a stream gave out stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub agent: AgentId,
    pub task: Option<TaskId>,
}

impl From<&Identity> for Held {
    fn from(identity: &Identity) -> Self {
        Self { agent: identity.agent, task: identity.task() }
    }
}

/// All open streams.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: Mutex<Open>,
    /// Whenever a stream has looked again or ended, or a record was heard.
    moved: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    streams: HashMap<u64, Vec<Held>>,
    /// Where the follower is in the ledger.
    heard: u64,
    /// The last record that ended something by itself. What ends with it follows it in the same commit.
    cause: Option<u64>,
    /// The streams that each cause has cut, until that is reported.
    cut: BTreeMap<u64, BTreeSet<u64>>,
}

/// How a withdrawal went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub streams: u64,
    /// Streams that have not looked again in time, and may still give out what was withdrawn.
    pub remaining: u64,
}

/// An open stream's place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    streams: Arc<Streams>,
    id: u64,
}

impl Place {
    /// Notes what the stream has given out last.
    pub fn hold(&self, identities: &[Identity]) {
        self.streams.open().streams.insert(self.id, identities.iter().map(Held::from).collect());
        self.streams.moved.notify_waiters();
    }

    pub fn held(&self) -> Vec<Held> {
        self.streams.open().streams.get(&self.id).cloned().unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.open().streams.remove(&self.id);
        self.streams.moved.notify_waiters();
    }
}

impl Streams {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more stream, if there is one.
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open();
        if open.streams.len() >= limits::STREAMS_MAX {
            return None;
        }
        open.next += 1;
        let id = open.next;
        open.streams.insert(id, Vec::new());
        Some(Place { streams: Arc::clone(self), id })
    }

    /// Takes note of a record of the ledger: whether it is a cause, and whose streams it cuts.
    pub fn heard(&self, seq: u64, is_cause: bool, change: Option<Change>) {
        let mut open = self.open();
        if is_cause {
            open.cause = Some(seq);
        }
        if let (Some(cause), Some(change @ (Change::Agent(_) | Change::Task(_)))) = (open.cause, change) {
            let cut: Vec<u64> =
                open.streams.iter().filter(|(_, held)| change.concerns(held)).map(|(id, _)| *id).collect();
            if !cut.is_empty() {
                open.cut.entry(cause).or_default().extend(cut);
                while open.cut.len() > limits::CUTS_KEPT_MAX {
                    open.cut.pop_first();
                }
            }
        }
        open.heard = seq.saturating_add(1);
        drop(open);
        self.moved.notify_waiters();
    }

    /// Waits until every stream that the record `cause` has cut has ended or given out a set without what was withdrawn, but not
    /// longer than `patience`. `head` is the end of the ledger now, `state` the state there.
    pub async fn cut_by(&self, cause: u64, head: u64, state: &State, now: Timestamp, patience: Duration) -> Cut {
        let until = Instant::now() + patience;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Before the look, so that nothing that happens after it is missed.
            moved.as_mut().enable();
            let cut = self.look(cause, state, now);
            let has_heard = self.open().heard >= head;
            if has_heard && cut.remaining == 0 || tokio::time::timeout_at(until, moved).await.is_err() {
                self.open().cut.remove(&cause);
                return cut;
            }
        }
    }

    fn look(&self, cause: u64, state: &State, now: Timestamp) -> Cut {
        let open = self.open();
        let cut = open.cut.get(&cause).into_iter().flatten();
        let stands = |held: &Held| entitled::stands(state, held.agent, held.task, now);
        let is_over = |id: &&u64| open.streams.get(*id).is_none_or(|held| held.iter().all(stands));
        let remaining = cut.clone().filter(|id| !is_over(id)).count();
        Cut { streams: count(cut.count()), remaining: count(remaining) }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
