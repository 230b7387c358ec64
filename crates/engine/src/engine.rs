//! The handle that every door holds.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use arc_swap::ArcSwap;
use remit_domain::{
    Actor, AgentId, Command, ContentRef, Event, KeyStep, Realm, Refusal, State, TaskId, Timestamp, must_have_passkey,
};
use remit_identity::{Kek, KeyRing};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::as_of::Past;
use crate::clock::Clock;
use crate::committer::Published;
use crate::error::SubmitError;
use crate::record::Committed;
use crate::rehearsal::Rehearsals;
use crate::sequencer::{Job, QUEUE_COMMANDS_MAX};
use crate::shadow::Shadows;
use crate::sharing::Sharing;
use crate::store::LogReader;
use crate::store::StoreError;
use crate::store::content::ContentStore;
use crate::store::index::{Filter, IndexReader};
use crate::vault::{Content, Vault};
use crate::watch::{EventStream, follow, read_each, read_records};

/// How long a question waits for the search index to take in what was just committed.
const INDEX_WAIT: Duration = Duration::from_secs(2);

/// What a command came to, once it is durable.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The first event's place in the log; the head if there was none.
    pub seq: u64,
    pub at: Timestamp,
    pub events: Arc<[Event]>,
}

/// How the engine is.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// Whether commands are taken.
    pub ready: bool,
    /// Committed records.
    pub head: u64,
    /// Records that are published as tiles.
    pub published: u64,
    /// Commands that wait.
    pub queue: usize,
    /// What is wrong, if anything.
    pub reason: Option<String>,
}

