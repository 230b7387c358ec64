//! Following the ledger: everything from a place on, then what comes, without missing or repeating a record.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};

use crate::record::Committed;
use crate::store::{LogReader, Recovered, StoreError};

#[cfg(test)]
mod tests;

/// Records read from disk at a time while catching up.
const CATCH_UP_RECORDS: u64 = 1_024;

/// Records that are no further apart than this are read in one go: what lies between costs less than beginning anew.
const NEAR_RECORDS: u64 = 256;

/// Committed records in order, from some place on. Ends when the engine closes.
pub type EventStream = std::pin::Pin<Box<dyn Stream<Item = Arc<Committed>> + Send>>;

/// Committed batches as they come.
type Live = broadcast::Receiver<Arc<[Arc<Committed>]>>;

struct Follower {
    next: u64,
    reader: LogReader,
    head: watch::Receiver<u64>,
    live: Live,
    /// What is at hand, from `next` on.
    caught_up: VecDeque<Arc<Committed>>,
}

/// A stream of every committed record from `from` on.
pub(crate) fn follow(from: u64, reader: LogReader, head: watch::Receiver<u64>, live: Live) -> EventStream {
    let follower = Follower { next: from, reader, head, live, caught_up: VecDeque::new() };
    Box::pin(stream::unfold(follower, |mut follower| async move {
        let committed = follower.next().await?;
        follower.next = committed.seq + 1;
        Some((committed, follower))
    }))
}

impl Follower {
    async fn next(&mut self) -> Option<Arc<Committed>> {
        loop {
            if let Some(committed) = self.caught_up.pop_front() {
                return Some(committed);
            }
            let head = *self.head.borrow_and_update();
            match self.live.try_recv() {
                Ok(batch) => self.take(&batch).await?,
                Err(TryRecvError::Closed) if self.next >= head => return None,
                // What was committed and does not come live (it came before this stream, or too fast for it) is on disk.
                Err(_) if self.next < head => self.catch_up().await?,
                Err(_) => self.wait().await?,
            }
        }
    }

    /// Waits until something may have come.
    async fn wait(&mut self) -> Option<()> {
        tokio::select! {
            biased;
            batch = self.live.recv() => match batch {
                Ok(batch) => self.take(&batch).await,
                Err(RecvError::Lagged(_)) => Some(()),
                Err(RecvError::Closed) => None,
            },
            // Records that were committed just before this stream began are on disk and nowhere else.
            moved = self.head.changed() => moved.ok(),
        }
    }

    /// Takes what is new of a live batch. If something between was missed, the disk has it, and the batch too.
    async fn take(&mut self, batch: &[Arc<Committed>]) -> Option<()> {
        if batch.first().is_some_and(|first| first.seq > self.next) {
            return self.catch_up().await;
        }
        let next = self.next;
        self.caught_up.extend(batch.iter().filter(|committed| committed.seq >= next).cloned());
        Some(())
    }

    async fn catch_up(&mut self) -> Option<()> {
        let (from, reader) = (self.next, self.reader.clone());
        let read = tokio::task::spawn_blocking(move || read_records(&reader, from, from + CATCH_UP_RECORDS)).await;
        match read {
            Ok(Ok(records)) => {
                self.caught_up.extend(records.into_iter().map(Arc::new));
                Some(())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, from, "cannot read the ledger back");
                None
            }
            Err(error) => {
                tracing::error!(%error, "reading the ledger back was interrupted");
                None
            }
        }
    }
}

/// Reads the committed records `from..to`.
pub(crate) fn read_records(reader: &LogReader, from: u64, to: u64) -> Result<Vec<Committed>, StoreError> {
    let mut records = Vec::new();
    let mut fault = None;
    reader.read_range(from, to, &mut |read| {
        let Recovered::Entry { index, entry } = read else { return ControlFlow::Continue(()) };
        match Committed::parse(index, entry) {
            Ok(committed) => records.push(committed),
            Err(reason) => {
                fault = Some(StoreError::Invalid(format!("entry {index}: {reason}")));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    match fault {
        Some(fault) => Err(fault),
        None => Ok(records),
    }
}

/// Reads the committed records `newest_first`, which are in descending order, and gives them in that order. What is not committed is
/// left out.
pub(crate) fn read_each(reader: &LogReader, newest_first: &[u64]) -> Result<Vec<Committed>, StoreError> {
    let mut records = Vec::with_capacity(newest_first.len());
    for run in newest_first.chunk_by(|newer, older| newer.saturating_sub(*older) <= NEAR_RECORDS) {
        let (Some(newest), Some(oldest)) = (run.first(), run.last()) else { continue };
        let begin = records.len();
        let mut fault = None;
        reader.read_range(*oldest, newest.saturating_add(1), &mut |read| {
            let Recovered::Entry { index, entry } = read else { return ControlFlow::Continue(()) };
            // Descending, so the order is turned round for the search too.
            if run.binary_search_by(|wanted| index.cmp(wanted)).is_err() {
                return ControlFlow::Continue(());
            }
            match Committed::parse(index, entry) {
                Ok(committed) => records.push(committed),
                Err(reason) => {
                    fault = Some(StoreError::Invalid(format!("entry {index}: {reason}")));
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        records.get_mut(begin..).unwrap_or_default().reverse();
    }
    Ok(records)
}
