//! Builds the files of a tiled log from its entries, one after the other (C2SP `tlog-tiles`).

use crate::{ENTRY_BYTES_MAX, Frontier, Hash, TILE_WIDTH, TREE_SIZE_MAX, TilePath, TileRow, leaf_hash};

#[cfg(test)]
mod tests;

/// One file of a tiled log, with its path inside the log's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileFile {
    /// Such as `tile/0/x001/067` or `tile/entries/000.p/12`.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Why a tile cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    #[error("an entry of {bytes} bytes is longer than the {ENTRY_BYTES_MAX} that a bundle can hold")]
    EntryTooLong { bytes: usize },
    #[error("`{path}` is missing, neither partial nor full")]
    Missing { path: String },
    #[error("`{path}` does not hold what a tree of this size needs there")]
    Malformed { path: String },
    #[error("entry {index} is not the one that the tree was built from")]
    EntryDiffers { index: u64 },
    #[error("a tree of {size} entries is larger than any that is read")]
    Size { size: u64 },
    #[error("`{path}` is not the path of a tile")]
    Path { path: String },
}

/// The part of a tiled log that is still growing: one unfinished bundle, and one unfinished tile at each level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tiles {
    size: u64,
    /// The unfinished entry bundle as it will be written.
    bundle: Vec<u8>,
    // INVARIANT: `levels[l]` holds `(size >> 8l) % 256` hashes, and there is a level for each tile level of the tree.
    levels: Vec<Vec<Hash>>,
}

impl Tiles {
    /// How many entries were pushed.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds `entry`, whose leaf hash is `leaf`, and returns the full tiles that it completes: the bundle first, then
    /// level 0 and up. The caller has `leaf` already and is trusted to have computed it from `entry`.
    ///
    /// # Errors
    ///
    /// If the entry is longer than [`ENTRY_BYTES_MAX`]; nothing is changed then.
    pub fn push(&mut self, entry: &[u8], leaf: Hash) -> Result<Vec<TileFile>, TileError> {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong { bytes: entry.len() })?;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        self.size += 1;