/// Accepts commands and answers questions. Clones are handles to the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub jobs: Mutex<Option<mpsc::Sender<Job>>>,
    pub published: Arc<Published>,
    pub tiles_head: watch::Receiver<u64>,
    pub indexed: watch::Receiver<u64>,
    /// Fills the search index; whoever waits for it wakes it.
    pub indexer: Thread,
    pub clock: Arc<dyn Clock>,
    pub reader: LogReader,
    pub past: Past,
    pub replays: Arc<Semaphore>,
    pub rehearsals: Rehearsals,
    pub shadows: Shadows,
    /// Where credentials were seen that whoever holds them may use.
    pub sharing: Sharing,
    pub vault: Arc<Vault>,
    pub contents: Arc<Mutex<ContentStore>>,
    pub index: Mutex<IndexReader>,
    pub ring: ArcSwap<KeyRing>,
    pub ring_path: PathBuf,
    pub rotating: tokio::sync::Mutex<()>,
    pub kek: Kek,
    pub realm: Realm,
    pub audience: String,
    pub passkeys_required: bool,
    pub ledger: PathBuf,
    pub stop_followers: Arc<AtomicBool>,
    pub stopped: watch::Sender<bool>,
    /// When this process opened the directory.
    pub started_at: Timestamp,
    /// Points of enforcement, each with the effect that serves it.
    pub points: Mutex<Vec<(&'static str, &'static str)>>,
    pub writers: Mutex<Vec<JoinHandle<()>>>,
    pub followers: Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Decides `command` by `actor`, commits it and applies it; returns only once it is durable.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Refused`] if the answer is no; [`SubmitError::Unavailable`] if it could not be recorded, and then it
    /// did not happen (or, if the disk failed at that very moment, is found to have happened after a restart).
    pub async fn submit(&self, actor: Actor, command: Command) -> Result<Receipt, SubmitError> {
        self.submit_with(actor, command, Vec::new()).await
    }

    /// As [`Engine::submit`], with content that the command refers to, which is kept before the commit.
    pub async fn submit_with(
        &self,
        actor: Actor,
        command: Command,
        contents: Vec<Content>,
    ) -> Result<Receipt, SubmitError> {
        if self.inner.passkeys_required {
            self.read(|state| must_have_passkey(state, &actor, &command))?;
        }
        self.must_have_space(&command)?;
        let _turn = self.rehearse(&actor, &command).await?;
        // It may have waited for its turn: whatever was looked at before is looked at again, and whether Remit stops just below.
        self.must_have_space(&command)?;
        let (reply, answer) = oneshot::channel();
        let jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let jobs = jobs.ok_or_else(SubmitError::stopping)?;
        jobs.try_send(Job { actor, command, contents, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SubmitError::overloaded(),
            mpsc::error::TrySendError::Closed(_) => SubmitError::stopping(),
        })?;
        answer.await.unwrap_or_else(|_| Err(SubmitError::stopping()))
    }

    fn must_have_space(&self, command: &Command) -> Result<(), SubmitError> {
        if self.inner.published.reserve_low.load(Ordering::Acquire) && !ends_something(command) {
            let refusal = Refusal::new("disk_full", "the disk of the ledger is nearly full, so nothing new is allowed");
            return Err(SubmitError::Unavailable(refusal.help("the operator has to free space")));
        }
        Ok(())
    }

    /// Reads the committed state. Short, never awaits; for longer readings take [`Engine::state`].
    pub fn read<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.inner.published.state.load())
    }

    /// The committed state as it is now, shared. It does not change under whoever holds it.
    pub fn state(&self) -> Arc<State> {
        self.inner.published.state.load_full()
    }

    /// The time, as the engine has it.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Every committed record from `from` on, then live.
    pub fn watch(&self, from: u64) -> EventStream {
        // Subscribed before the head is read, so that nothing falls between.
        let live = self.inner.published.live.subscribe();
        follow(from, self.inner.reader.clone(), self.inner.published.head.subscribe(), live)
    }

    /// Committed records.
    pub fn head(&self) -> u64 {
        *self.inner.published.head.borrow()
    }

    /// Waits until the head has passed `seq`. A record is told a moment before the head has passed its commit; once it has, the
    /// whole commit can be read, and the state has all of it.
    pub(crate) async fn passed(&self, seq: u64) {
        let mut head = self.inner.published.head.subscribe();
        // The sender lives as long as this handle.
        drop(head.wait_for(|head| *head > seq).await);
    }

    pub fn realm(&self) -> Realm {
        self.inner.realm.clone()
    }

    /// The audience of task tokens: the gateway.
    pub fn audience(&self) -> &str {
        &self.inner.audience
    }

    /// Where tiles and checkpoint are published.
    pub fn ledger_directory(&self) -> &std::path::Path {
        &self.inner.ledger
    }

    /// A key of this realm for `purpose`, the same after every start: for what a door hands out and has to know again.
    pub fn key_for(&self, purpose: &str) -> Kek {
        self.inner.kek.derive(purpose)
    }

    /// The realm's keys: those of tokens, and those of its authority.
    pub fn keys(&self) -> Arc<KeyRing> {
        self.inner.ring.load_full()
    }

    /// Commits to `canonical`, content of kind `kind`, under the key of `task`: the reference for the command, and the
    /// sealed content to submit with it.
    pub async fn commitment(
        &self,
        task: TaskId,
        kind: &'static str,
        canonical: Vec<u8>,
    ) -> Result<(ContentRef, Content), SubmitError> {
        // A content key is made only for tasks that exist: a request must not fill the disk with keys.
        self.read(|state| state.task(task).map(|_| ()))?;
        self.inner.vault.seal(task, kind, &canonical, self.now())
    }

    /// The content behind `reference`, if it was kept and not erased.
    pub async fn content(&self, reference: &ContentRef, task: TaskId) -> Result<Option<Vec<u8>>, SubmitError> {
        let (engine, reference) = (self.clone(), reference.clone());
        self.blocking(move || engine.inner.vault.open(task, &reference).map(|plain| plain.map(|plain| plain.to_vec())))
            .await
    }

    /// Erases the content of a task: the record first, then the key, by the outbox until it is done.
    pub async fn erase(&self, actor: Actor, task: TaskId, reason: String) -> Result<Receipt, SubmitError> {
        let known = self.read(|state| state.tasks.get(&task).map(|task| task.agent));
        let agent = match known {
            Some(agent) => agent,
            None => self.agent_of_forgotten(task).await?,
        };
        self.submit(actor, Command::EraseContent { task, agent, reason }).await
    }

    /// The agent of a task that the state no longer knows: every record about a task names its agent.
    async fn agent_of_forgotten(&self, task: TaskId) -> Result<AgentId, SubmitError> {
        let about_it = Filter { task: Some(task.to_string()), limit: 1, ..Filter::default() };
        let found = self.query(about_it).await?;
        let agent = found.first().and_then(|committed| committed.record.event.agent());
        agent.ok_or_else(|| Refusal::unknown("task", task).into())
    }

    /// Records that match `filter`, newest first. What was committed before the question is found, unless the index is far
    /// behind: then the answer is of what it has.
    pub async fn query(&self, filter: Filter) -> Result<Vec<Committed>, SubmitError> {
        self.wait_for_index().await;
        let engine = self.clone();
        self.blocking(move || {
            let found = engine.inner.index.lock().unwrap_or_else(PoisonError::into_inner).query(&filter);
            let found = found.map_err(|error| SubmitError::storage("search the records", &error))?;
            let read = read_each(&engine.inner.reader, &found);
            read.map_err(|error| SubmitError::storage("read the ledger", &error))
        })
        .await
    }

    /// Until what was committed before is in the index, unless that is far behind.
    pub(crate) async fn wait_for_index(&self) {
        let (head, mut indexed) = (self.head(), self.inner.indexed.clone());
        if *indexed.borrow() < head {
            // It sleeps between its rounds, which would be most of what a question takes.
            self.inner.indexer.unpark();
        }
        drop(tokio::time::timeout(INDEX_WAIT, indexed.wait_for(|indexed| *indexed >= head)).await);
    }

    /// The record at `seq`, if it is committed.
    pub async fn record(&self, seq: u64) -> Result<Option<Committed>, SubmitError> {
        let engine = self.clone();
        self.blocking(move || engine.read_record(seq)).await
    }

    /// The records from `from` up to, without, `to`, as far as they are committed.
    pub(crate) async fn records(&self, from: u64, to: u64) -> Result<Vec<Committed>, SubmitError> {
        let engine = self.clone();
        self.blocking(move || {
            let read = read_records(&engine.inner.reader, from, to.min(engine.head()));
            read.map_err(|error| SubmitError::storage("read the ledger", &error))
        })
        .await
    }

    /// The points of enforcement that report where an end has taken effect.
    pub(crate) fn points(&self) -> Vec<String> {
        let points = self.inner.points.lock().unwrap_or_else(PoisonError::into_inner);
        points.iter().map(|(point, _)| (*point).to_owned()).collect()
    }

    /// Whether the effect behind `point` has dealt with the record at `seq`.
    pub(crate) fn effect_has_passed(&self, point: &str, seq: u64) -> bool {
        let points = self.inner.points.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let effect = points.iter().find(|(name, _)| *name == point).map(|(_, effect)| *effect);
        effect.is_some_and(|effect| self.effect_cursor(effect).is_ok_and(|done| done.is_some_and(|done| done >= seq)))
    }

    fn read_record(&self, seq: u64) -> Result<Option<Committed>, SubmitError> {
        let read = read_records(&self.inner.reader, seq, seq.saturating_add(1));
        read.map(|records| records.into_iter().next()).map_err(|error| SubmitError::storage("read the ledger", &error))
    }

    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, SubmitError> + Send + 'static,
    ) -> Result<T, SubmitError> {
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(SubmitError::ledger(&error.to_string())))
    }

    pub fn health(&self) -> Health {
        let failed = self.inner.published.failed.borrow().clone();
        let low = self.inner.published.reserve_low.load(Ordering::Acquire);
        let jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = jobs.as_ref().map_or(0, |jobs| QUEUE_COMMANDS_MAX - jobs.capacity());
        let reason = failed.or_else(|| low.then(|| "the disk of the ledger is nearly full".to_owned()));
        Health {
            ready: jobs.is_some() && reason.is_none(),
            head: self.head(),
            published: *self.inner.tiles_head.borrow(),
            queue,
            reason,
        }
    }

    /// Why the ledger can no longer be written, once that is so. Waits until then.
    pub async fn failed(&self) -> String {
        let mut failed = self.inner.published.failed.subscribe();
        loop {
            if let Some(cause) = failed.borrow_and_update().clone() {
                return cause;
            }
            if failed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until the engine is closed.
    pub(crate) async fn stopped(&self) {
        let mut stopped = self.inner.stopped.subscribe();
        // The sender lives as long as this handle.
        drop(stopped.wait_for(|stopped| *stopped).await);
    }

    /// Stops taking commands, waits for what is under way, and leaves the directory tidy.
    pub async fn close(&self) {
        self.inner.stopped.send_replace(true);
        self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.inner.rehearsals.close();
        let take = |threads: &Mutex<Vec<JoinHandle<()>>>| {
            std::mem::take(&mut *threads.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let (writers, followers) = (take(&self.inner.writers), take(&self.inner.followers));
        let stop = Arc::clone(&self.inner.stop_followers);
        let joined = tokio::task::spawn_blocking(move || {
            join(writers);
            // Only now is everything committed that ever will be: the followers' last round takes it all.
            stop.store(true, Ordering::Release);
            followers.iter().for_each(|follower| follower.thread().unpark());
            join(followers);
        });
        drop(joined.await);
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    pub(crate) fn effect_cursor(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.inner.contents.lock().unwrap_or_else(PoisonError::into_inner).cursor(name)
    }

    pub(crate) fn set_effect_cursor(&self, name: &str, seq: u64) -> Result<(), StoreError> {
        self.inner.contents.lock().unwrap_or_else(PoisonError::into_inner).set_cursor(name, seq)
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread of the engine ended by a panic");
        }
    }
}

/// What is still taken when the disk is nearly full: ending, denying and reporting never wait for space.
fn ends_something(command: &Command) -> bool {
    matches!(
        command,
        Command::RecordOutcome(_)
            | Command::EndTask { .. }
            | Command::SuspendAgent { .. }
            | Command::DecommissionAgent { .. }
            | Command::RevokeGrant { .. }
            | Command::RevokeKey { .. }
            | Command::Deny(_)
            | Command::EndSession { .. }
            | Command::EraseContent { .. }
            | Command::Expire
            | Command::Recover
    ) || matches!(command, Command::StepKey(step) if step.step == KeyStep::Revoked)
}
