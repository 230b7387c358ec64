//! The state as it was at some moment: folded from the ledger, beside the one that goes on.
//!
//! It begins at the nearest state that is at hand and not later (one that was asked for before, or a kept snapshot), else at the ledger's
//! first record. It runs off the threads that serve requests, one at a time, so that history never slows what happens now.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::{Refusal, State, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::engine::Engine;
use crate::error::SubmitError;
use crate::record::Committed;
use crate::recovery;
use crate::snapshots::{Image, Snapshots};
use crate::store::{LogReader, Recovered, StoreError};
use crate::watch::read_records;

#[cfg(test)]
mod tests;

/// Foldings that run at the same time.
const FOLDS_MAX: usize = 1;
/// Earlier states that are kept for whoever asks again.
const KEPT_MAX: usize = 4;
/// Records after which the progress of a long folding is told.
const TOLD_RECORDS: u64 = 50_000;

/// Why there is no state of a moment.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AsOfError {
    /// The moment has not come.
    #[error("`{at}` has not come yet")]
    NotYet {
        /// The moment that was asked for.
        at: Timestamp,
    },
    /// Nothing was recorded by then.
    #[error("nothing was recorded by `{at}`")]
    BeforeBeginning {
        /// The moment that was asked for.
        at: Timestamp,
    },
    /// The ledger cannot be read.
    #[error("{0}")]
    Unreadable(SubmitError),
}

impl AsOfError {
    /// The code, the sentence and the help.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::NotYet { .. } => Refusal::new("not_yet", self.to_string()).help("ask for a moment that is past"),
            Self::BeforeBeginning { .. } => {
                Refusal::new("before_beginning", self.to_string()).help("`remit ledger query` shows the first records")
            }
            Self::Unreadable(error) => error.refusal().clone(),
        }
    }

    pub(crate) fn storage(error: &StoreError) -> Self {
        Self::Unreadable(SubmitError::storage("read the ledger", error))
    }

    pub(crate) fn interrupted(cause: &dyn std::fmt::Display) -> Self {
        Self::Unreadable(SubmitError::ledger(&cause.to_string()))
    }
}

/// How far a folding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folding {
    /// Records that are folded.
    pub done: u64,
    /// Records to fold in all.
    pub of: u64,
}

/// A state with its place in the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Records that it is the fold of: the first `size` ones.
    pub size: u64,
    /// When the last of them was recorded.
    pub last_at: Timestamp,
    pub state: Arc<State>,
}

impl Standing {
    /// Where every ledger begins.
    pub(crate) fn beginning() -> Self {
        Self { size: 0, last_at: Timestamp::default(), state: Arc::default() }
    }
}

/// What is at hand of earlier states, and whose turn it is to make another.
#[derive(Debug)]
pub(crate) struct Past {
    turn: Arc<Semaphore>,
    kept: Mutex<VecDeque<Standing>>,
    snapshots: Snapshots,
}

impl Past {
    pub(crate) fn new(snapshots: Snapshots) -> Self {
        Self { turn: Arc::new(Semaphore::new(FOLDS_MAX)), kept: Mutex::default(), snapshots }
    }

    /// The nearest state that is at hand and is the fold of no more than `size` records.
    fn nearest(&self, size: u64, reader: &LogReader) -> Result<Standing, StoreError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let nearest = kept.iter().filter(|standing| standing.size <= size).max_by_key(|standing| standing.size);
        let nearest = nearest.cloned().unwrap_or_else(Standing::beginning);
        drop(kept);
        // What was asked for before is at hand at once; a snapshot has to be opened first.
        for image in self.snapshots.sizes()?.into_iter().filter(|kept| *kept <= size && *kept > nearest.size) {
            let Some(image) = self.snapshots.at(image)? else { continue };
            if belongs(&image, reader)? {
                let Image { state, frontier, last_at, .. } = image;
                return Ok(Standing { size: frontier.size(), last_at, state: Arc::new(state) });
            }
        }
        Ok(nearest)
    }

    fn keep(&self, standing: &Standing) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.size != standing.size);
        kept.push_front(standing.clone());
        kept.truncate(KEPT_MAX);
    }
}

/// Whether `image` is of this log: the commit at its size was signed for the same entries.
fn belongs(image: &Image, reader: &LogReader) -> Result<bool, StoreError> {
    let (size, mut root) = (image.frontier.size(), None);
    reader.read_range(size.saturating_sub(1), size, &mut |read| {
        if let Recovered::Commit { entries_total, bytes } = read
            && entries_total == size
        {
            root = recovery::body(bytes).map(|checkpoint| checkpoint.root);
        }
        ControlFlow::Continue(())
    })?;
    Ok(root == Some(image.frontier.root()))
}

