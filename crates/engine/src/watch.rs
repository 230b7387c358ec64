//! Following the ledger: everything from a place on, then what comes, without missing or repeating a record.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream;
use tokio::sync::{broadcast, watch};

use crate::record::Committed;
use crate::store::{LogReader, Recovered, StoreError};

/// Records read from disk at a time while catching up.
const CATCH_UP_RECORDS: u64 = 1_024;

/// Committed records in order, from some place on. Ends when the engine closes.
pub type EventStream = std::pin::Pin<Box<dyn Stream<Item = Arc<Committed>> + Send>>;

struct Follower {
    next: u64,
    reader: LogReader,
    head: watch::Receiver<u64>,
    live: broadcast::Receiver<Arc<Committed>>,
    caught_up: VecDeque<Arc<Committed>>,
}

/// A stream of every committed record from `from` on.
pub(crate) fn follow(
    from: u64,
    reader: LogReader,
    head: watch::Receiver<u64>,
    live: broadcast::Receiver<Arc<Committed>>,
) -> EventStream {
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
            if self.next < *self.head.borrow_and_update() && !self.is_next_live() {
                self.catch_up().await?;
                continue;
            }
            let live = tokio::select! {
                biased;
                live = self.live.recv() => live,
                // Records that were committed just before this stream began are on disk and nowhere else.
                moved = self.head.changed() => match moved {
                    Ok(()) => continue,
                    Err(_) => return None,
                },
            };
            match live {
                // The live side still holds what was read from disk meanwhile.
                Ok(committed) if committed.seq < self.next => {}
                Ok(committed) if committed.seq == self.next => return Some(committed),
                // Something between was missed: the disk has it.
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.catch_up().await?,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// Whether the live side will deliver the next record, so that the disk need not be read.
    fn is_next_live(&self) -> bool {
        self.next + self.live.len() as u64 >= *self.head.borrow() && !self.live.is_empty()
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
