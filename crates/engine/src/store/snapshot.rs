//! Folded state at some size of the log, so that a start need not fold everything. Opaque bytes, sealed by the caller.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{StoreError, While};
use super::files::{self, Directory, Durable};

#[cfg(test)]
mod tests;

/// How many snapshots are kept: the newest, and one before it should that not open.
pub const SNAPSHOTS_KEPT: usize = 2;

const SUFFIX: &str = ".snap";
const SIZE_DIGITS: usize = 20;

/// The `snapshots` directory.
#[derive(Debug)]
pub struct SnapshotDirectory {
    directory: Directory,
}

impl SnapshotDirectory {
    /// Opens `directory`, making it if it is not there.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Ok(Self { directory: Directory::open(directory)? })
    }

    /// Keeps `bytes` as the snapshot at `entries_total` entries, durably, and removes all but the newest
    /// [`SNAPSHOTS_KEPT`] up to there. Any of a larger size is of another log, and would take their places for ever.
    pub fn write(&self, entries_total: u64, bytes: &[u8]) -> Result<(), StoreError> {
        files::replace(&self.path(entries_total), bytes, Durable::Yes)?;
        let (ahead, kept): (Vec<u64>, Vec<u64>) = self.list()?.into_iter().partition(|size| *size > entries_total);
        for other in ahead.into_iter().chain(kept.into_iter().skip(SNAPSHOTS_KEPT)) {
            files::remove_if_there(&self.path(other))?;
        }
        self.remove_leftovers()
    }

    /// The sizes at which there are snapshots, newest first.
    pub fn list(&self) -> Result<Vec<u64>, StoreError> {
        let mut sizes: Vec<u64> = self.names()?.iter().filter_map(|name| size_of(name)).collect();
        sizes.sort_unstable_by(|left, right| right.cmp(left));
        Ok(sizes)
    }

    /// The snapshot at `entries_total` entries, if there is one.
    pub fn read(&self, entries_total: u64) -> Result<Option<Vec<u8>>, StoreError> {
        files::read_if_there(&self.path(entries_total))
    }

    /// Removes the snapshot at `entries_total` entries: one that does not open, or is ahead of the log.
    pub fn remove(&self, entries_total: u64) -> Result<(), StoreError> {
        files::remove_if_there(&self.path(entries_total))
    }

    fn path(&self, entries_total: u64) -> PathBuf {
        self.directory.path().join(format!("{entries_total:0SIZE_DIGITS$}{SUFFIX}"))
    }

    /// Removes what writing left behind when it was interrupted.
    fn remove_leftovers(&self) -> Result<(), StoreError> {
        for name in self.names()?.iter().filter(|name| name.starts_with('.') && name.ends_with(".tmp")) {
            files::remove_if_there(&self.directory.path().join(name))?;
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, StoreError> {
        let path = self.directory.path();
        let files = fs::read_dir(path).io("list", path)?;
        files
            .filter_map(|file| file.map(|file| file.file_name().into_string().ok()).transpose())
            .collect::<Result<_, _>>()
            .io("list", path)
    }
}

fn size_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let plain = digits.len() == SIZE_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}
