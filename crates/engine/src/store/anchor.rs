//! The last signed checkpoint, kept apart from the log: a data directory restored from an old copy is then noticed.
//!
//! The file belongs on another volume than the data directory, or at least outside what is backed up with it. Comparing it
//! with the log is for whoever can read a checkpoint.

use std::path::Path;

use super::error::StoreError;
use super::files::{self, Directory, Durable};

#[cfg(test)]
mod tests;

/// The largest anchor, in bytes.
pub const ANCHOR_BYTES_MAX: usize = 65_536;

/// The anchor at `path`, or nothing if there is none yet. An empty file, as a power failure may leave, is none.
///
/// # Errors
///
/// [`TooLarge`](StoreError::TooLarge) if the file there is no anchor of ours.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let bytes = files::read_if_there(path)?.filter(|bytes| !bytes.is_empty());
    bytes.map(|bytes| check(bytes.len()).map(|()| bytes)).transpose()
}

/// Replaces the anchor at `path`, without waiting for the disk: cheap enough to do after each commit. After a power
/// failure an older anchor may be there, which proves a little less and refuses nothing wrongly.
pub fn write(path: &Path, checkpoint: &[u8]) -> Result<(), StoreError> {
    put(path, checkpoint, Durable::No)
}

/// Replaces the anchor at `path` durably: for a first start, a clean stop, and now and then between.
pub fn write_durably(path: &Path, checkpoint: &[u8]) -> Result<(), StoreError> {
    put(path, checkpoint, Durable::Yes)
}

fn put(path: &Path, checkpoint: &[u8], durable: Durable) -> Result<(), StoreError> {
    check(checkpoint.len())?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.is_dir()) {
        Directory::open(parent)?;
    }
    files::replace(path, checkpoint, durable)
}

fn check(bytes: usize) -> Result<(), StoreError> {
    if bytes > ANCHOR_BYTES_MAX {
        return Err(StoreError::TooLarge { what: "the anchor", size: bytes as u64, limit: ANCHOR_BYTES_MAX as u64 });
    }
    Ok(())
}
