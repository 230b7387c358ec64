//! Snapshots: the folded state at some size, sealed, so that a start need not fold everything. Never the truth.

use remit_domain::{State, Timestamp};
use remit_identity::Kek;
use remit_ledger::Frontier;
use remit_ledger::chain::Chains;
use serde::{Deserialize, Serialize};
use std::sync::mpsc::Receiver;

use crate::store::StoreError;
use crate::store::snapshot::SnapshotDirectory;

/// Changes when what is folded changes its form; an older snapshot is then left aside and everything is folded again.
const SNAPSHOT_FORM: &str = "remit snapshot 3";

/// All that is folded from the log up to some size.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Image {
    pub state: State,
    pub chains: Chains,
    pub frontier: Frontier,
    /// When the last of it was recorded: time goes on from there, even if nothing follows the snapshot.
    pub last_at: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Snapshots {
    directory: SnapshotDirectory,
    key: Kek,
}

impl Snapshots {
    pub(crate) fn new(directory: SnapshotDirectory, kek: &Kek) -> Self {
        Self { directory, key: kek.derive("snapshot") }
    }

    /// Keeps `image`. Sealed, because whoever could change it would change what Remit believes.
    pub(crate) fn keep(&self, image: &Image) -> Result<(), StoreError> {
        let size = image.frontier.size();
        let failed = |error: String| StoreError::Invalid(format!("cannot make the snapshot at {size}: {error}"));
        let bytes = serde_json::to_vec(image).map_err(|error| failed(error.to_string()))?;
        let sealed = self.key.seal(aad(size).as_bytes(), &bytes).map_err(|error| failed(error.to_string()))?;
        self.directory.write(size, &sealed)
    }

    /// The newest snapshot that opens. Whether it belongs to this log is for the reader of the log to check.
    pub(crate) fn newest(&self) -> Result<Option<Image>, StoreError> {
        for size in self.directory.list()? {
            let Some(sealed) = self.directory.read(size)? else { continue };
            match self.open(size, &sealed) {
                Some(image) => return Ok(Some(image)),
                None => tracing::warn!(size, "a snapshot does not open and is left aside"),
            }
        }
        Ok(None)
    }

    /// The sizes at which there are snapshots, newest first.
    pub(crate) fn sizes(&self) -> Result<Vec<u64>, StoreError> {
        self.directory.list()
    }

    /// The snapshot at `size`, if there is one that opens.
    pub(crate) fn at(&self, size: u64) -> Result<Option<Image>, StoreError> {
        Ok(self.directory.read(size)?.and_then(|sealed| self.open(size, &sealed)))
    }

    /// Leaves the snapshot at `size` aside for good.
    pub(crate) fn discard(&self, size: u64) -> Result<(), StoreError> {
        self.directory.remove(size)
    }

    fn open(&self, size: u64, sealed: &[u8]) -> Option<Image> {
        let bytes = self.key.open(aad(size).as_bytes(), sealed).ok()?;
        let image: Image = serde_json::from_slice(&bytes).ok()?;
        (image.frontier.size() == size).then_some(image)
    }

    /// Keeps images as they come, until nobody sends any more.
    pub(crate) fn run(&self, images: &Receiver<Image>) {
        while let Ok(image) = images.recv() {
            if let Err(error) = self.keep(&image) {
                tracing::warn!(%error, "a snapshot was not kept; the next start takes longer");
            }
        }
    }
}

fn aad(size: u64) -> String {
    format!("{SNAPSHOT_FORM} {size}")
}
