//! Makes batches durable, and only then lets anybody know.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use remit_domain::{Actor, State, Timestamp};
use remit_ledger::chain::Link;
use tokio::sync::{broadcast, oneshot, watch};

use crate::as_of::Standing;
use crate::engine::Receipt;
use crate::error::SubmitError;
use crate::record::{Committed, RECORD_VERSION, Record};
use crate::snapshots::Image;
use crate::store::SegmentLog;
use crate::store::content::{ContentRow, ContentStore};

pub(crate) type Reply = Result<Receipt, SubmitError>;

/// How often a full disk is looked at again.
const RESERVE_RETRY: Duration = Duration::from_millis(500);

/// Somebody who waits for a command, and what to tell them once the batch is durable.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub reply: oneshot::Sender<Reply>,
    pub answer: Reply,
}

/// Commands that were decided together and become durable together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub first: u64,
    pub entries: Vec<Vec<u8>>,
    pub actors: Vec<(Actor, Timestamp, Option<Link>)>,
    pub bytes: usize,
    pub contents: Vec<ContentRow>,
    pub commit: String,
    pub state: Option<Arc<State>>,
    pub image: Option<Image>,
    pub waiting: Vec<Waiting>,
}

impl Batch {
    pub(crate) fn new(first: u64) -> Self {
        Self {
            first,
            entries: Vec::new(),
            actors: Vec::new(),
            bytes: 0,
            contents: Vec::new(),
            commit: String::new(),
            state: None,
            image: None,
            waiting: Vec::new(),
        }
    }

    /// Tells everybody that nothing could be recorded. What they asked for did not happen.
    pub(crate) fn refuse(self, error: &SubmitError) {
        for Waiting { reply, .. } in self.waiting {
            // Whoever stopped waiting does not need the answer.
            drop(reply.send(Err(error.clone())));
        }
    }
}

/// What the committer shows to the rest of the house.
#[derive(Debug)]
pub(crate) struct Published {
    pub state: ArcSwap<State>,
    /// The same with its place in the ledger.
    pub standing: ArcSwap<Standing>,
    pub head: watch::Sender<u64>,
    /// Batch by batch: to wake a reader for every record costs more than the record.
    pub live: broadcast::Sender<Arc<[Arc<Committed>]>>,
    /// Set for good at the first failed write; everything is refused from then on.
    pub failed: watch::Sender<Option<String>>,
    /// The disk has no room for the next segment: only what ends or reports something is still taken.
    pub reserve_low: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Committer {
    pub log: SegmentLog,
    pub contents: Arc<Mutex<ContentStore>>,
    pub published: Arc<Published>,
    pub images: Sender<Image>,
}

impl Committer {
    /// Runs until the sequencer is gone. After a failure it goes on only to refuse.
    pub(crate) fn run(mut self, batches: &Receiver<Batch>) {
        self.look_at_reserve();
        loop {
            let batch = match batches.recv_timeout(RESERVE_RETRY) {
                Ok(batch) => batch,
                Err(RecvTimeoutError::Timeout) => {
                    if self.published.reserve_low.load(Ordering::Acquire) {
                        self.log.retry_reserve();
                        self.look_at_reserve();
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let failed = self.published.failed.borrow().clone();
            if let Some(cause) = failed {
                batch.refuse(&SubmitError::ledger(&cause));
                continue;
            }
            if let Err(cause) = self.commit(&batch) {
                tracing::error!(%cause, "the ledger cannot be written: everything is refused from now on");
                self.published.failed.send_replace(Some(cause.clone()));
                batch.refuse(&SubmitError::ledger(&cause));
                continue;
            }
            self.publish(batch);
        }
    }

    /// INVARIANT: content is kept before the entry that refers to it, and the entry is durable before anybody hears of it.
    fn commit(&mut self, batch: &Batch) -> Result<(), String> {
        if !batch.contents.is_empty() {
            let mut store = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
            store.put_batch(&batch.contents).map_err(|error| error.to_string())?;
        }
        if batch.entries.is_empty() {
            return Ok(());
        }
        self.log.append(&batch.entries, batch.commit.as_bytes()).map_err(|error| error.to_string())?;
        self.look_at_reserve();
        Ok(())
    }

    fn look_at_reserve(&self) {
        let low = self.log.reserve_fault();
        if let Some(fault) = low.filter(|_| !self.published.reserve_low.load(Ordering::Acquire)) {
            tracing::error!(fault, "the disk has no room for the next log segment: calls are refused");
        }
        self.published.reserve_low.store(low.is_some(), Ordering::Release);
    }

    fn publish(&self, batch: Batch) {
        let head = batch.first + batch.entries.len() as u64;
        if let Some(state) = batch.state {
            let last_at = batch.actors.last().map_or_else(Timestamp::default, |(_, at, _)| *at);
            self.published.state.store(Arc::clone(&state));
            self.published.standing.store(Arc::new(Standing { size: head, last_at, state }));
        }
        if self.published.live.receiver_count() > 0 && head > batch.first {
            let events = batch.waiting.iter().filter_map(|waiting| waiting.answer.as_ref().ok());
            let events = events.flat_map(|receipt| receipt.events.iter());
            let records = (batch.first..).zip(batch.actors.into_iter().zip(events));
            let records = records.map(|(seq, ((actor, at, link), event))| {
                let record = Record { v: RECORD_VERSION, seq, at, actor, event: event.clone(), link };
                Arc::new(Committed::new(record))
            });
            // An error only says that nobody listens any more.
            drop(self.published.live.send(records.collect()));
        }
        self.published.head.send_replace(head);
        for Waiting { reply, answer } in batch.waiting {
            drop(reply.send(answer));
        }
        if let Some(image) = batch.image {
            // The thread that keeps snapshots is gone only when the engine closes.
            drop(self.images.send(image));
        }
    }
}