impl Engine {
    /// The state as it was at `at`: with everything that was recorded up to and including that moment. It does not change under whoever
    /// holds it; what depends on the time has to be asked for `at` too.
    ///
    /// # Errors
    ///
    /// See [`AsOfError`].
    pub async fn as_of(&self, at: Timestamp) -> Result<Arc<State>, AsOfError> {
        self.as_of_telling(at, |_| {}).await
    }

    /// As [`Engine::as_of`], telling how far a long folding is.
    ///
    /// # Errors
    ///
    /// See [`AsOfError`].
    pub async fn as_of_telling(
        &self,
        at: Timestamp,
        tell: impl FnMut(Folding) + Send + 'static,
    ) -> Result<Arc<State>, AsOfError> {
        if at > self.now() {
            return Err(AsOfError::NotYet { at });
        }
        let now = self.standing();
        if now.last_at <= at {
            return Ok(Arc::clone(&now.state));
        }
        let turn = self.turn().await?;
        let engine = self.clone();
        let folded = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let size = engine.size_at(at)?;
            if size == 0 {
                return Err(AsOfError::BeforeBeginning { at });
            }
            engine.fold_to(size, tell)
        });
        let folded = folded.await.map_err(|error| AsOfError::interrupted(&error))??;
        Ok(folded.state)
    }

    /// Waits until no other folding runs.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, AsOfError> {
        let turn = Arc::clone(&self.inner.past.turn).acquire_owned().await;
        turn.map_err(|error| AsOfError::interrupted(&error))
    }

    /// The committed state as it is now, with its place.
    pub(crate) fn standing(&self) -> Arc<Standing> {
        self.inner.published.standing.load_full()
    }

    /// How many records there were at `at`. Blocks.
    pub(crate) fn size_at(&self, at: Timestamp) -> Result<u64, AsOfError> {
        let now = self.standing();
        if now.last_at <= at {
            return Ok(now.size);
        }
        // Recorded time never goes back, so the first later record is found by halving.
        let (mut known_at, mut known_later) = (0, now.size);
        while known_at < known_later {
            let middle = known_at + (known_later - known_at) / 2;
            let read = read_records(&self.inner.reader, middle, middle + 1);
            let records = read.map_err(|error| AsOfError::storage(&error))?;
            match records.first() {
                Some(record) if record.at <= at => known_at = middle + 1,
                Some(_) => known_later = middle,
                None => return Err(AsOfError::storage(&missing(middle))),
            }
        }
        Ok(known_at)
    }

    /// The fold of the first `size` records. Blocks; whoever calls it has the turn.
    pub(crate) fn fold_to(&self, size: u64, tell: impl FnMut(Folding)) -> Result<Standing, AsOfError> {
        let (past, reader) = (&self.inner.past, &self.inner.reader);
        let now = self.standing();
        if now.size == size {
            return Ok(Standing::clone(&now));
        }
        let nearest = past.nearest(size, reader).map_err(|error| AsOfError::storage(&error))?;
        let folded = fold(nearest, size, reader, tell).map_err(|error| AsOfError::storage(&error))?;
        past.keep(&folded);
        Ok(folded)
    }
}

fn fold(from: Standing, size: u64, reader: &LogReader, mut tell: impl FnMut(Folding)) -> Result<Standing, StoreError> {
    let Standing { size: first, mut last_at, state } = from;
    if first == size {
        return Ok(Standing { size, last_at, state });
    }
    let mut state = Arc::unwrap_or_clone(state);
    let (mut next, mut fault) = (first, None);
    reader.read_range(first, size, &mut |read| {
        let Recovered::Entry { index, entry } = read else { return ControlFlow::Continue(()) };
        match Committed::parse_many(index, entry) {
            Ok(committed) => {
                state.apply(&committed.record.event, committed.at);
                (last_at, next) = (committed.at, index + 1);
                if (next - first).is_multiple_of(TOLD_RECORDS) {
                    tell(Folding { done: next - first, of: size - first });
                }
                ControlFlow::Continue(())
            }
            Err(reason) => {
                fault = Some(StoreError::Invalid(format!("entry {index}: {reason}")));
                ControlFlow::Break(())
            }
        }
    })?;
    match fault {
        Some(fault) => Err(fault),
        None if next != size => Err(missing(next)),
        None => Ok(Standing { size, last_at, state: Arc::new(state) }),
    }
}

pub(crate) fn missing(index: u64) -> StoreError {
    StoreError::Invalid(format!("entry {index} should be there and is not"))
}
