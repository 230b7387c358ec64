//! Publishes the log as files that anybody can verify: tiles, entry bundles, the newest checkpoint, and the anchor.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use remit_ledger::{Checkpoint, Hash, NoteVerifier, TilePath, TileRow, Tiles, leaf_hash};
use tokio::sync::watch;

use crate::followers::Follow;
use crate::store::tiles::{CHECKPOINT, TileDirectory, TileFile};
use crate::store::{StoreError, anchor};

/// A full tile of hashes, in bytes.
const FULL_TILE_BYTES: u64 = 256 * Hash::BYTES as u64;

#[derive(Debug)]
pub(crate) struct Publisher {
    directory: TileDirectory,
    anchor: Option<PathBuf>,
    tiles: Tiles,
    full: Vec<TileFile>,
    /// The checkpoint of the newest commit that was taken in, if it is at exactly the present size.
    newest: Option<Vec<u8>>,
    published: Arc<watch::Sender<u64>>,
}

impl Publisher {
    /// Continues from what is published in `root`, or begins again if that does not fit its checkpoint.
    pub(crate) fn open(
        root: &Path,
        anchor: Option<PathBuf>,
        verifier: &NoteVerifier,
        origin: &str,
        published: Arc<watch::Sender<u64>>,
    ) -> Result<Self, StoreError> {
        let directory = TileDirectory::open(root)?;
        let tiles = resume(&directory, verifier, origin).unwrap_or_default();
        published.send_replace(tiles.size());
        Ok(Self { directory, anchor, tiles, full: Vec::new(), newest: None, published })
    }
}

fn resume(directory: &TileDirectory, verifier: &NoteVerifier, origin: &str) -> Option<Tiles> {
    let note = String::from_utf8(directory.read(CHECKPOINT).ok()??).ok()?;
    let Checkpoint { size, root, .. } = verifier.verify_checkpoint(&note, origin).ok()?;
    let tiles = Tiles::resume(size, |path| directory.read(path).ok()?).ok()?;
    (tiles.frontier().root() == root && is_complete(directory, size)).then_some(tiles)
}

/// Whether every full tile of a tree of `size` entries is there in its length. Tiles are not synced and those left of the
/// edge are not read above: a power failure may have taken any of them, and nobody would publish it again.
fn is_complete(directory: &TileDirectory, size: u64) -> bool {
    let bytes = |row, index| directory.bytes(&TilePath::full(row, index).to_string()).ok().flatten().unwrap_or(0);
    let full = |level: u32| 0..size.checked_shr(8 * (level + 1)).unwrap_or(0);
    let hashes = |level: u8| full(u32::from(level)).all(|index| bytes(TileRow::Level(level), index) == FULL_TILE_BYTES);
    full(0).all(|index| bytes(TileRow::Entries, index) > 0) && (0..8).all(hashes)
}

impl Follow for Publisher {
    const NAME: &'static str = "publisher";
    /// Each round writes the edge of the tree anew, and removes what it wrote before.
    const BUSY_INTERVAL: Duration = Duration::from_millis(500);

    fn next(&self) -> u64 {
        self.tiles.size()
    }

    fn entry(&mut self, _index: u64, entry: &[u8]) -> Result<(), StoreError> {
        self.newest = None;
        let full = self.tiles.push(entry, leaf_hash(entry)).map_err(|error| StoreError::Invalid(error.to_string()))?;
        self.full.extend(full.into_iter().map(|tile| TileFile { path: tile.path, bytes: tile.bytes }));
        Ok(())
    }

    fn commit(&mut self, size: u64, checkpoint: &[u8]) {
        // Only the newest commit of a round is published; the partial tiles have to be of exactly its size.
        if size == self.tiles.size() {
            self.newest = Some(checkpoint.to_vec());
        }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let Some(checkpoint) = &self.newest else { return Ok(()) };
        // What could not be written is kept for the next round: a full tile is made once, and a checkpoint without the tiles
        // under it would prove nothing.
        let full = self.full.len();
        self.full.extend(self.tiles.partial().into_iter().map(|tile| TileFile { path: tile.path, bytes: tile.bytes }));
        let published = self.directory.publish(&self.full, checkpoint);
        self.full.truncate(full);
        published?;
        self.full.clear();
        if let Some(path) = &self.anchor {
            anchor::write(path, checkpoint)?;
        }
        self.newest = None;
        self.published.send_replace(self.tiles.size());
        Ok(())
    }
}
