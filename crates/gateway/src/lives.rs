//! What is open for each task at this gateway: streams of its clients, and calls under way. When a task ends, all of it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::TaskId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::limits;

#[cfg(test)]
mod tests;

/// What somebody holds open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A stream or an answer of a client.
    Stream,
    /// Something at an upstream: a call, or that a resource is followed.
    Upstream,
}

/// Everything that is open. A handle: clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lives {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tasks: Mutex<Tasks>,
    /// Told whenever something has closed.
    closed: Notify,
}

#[derive(Debug, Default)]
struct Tasks {
    open: HashMap<TaskId, Open>,
    /// What had been open when its task ended, and has not let go yet.
    closing: HashMap<TaskId, Counts>,
    /// What was cut, until it is asked for.
    cut: HashMap<TaskId, Cut>,
}

#[derive(Debug, Default)]
struct Open {
    ended: CancellationToken,
    counts: Counts,
}

/// How many are open, or were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub streams: u64,
    pub upstream: u64,
}

/// What the end of a task has cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    pub counts: Counts,
    /// What had left the house before, in words: nobody can take it back.
    pub sent: Vec<String>,
}

impl Counts {
    /// Those of one kind.
    pub fn of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Stream => self.streams,
            Kind::Upstream => self.upstream,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Stream => &mut self.streams,
            Kind::Upstream => &mut self.upstream,
        }
    }

    fn add(&mut self, other: Self) {
        self.streams = self.streams.saturating_add(other.streams);
        self.upstream = self.upstream.saturating_add(other.upstream);
    }
}

impl Cut {
    fn add(&mut self, other: &Self) {
        self.counts.add(other.counts);
        self.sent.extend(other.sent.iter().cloned());
        self.sent.truncate(limits::CUT_WORDS_MAX);
    }
}

/// Something open for a task, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    lives: Lives,
    task: TaskId,
    kind: Kind,
    ended: CancellationToken,
}

impl Held {
    /// Resolves when the task has ended.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Whether the task has ended since this was opened.
    pub fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Says that something had left the house before the task ended.
    pub fn was_sent(&self, what: String) {
        self.lives.with(|tasks| {
            let cut = tasks.cut.entry(self.task).or_default();
            if cut.sent.len() < limits::CUT_WORDS_MAX {
                cut.sent.push(what);
            }
        });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lives.with(|tasks| {
            let was_cut = self.ended.is_cancelled();
            let counts = match was_cut {
                true => tasks.closing.get_mut(&self.task),
                false => tasks.open.get_mut(&self.task).map(|open| &mut open.counts),
            };
            let Some(counts) = counts else { return };
            let count = counts.of_mut(self.kind);
            *count = count.saturating_sub(1);
            if *counts == Counts::default() {
                match was_cut {
                    true => drop(tasks.closing.remove(&self.task)),
                    false => drop(tasks.open.remove(&self.task)),
                }
            }
        });
        if self.ended.is_cancelled() {
            self.lives.inner.closed.notify_waiters();
        }
    }
}

impl Lives {
    fn with<T>(&self, act: impl FnOnce(&mut Tasks) -> T) -> T {
        act(&mut self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that something is open for `task`.
    ///
    /// INVARIANT: it is noted before what it is about is decided, so that the end of the task, which is committed after a decision that
    /// allowed it, finds it here.
    pub fn hold(&self, task: TaskId, kind: Kind) -> Held {
        let ended = self.with(|tasks| {
            let open = tasks.open.entry(task).or_default();
            *open.counts.of_mut(kind) += 1;
            open.ended.clone()
        });
        Held { lives: self.clone(), task, kind, ended }
    }

    /// Ends what is open for `task`, which has ended. Whether there was anything. What is opened from now on is not part of it: it can only
    /// be an attempt that is refused.
    pub fn cut(&self, task: TaskId) -> bool {
        self.with(|tasks| {
            let Some(Open { ended, counts }) = tasks.open.remove(&task) else { return false };
            ended.cancel();
            tasks.closing.entry(task).or_default().add(counts);
            if tasks.cut.len() >= limits::CUTS_KEPT_MAX {
                // Nobody asks for them; the newest matter.
                tasks.cut.clear();
            }
            tasks.cut.entry(task).or_default().counts.add(counts);
            true
        })
    }

    /// What was cut of `tasks`, as it is known now.
    pub fn was_cut(&self, tasks: &[TaskId]) -> Cut {
        self.with(|all| {
            let mut cut = Cut::default();
            tasks.iter().filter_map(|task| all.cut.get(task)).for_each(|of_task| cut.add(of_task));
            cut
        })
    }

    /// What of `tasks`, which have ended, has not let go yet.
    pub fn left(&self, tasks: &[TaskId]) -> Counts {
        self.with(|all| {
            let mut counts = Counts::default();
            tasks.iter().filter_map(|task| all.closing.get(task)).for_each(|left| counts.add(*left));
            counts
        })
    }

    /// Waits until everything of this kind that `tasks`, which have ended, had open has let go.
    pub async fn closed(&self, tasks: &[TaskId], kind: Kind) {
        loop {
            let mut closed = std::pin::pin!(self.inner.closed.notified());
            // Listening begins before it is looked, so that nothing falls between.
            closed.as_mut().enable();
            if self.left(tasks).of(kind) == 0 {
                return;
            }
            closed.await;
        }
    }
}