        let mut completed = Vec::new();
        if self.size.is_multiple_of(TILE_WIDTH as u64) {
            let path = TilePath::full(TileRow::Entries, (self.size >> 8) - 1);
            completed.push(TileFile { path: path.to_string(), bytes: std::mem::take(&mut self.bundle) });
        }
        self.push_hash(leaf, &mut completed);
        Ok(completed)
    }

    /// Adds `leaf` to level 0; the root of each tile that becomes full goes on to the level above.
    fn push_hash(&mut self, leaf: Hash, completed: &mut Vec<TileFile>) {
        let mut finished_above = self.size;
        let mut hash = leaf;
        for level in 0..=u8::MAX {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(row) = self.levels.get_mut(usize::from(level)) else { return };
            row.push(hash);
            if row.len() < TILE_WIDTH {
                return;
            }
            finished_above >>= 8;
            let path = TilePath::full(TileRow::Level(level), finished_above - 1);
            completed.push(TileFile { path: path.to_string(), bytes: row_bytes(row) });
            hash = row.drain(..).collect::<Frontier>().root();
        }
    }

    /// All partial tiles of the present size, the bundle first. A log must have them for each size that it signs.
    pub fn partial(&self) -> Vec<TileFile> {
        let rows = self.levels.iter().zip(0u8..);
        let hashes = rows.filter_map(|(row, level)| {
            let path = right_edge(TileRow::Level(level), self.size, level)?;
            Some(TileFile { path: path.to_string(), bytes: row_bytes(row) })
        });
        let bundle = right_edge(TileRow::Entries, self.size, 0);
        let bundle = bundle.map(|path| TileFile { path: path.to_string(), bytes: self.bundle.clone() });
        bundle.into_iter().chain(hashes).collect()
    }

    /// The right edge of the same tree, whose root must be that of the last checkpoint.
    pub fn frontier(&self) -> Frontier {
        let mut edge = Vec::new();
        for row in self.levels.iter().rev() {
            let mut rest = row.as_slice();
            // The complete subtrees within a partial tile stand for the bits of its width, the widest first.
            while !rest.is_empty() {
                let (widest, narrower) = rest.split_at(1 << rest.len().ilog2());
                edge.push(widest.iter().copied().collect::<Frontier>().root());
                rest = narrower;
            }
        }
        Frontier::from_edge(self.size, edge)
    }

    /// Goes on from the tiles that were written for a tree of `size` entries, full or partial.
    ///
    /// The entries of the last bundle are held against their hashes. Tiles further left are not read: compare the root
    /// of [`Tiles::frontier`] with a checkpoint to know that this is the tree that was signed.
    ///
    /// # Errors
    ///
    /// If a tile is missing or malformed, or an entry is not the one that its hash says.
    pub fn resume(size: u64, mut read: impl FnMut(&str) -> Option<Vec<u8>>) -> Result<Self, TileError> {
        if size > TREE_SIZE_MAX {
            return Err(TileError::Size { size });
        }
        let mut levels = Vec::new();
        for level in (0u8..8).take_while(|level| size >> (8 * level) > 0) {
            levels.push(match right_edge(TileRow::Level(level), size, level) {
                Some(path) => read_row(&path, &mut read)?,
                None => Vec::new(),
            });
        }
        let mut bundle = Vec::new();
        if let Some(path) = right_edge(TileRow::Entries, size, 0) {
            let (found, bytes) = read_tile(&path, &mut read)?;
            let malformed = || TileError::Malformed { path: found.to_string() };
            let entries = bundle_entries(&bytes, found.width()).ok_or_else(malformed)?;
            let leaves = levels.first().into_iter().flatten();
            for ((entry, leaf), index) in entries.iter().zip(leaves).zip(path.index() << 8..) {
                if leaf_hash(entry) != *leaf {
                    return Err(TileError::EntryDiffers { index });
                }
                bundle.extend_from_slice(&u16::try_from(entry.len()).map_err(|_| malformed())?.to_be_bytes());
                bundle.extend_from_slice(entry);
            }
        }
        Ok(Self { size, bundle, levels })
    }
}

/// The entries of a bundle that must hold exactly `width` of them; nothing if the bytes say otherwise.
pub fn bundle_entries(bytes: &[u8], width: usize) -> Option<Vec<&[u8]>> {
    let mut rest = bytes;
    let mut entries = Vec::with_capacity(width.min(TILE_WIDTH));
    for _ in 0..width {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = after;
    }
    rest.is_empty().then_some(entries)
}

/// The partial tile at the right edge of a row in a tree of `size` entries; nothing where all tiles are full.
fn right_edge(row: TileRow, size: u64, level: u8) -> Option<TilePath> {
    let hashes = size.checked_shr(u32::from(level) * 8)?;
    TilePath::partial(row, hashes >> 8, (hashes % TILE_WIDTH as u64) as usize)
}

/// Reads a tile, or the full one that has taken its place.
pub(crate) fn read_tile(
    path: &TilePath,
    mut read: impl FnMut(&str) -> Option<Vec<u8>>,
) -> Result<(TilePath, Vec<u8>), TileError> {
    for candidate in [*path, path.when_full()] {
        if let Some(bytes) = read(&candidate.to_string()) {
            return Ok((candidate, bytes));
        }
    }
    Err(TileError::Missing { path: path.to_string() })
}

/// Reads the hashes that `path` says, even if the file by now holds more.
pub(crate) fn read_row(path: &TilePath, read: impl FnMut(&str) -> Option<Vec<u8>>) -> Result<Vec<Hash>, TileError> {
    let (found, bytes) = read_tile(path, read)?;
    let (hashes, rest) = bytes.as_chunks::<{ Hash::BYTES }>();
    if !rest.is_empty() || hashes.len() != found.width() {
        return Err(TileError::Malformed { path: found.to_string() });
    }
    Ok(hashes.iter().take(path.width()).copied().map(Hash::from_bytes).collect())
}

fn row_bytes(row: &[Hash]) -> Vec<u8> {
    row.iter().flat_map(|hash| *hash.as_bytes()).collect()
}
