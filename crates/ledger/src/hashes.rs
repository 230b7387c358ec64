//! Where the hashes of complete subtrees come from: from tile files, or from leaves in memory.

use std::cell::RefCell;
use std::fmt;

use crate::tiles::read_row;
use crate::{Frontier, Hash, TILE_WIDTH, TilePath, TileRow, node_hash};

#[cfg(test)]
mod tests;

/// Gives the hashes that proofs are made of.
pub trait Hashes {
    /// The hash over the leaves `index * 2^level` up to `(index + 1) * 2^level`; nothing if not all of them are there.
    fn node(&self, level: u32, index: u64) -> Option<Hash>;
}

/// Reads hashes from the tiles that were written for a tree of some size.
///
/// The tile read last is kept, because a proof asks several times in a row for the same one.
pub struct TileHashes<F> {
    size: u64,
    read: F,
    last: RefCell<Option<(TilePath, Vec<Hash>)>>,
}

impl<F: Fn(&str) -> Option<Vec<u8>>> TileHashes<F> {
    /// Reads tiles by their path within the log's directory through `read`.
    pub fn new(size: u64, read: F) -> Self {
        Self { size, read, last: RefCell::new(None) }
    }

    /// The hashes from `start` up to `end` within `path`.
    fn hashes(&self, path: TilePath, start: usize, end: usize) -> Option<Vec<Hash>> {
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|(kept, _)| *kept != path) {
            *last = Some((path, read_row(&path, &self.read).ok()?));
        }
        let (_, row) = last.as_ref()?;
        row.get(start..end).map(<[Hash]>::to_vec)
    }
}

impl<F: Fn(&str) -> Option<Vec<u8>>> Hashes for TileHashes<F> {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let end_leaf = index.checked_add(1)?.checked_mul(1u64.checked_shl(level)?)?;
        if end_leaf > self.size {
            return None;
        }
        // Tiles hold every eighth level; what lies between is hashed again from the level below.
        let (tile_level, above) = (level / 8, level % 8);
        let row_width = self.size >> (8 * tile_level);
        let first = index << above;
        let (tile, start) = (first / TILE_WIDTH as u64, (first % TILE_WIDTH as u64) as usize);
        let width = (row_width - tile * TILE_WIDTH as u64).min(TILE_WIDTH as u64) as usize;
        let path = TilePath::partial(TileRow::Level(u8::try_from(tile_level).ok()?), tile, width)?;
        let hashes = self.hashes(path, start, start + (1 << above))?;
        Some(hashes.into_iter().collect::<Frontier>().root())
    }
}

impl<F> fmt::Debug for TileHashes<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TileHashes").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Leaves in memory, with all complete subtrees above them: for packs and tests.
#[derive(Debug, Clone)]
pub struct LeafHashes {
    // INVARIANT: never empty; each row is the pairs of the one before.
    rows: Vec<Vec<Hash>>,
}

impl LeafHashes {
    /// Hashes everything that is complete above `leaves`, once.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut rows = Vec::new();
        let mut row = leaves;
        while row.len() > 1 {
            let (pairs, _) = row.as_chunks::<2>();
            let above = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            rows.push(std::mem::replace(&mut row, above));
        }
        rows.push(row);
        Self { rows }
    }
}

impl Hashes for LeafHashes {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let row = self.rows.get(usize::try_from(level).ok()?)?;
        row.get(usize::try_from(index).ok()?).copied()
    }
}
