//! Threads that follow the committed log at their own pace: publishing tiles, filling the search index.
//!
//! They never hold the writer up. What they make can be made again, so after a failure they try again later.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::store::{LogReader, Recovered, StoreError};

/// Entries that a follower is handed at a time.
const STEP_ENTRIES: u64 = 4_096;
/// The shortest time between two rounds, so that rounds are batches.
const ROUND_INTERVAL: Duration = Duration::from_millis(50);
/// Entries in one round that mean that much is committed.
const BUSY_ENTRIES: u64 = 128;
/// How long a follower waits after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Something that keeps up with the log.
pub(crate) trait Follow: Send {
    const NAME: &'static str;

    /// The time between two rounds while much is committed: what a round costs apart from its entries is then shared by more.
    const BUSY_INTERVAL: Duration;

    /// The next entry that it needs.
    fn next(&self) -> u64;

    /// One committed entry, in order.
    fn entry(&mut self, index: u64, entry: &[u8]) -> Result<(), StoreError>;

    /// The commit that closes `size` entries.
    fn commit(&mut self, _size: u64, _checkpoint: &[u8]) {}

    /// The end of a round: what was taken in may be written out now.
    fn flush(&mut self) -> Result<(), StoreError>;
}

/// Runs `follower` until `stop`; then once more, so that a clean stop leaves nothing behind.
pub(crate) fn run<F: Follow>(mut follower: F, reader: &LogReader, head: &watch::Receiver<u64>, stop: &Arc<AtomicBool>) {
    loop {
        let last_round = stop.load(Ordering::Acquire);
        let goal = *head.borrow();
        let busy = goal.saturating_sub(follower.next()) >= BUSY_ENTRIES;
        let mut wait = if busy { F::BUSY_INTERVAL } else { ROUND_INTERVAL };
        if let Err(error) = round(&mut follower, reader, goal) {
            tracing::warn!(follower = F::NAME, %error, "cannot keep up with the ledger; trying again");
            wait = RETRY_INTERVAL;
        }
        if last_round {
            return;
        }
        std::thread::park_timeout(wait);
    }
}

fn round<F: Follow>(follower: &mut F, reader: &LogReader, goal: u64) -> Result<(), StoreError> {
    while follower.next() < goal {
        let from = follower.next();
        let mut fault = None;
        reader.read_range(from, goal.min(from + STEP_ENTRIES), &mut |read| {
            match read {
                Recovered::Entry { index, entry } => {
                    if let Err(error) = follower.entry(index, entry) {
                        fault = Some(error);
                        return ControlFlow::Break(());
                    }
                }
                Recovered::Commit { entries_total, bytes } => follower.commit(entries_total, bytes),
            }
            ControlFlow::Continue(())
        })?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        if follower.next() == from {
            return Err(StoreError::Invalid(format!("entry {from} cannot be read back yet")));
        }
        follower.flush()?;
    }
    follower.flush()
}
