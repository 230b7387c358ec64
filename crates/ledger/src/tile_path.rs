//! Where a tile or an entry bundle lies in a log's directory (C2SP `tlog-tiles`, "Merkle Tree" and "Log entries").

use std::fmt;
use std::str::FromStr;

use crate::{TILE_WIDTH, TileError};

#[cfg(test)]
mod tests;

/// The highest level that a path may name.
const LEVEL_MAX: u8 = 63;

/// What a file under `tile/` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileRow {
    /// Entries with their lengths.
    Entries,
    /// Hashes of complete subtrees of 256^`level` leaves.
    Level(u8),
}

/// The path of one tile or bundle, such as `tile/0/x001/067` or `tile/entries/000.p/12`.
///
/// Reading is strict: each tile has exactly one path, and nothing else is one. So a request's path that reads as a
/// `TilePath` cannot leave the log's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    row: TileRow,
    index: u64,
    // INVARIANT: 1 to 256; 256 is a full tile.
    width: u16,
}

impl TilePath {
    /// The full tile `index` of `row`.
    pub const fn full(row: TileRow, index: u64) -> Self {
        Self { row, index, width: TILE_WIDTH as u16 }
    }

    /// The tile `index` of `row` that holds `width` hashes or entries; nothing if no such tile can be.
    pub fn partial(row: TileRow, index: u64, width: usize) -> Option<Self> {
        let width = u16::try_from(width).ok().filter(|&width| (1..=TILE_WIDTH).contains(&usize::from(width)))?;
        Some(Self { row, index, width })
    }

    /// What the file holds.
    pub const fn row(&self) -> TileRow {
        self.row
    }

    /// The position of the tile within its row, from 0.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries the tile holds, 1 to 256.
    pub const fn width(&self) -> usize {
        self.width as usize
    }

    /// The first entries or hashes of a tile are at the same place in the tile once it is full.
    pub const fn when_full(&self) -> Self {
        Self::full(self.row, self.index)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            TileRow::Entries => write!(f, "tile/entries/")?,
            TileRow::Level(level) => write!(f, "tile/{level}/")?,
        }
        let (mut rest, mut groups) = (self.index / 1000, Vec::new());
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.width() < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TilePath {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        let read = lenient(path);
        // What reads leniently must also be written exactly so: that rules out leading zeros, signs and empty groups.
        read.filter(|read| read.to_string() == path)
            .ok_or_else(|| TileError::Path { path: path.chars().take(128).collect() })
    }
}

fn lenient(path: &str) -> Option<TilePath> {
    let (row, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let row = match row {
        "entries" => TileRow::Entries,
        level => TileRow::Level(level.parse().ok().filter(|&level| level <= LEVEL_MAX)?),
    };
    let (groups, width) = match rest.split_once(".p/") {
        Some((groups, width)) => (groups, width.parse().ok().filter(|&width| width < TILE_WIDTH)?),
        None => (rest, TILE_WIDTH),
    };
    let index = groups.split('/').try_fold(0u64, |index, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        index.checked_mul(1000)?.checked_add(digits.parse::<u16>().ok().filter(|&group| group < 1000)?.into())
    })?;
    TilePath::partial(row, index, width)
}
