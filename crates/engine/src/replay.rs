//! Deciding recorded attempts again under proposed policies, and telling what would have come out otherwise.
//!
//! The ledger is walked from its records alone: the state is folded up to each attempt, and the attempt is decided again by the same
//! evaluation as a live call. Nothing is written, and it runs beside everything else on a thread of its own.

use std::ops::ControlFlow;
use std::sync::Arc;

use remit_domain::{PolicyEdit, Proposal, Refusal, Timestamp};

use crate::as_of::{AsOfError, Folding, missing};
use crate::engine::Engine;
use crate::error::SubmitError;
use crate::record::Committed;
use crate::store::{LogReader, Recovered, StoreError};

mod report;
#[cfg(test)]
mod tests;
mod walk;

pub use report::{Difference, Group, Link, ReplayReport, Turn, UnsaidCount};
pub(crate) use report::{Tally, in_words};
pub(crate) use walk::Walk;

/// Replays that run at the same time; who comes later is refused.
pub const REPLAYS_MAX: usize = 1;
/// Records after which progress is told.
const TOLD_RECORDS: u64 = 10_000;

/// What to decide again, and under what.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Edits of the policies that are active now.
    pub edits: Vec<PolicyEdit>,
    /// Attempts recorded at this moment or later; all if left out.
    pub from: Option<Timestamp>,
    /// Attempts recorded at this moment or before; all if left out.
    pub to: Option<Timestamp>,
    /// Whether each difference is told, and not only the first of each group.
    pub every: bool,
}

/// What a replay tells on its way.
#[derive(Debug)]
pub enum Told<'a> {
    /// The state before the first attempt is being folded.
    Folding(Folding),
    /// Attempts are being decided.
    Deciding {
        /// Records that were looked at, and how many there are.
        records: Folding,
        /// Attempts among them.
        attempts: u64,
        /// Of these, those that would be answered otherwise.
        different: u64,
    },
    /// An attempt would be answered otherwise.
    Difference(&'a Difference),
}

/// Why a replay did not come to its end.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be done as it was asked for, or not now.
    #[error("{0}")]
    Refused(Refusal),
    /// The ledger cannot be read.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// Whoever asked does not want to know any more.
    #[error("nobody listens any more")]
    Unheard,
}

impl ReplayError {
    /// The code, the sentence and the help.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal.clone(),
            Self::AsOf(error) => error.refusal(),
            Self::Unheard => Refusal::new("stopped", self.to_string()),
        }
    }

    fn storage(error: &StoreError) -> Self {
        Self::AsOf(AsOfError::storage(error))
    }
}

impl Engine {
    /// Decides the attempts that `replay` names again under its edits. `tell` hears how it goes, and may end it.
    ///
    /// # Errors
    ///
    /// See [`ReplayError`].
    pub async fn replay(
        &self,
        replay: Replay,
        tell: impl FnMut(Told<'_>) -> ControlFlow<()> + Send + 'static,
    ) -> Result<ReplayReport, ReplayError> {
        let busy = || Refusal::new("replay_busy", "another replay is running").help("try again when it is done");
        let turn = Arc::clone(&self.inner.replays).try_acquire_owned();
        let turn = turn.map_err(|_| ReplayError::Refused(busy()))?;
        let fold_turn = self.turn().await?;
        let engine = self.clone();
        let replayed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut run = Run { engine: &engine, tell };
            let (walk, to) = run.begin(&replay)?;
            // From here on it is only this replay's own walk that takes time.
            drop(fold_turn);
            run.walk(walk, to, replay.every)
        });
        replayed.await.map_err(|error| ReplayError::AsOf(AsOfError::interrupted(&error)))?
    }
}

struct Run<'a, T> {
    engine: &'a Engine,
    tell: T,
}

impl<T: FnMut(Told<'_>) -> ControlFlow<()>> Run<'_, T> {
    /// A walk that stands just before the first record, and the end of it.
    fn begin(&mut self, replay: &Replay) -> Result<(Walk, u64), ReplayError> {
        let Self { engine, tell } = self;
        let now = engine.standing();
        let from = match replay.from.map(Timestamp::as_millis) {
            None => 0,
            // Everything before that moment is folded, and nothing of it decided.
            Some(from) => engine.size_at(Timestamp::from_millis(from.saturating_sub(1)))?,
        };
        let to = replay.to.map_or(Ok(now.size), |to| engine.size_at(to))?;
        if from >= to {
            let refusal = Refusal::new("nothing_recorded", "nothing was recorded in that time");
            return Err(ReplayError::Refused(refusal.help("choose `from` before `to`, and both in the past")));
        }
        let mut unheard = false;
        let start = engine.fold_to(from, |folding| unheard |= tell(Told::Folding(folding)).is_break())?;
        if unheard {
            return Err(ReplayError::Unheard);
        }
        let proposal = Proposal::of_edits(&now.state, &replay.edits);
        let reading = engine.inner.vault.reading().map_err(|error| ReplayError::storage(&error))?;
        Ok((Walk::from(start, proposal, reading), to))
    }

    fn walk(&mut self, mut walk: Walk, to: u64, every: bool) -> Result<ReplayReport, ReplayError> {
        let (first, reader) = (walk.next(), self.engine.inner.reader.clone());
        let mut heard = ControlFlow::Continue(());
        read(&reader, first, to, |committed| {
            let difference = walk.take(committed);
            if let Some(difference) = difference.filter(|_| every) {
                heard = (self.tell)(Told::Difference(&difference));
            }
            let done = walk.next() - first;
            if heard.is_continue() && done.is_multiple_of(TOLD_RECORDS) {
                let tally = walk.tally();
                let records = Folding { done, of: to - first };
                let (attempts, different) = (tally.attempts(), tally.different());
                heard = (self.tell)(Told::Deciding { records, attempts, different });
            }
            heard
        })
        .map_err(|error| ReplayError::storage(&error))?;
        match heard {
            ControlFlow::Break(()) => Err(ReplayError::Unheard),
            ControlFlow::Continue(()) if walk.next() != to => Err(ReplayError::storage(&missing(walk.next()))),
            ControlFlow::Continue(()) => Ok(walk.into_tally().report()),
        }
    }
}

/// Gives each of the committed records `from..to` to `each`, until it has had enough.
fn read(
    reader: &LogReader,
    from: u64,
    to: u64,
    mut each: impl FnMut(&Committed) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut fault = None;
    reader.read_range(from, to, &mut |read| {
        let Recovered::Entry { index, entry } = read else { return ControlFlow::Continue(()) };
        match Committed::parse_many(index, entry) {
            Ok(committed) => each(&committed),
            Err(reason) => {
                fault = Some(StoreError::Invalid(format!("entry {index}: {reason}")));
                ControlFlow::Break(())
            }
        }
    })?;
    fault.map_or(Ok(()), Err)
}

impl From<ReplayError> for SubmitError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::AsOf(AsOfError::Unreadable(error)) => error,
            other => Self::Refused(other.refusal()),
        }
    }
}
