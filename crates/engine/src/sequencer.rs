//! The one writer: decides commands in order against its working state and hands whole batches to the committer.
//!
//! It runs ahead of the disk by at most one batch. Nothing of what it decided is seen by anybody before the committer has
//! made it durable; if that fails, this working state is thrown away with the process.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use remit_domain::{Actor, Command, DECISION_FAULT, Event, Moment, Refusal, State, decide};
use remit_ledger::canonical::{self, CanonicalError};
use remit_ledger::chain::Chains;
use remit_ledger::{Checkpoint, Frontier, NoteKey, leaf_hash};
use tokio::sync::{mpsc, oneshot};

use crate::clock::{Clock, Moments};
use crate::committer::{Batch, Reply, Waiting};
use crate::engine::Receipt;
use crate::error::SubmitError;
use crate::record::{RECORD_VERSION, RecordRef};
use crate::snapshots::Image;
use crate::store::ENTRY_BYTES_MAX;
use crate::vault::Content;

/// Commands that wait before more are refused.
pub(crate) const QUEUE_COMMANDS_MAX: usize = 16_384;
/// Commands that one batch takes.
const BATCH_COMMANDS_MAX: usize = 2_048;
/// Bytes of entries after which a batch takes no more commands; well under a segment.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// What the envelope adds to an event, at most.
const ENVELOPE_BYTES_MAX: usize = 1_024;

/// One command on its way.
#[derive(Debug)]
pub(crate) struct Job {
    pub actor: Actor,
    pub command: Command,
    pub contents: Vec<Content>,
    pub reply: oneshot::Sender<Reply>,
}

/// Where the log stands: all that is needed to write the next entry.
#[derive(Debug)]
pub(crate) struct Position {
    pub state: State,
    pub chains: Chains,
    pub frontier: Frontier,
}

#[derive(Debug)]
pub(crate) struct Sequencer {
    pub position: Position,
    pub moments: Moments,
    pub clock: Arc<dyn Clock>,
    pub key: NoteKey,
    pub origin: String,
    /// Entries after which the state is handed on to be kept as a snapshot.
    pub snapshot_entries: u64,
    pub since_snapshot: u64,
}

impl Sequencer {
    /// Runs until every handle is gone or the committer has stopped.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>, batches: &SyncSender<Batch>) {
        while let Some(first) = jobs.blocking_recv() {
            let mut batch = Batch::new(self.position.frontier.size());
            self.take(first, &mut batch);
            while batch.waiting.len() < BATCH_COMMANDS_MAX && batch.bytes < BATCH_BYTES_MAX {
                let Ok(job) = jobs.try_recv() else { break };
                self.take(job, &mut batch);
            }
            if let Err(error) = self.seal(&mut batch) {
                batch.refuse(&error);
                return;
            }
            if batches.send(batch).is_err() {
                return;
            }
        }
    }

    /// Decides one command and adds what it came to.
    fn take(&mut self, job: Job, batch: &mut Batch) {
        let Job { actor, command, contents, reply } = job;
        let answer = match self.moments.next(self.clock.now()) {
            Some(at) => self.decide(&actor, &command, &at, batch).map(|events| (at.now, events)),
            None => Err(SubmitError::ledger("the operating system gives no randomness")),
        };
        let answer = answer.map(|(at, events)| {
            let seq = self.position.frontier.size() - events.len() as u64;
            batch.contents.extend(contents.into_iter().map(|content| content.into_row(seq, at)));
            Receipt { seq, at, events: events.into() }
        });
        batch.waiting.push(Waiting { reply, answer });
    }

    fn decide(
        &mut self,
        actor: &Actor,
        command: &Command,
        at: &Moment,
        batch: &mut Batch,
    ) -> Result<Vec<Event>, SubmitError> {
        let events = decide(&self.position.state, actor, command, at)?;
        // Checked before anything is applied, so that a command is taken whole or not at all. One event alone is checked
        // by being written.
        if events.len() > 1 {
            events.iter().try_for_each(fits)?;
        }
        for event in &events {
            self.append(actor, event, at, batch)?;
        }
        Ok(events)
    }

    fn append(&mut self, actor: &Actor, event: &Event, at: &Moment, batch: &mut Batch) -> Result<(), SubmitError> {
        let subject = event.agent().map(|agent| agent.to_string());
        let link = subject.as_ref().map(|subject| self.position.chains.next(subject));
        let seq = self.position.frontier.size();
        let record = RecordRef { v: RECORD_VERSION, seq, at: at.now, actor, event, link: link.as_ref() };
        let entry = canonical::to_canonical(&record).map_err(unwritable)?;
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(too_large(entry.len()));
        }
        tell_fault(event, seq);
        let leaf = leaf_hash(&entry);
        self.position.state.apply(event, at.now);
        self.position.frontier.push(leaf);
        if let Some(subject) = &subject {
            self.position.chains.advance(subject, leaf);
        }
        batch.bytes += entry.len();
        batch.entries.push(entry);
        batch.actors.push((actor.clone(), at.now, link));
        Ok(())
    }

    /// Closes a batch: the signed checkpoint that its commit carries, and the state that readers will see after it.
    fn seal(&mut self, batch: &mut Batch) -> Result<(), SubmitError> {
        if batch.entries.is_empty() {
            return Ok(());
        }
        let frontier = &self.position.frontier;
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: frontier.size(), root: frontier.root() };
        batch.commit =
            self.key.sign_checkpoint(&checkpoint).map_err(|error| SubmitError::ledger(&error.to_string()))?;
        batch.state = Some(Arc::new(self.position.state.clone()));
        self.since_snapshot += batch.entries.len() as u64;
        if self.since_snapshot >= self.snapshot_entries {
            self.since_snapshot = 0;
            batch.image = Some(self.image());
        }
        Ok(())
    }

    fn image(&self) -> Image {
        Image {
            state: self.position.state.clone(),
            chains: self.position.chains.clone(),
            frontier: self.position.frontier.clone(),
            last_at: self.moments.last(),
        }
    }
}

/// An event that makes too long an entry, or none, is refused as a whole; nothing of its command happens.
fn fits(event: &Event) -> Result<(), SubmitError> {
    let bytes = canonical::to_canonical(event).map_err(unwritable)?.len() + ENVELOPE_BYTES_MAX;
    if bytes <= ENTRY_BYTES_MAX { Ok(()) } else { Err(too_large(bytes)) }
}

fn too_large(bytes: usize) -> SubmitError {
    Refusal::new("too_large", format!("this would make a record of {bytes} bytes; the limit is {ENTRY_BYTES_MAX}"))
        .help("split it into smaller ones")
        .into()
}

/// Whoever runs this program should know that it found itself wrong; the call was denied.
fn tell_fault(event: &Event, seq: u64) {
    if let Event::ActionDenied(denied) = event
        && denied.refusal.code == DECISION_FAULT
    {
        let (operation, policies) = (&denied.facts.operation, denied.facts.policies);
        tracing::error!(seq, %operation, %policies, "two ways of evaluating the policies came to different results");
    }
}

/// An event that has no canonical form cannot be hashed so that everybody gets the same: it is refused.
fn unwritable(error: CanonicalError) -> SubmitError {
    Refusal::new("not_canonical", format!("this cannot be recorded: {error}")).help(error.help()).into()
}
