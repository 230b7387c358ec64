//! Fills the search index from the committed log. The index can be lost: it is filled again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::followers::Follow;
use crate::store::StoreError;
use crate::store::index::{IndexRow, IndexStore};

mod artefacts;
mod searched;
#[cfg(test)]
mod tests;

#[derive(Debug)]
pub(crate) struct Indexer {
    store: IndexStore,
    next: u64,
    rows: Vec<IndexRow>,
    /// How far the index has come, for whoever wants to find what was just recorded.
    indexed: Arc<watch::Sender<u64>>,
}

impl Indexer {
    /// Continues after the newest indexed record; an index that is ahead of the log belongs to another one.
    pub(crate) fn open(mut store: IndexStore, head: u64, indexed: Arc<watch::Sender<u64>>) -> Result<Self, StoreError> {
        let mut next = store.head()?.map_or(0, |newest| newest + 1);
        if next > head {
            store.reset()?;
            next = 0;
        }
        indexed.send_replace(next);
        Ok(Self { store, next, rows: Vec::new(), indexed })
    }
}

impl Follow for Indexer {
    const NAME: &'static str = "indexer";
    /// Whoever searches waits for it.
    const BUSY_INTERVAL: Duration = Duration::from_millis(200);

    fn next(&self) -> u64 {
        self.next
    }

    fn entry(&mut self, index: u64, entry: &[u8]) -> Result<(), StoreError> {
        let row =
            searched::row_of(index, entry).map_err(|reason| StoreError::Invalid(format!("entry {index}: {reason}")))?;
        self.rows.push(row);
        self.next = index + 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.store.put_batch(&self.rows)?;
        self.rows.clear();
        self.indexed.send_replace(self.next);
        Ok(())
    }
}
