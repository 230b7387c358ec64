//! The segment that is open for writing.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::error::{StoreError, While};
use super::files::{self, Directory};
use super::frame::{HEADER_BYTES, Header, Realm};
use super::recover::{Scan, Segment, segment_path};
use super::reserve::{self, Reserve};

/// A batch that had not been acknowledged when the last run ended, and was removed by opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The segment file.
    pub file: PathBuf,
    /// Where the committed batches end.
    pub offset: u64,
    /// How many bytes after that held something.
    pub removed_bytes: u64,
}

/// The segment that takes the next batch.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) first_index: u64,
    pub(super) segment_bytes: u64,
    /// Where the next batch goes; only zeros from here on.
    pub(super) end: u64,
}

impl Current {
    /// Turns `reserve` into the segment that starts with entry `first_index`.
    pub(super) fn start(
        directory: &Directory,
        reserve: Reserve,
        realm: Realm,
        first_index: u64,
        segment_bytes: u64,
    ) -> io::Result<Self> {
        let path = segment_path(directory.path(), first_index);
        let header = Header { realm, first_index, segment_bytes };
        let file = reserve.become_segment(directory, &path, &header)?;
        Ok(Self { path, file, first_index, segment_bytes, end: HEADER_BYTES as u64 })
    }

    /// That the open file is still the one which its path names, in full length.
    pub(super) fn check_linked(&self) -> Result<(), String> {
        let name = self.path.display();
        let open = self.file.metadata().map_err(|error| format!("cannot examine `{name}`: {error}"))?;
        let named = fs::symlink_metadata(&self.path).map_err(|error| format!("`{name}` is gone: {error}"))?;
        if open.nlink() == 0 || (open.dev(), open.ino()) != (named.dev(), named.ino()) {
            return Err(format!("`{name}` was removed or replaced while it was open"));
        }
        if open.len() != self.segment_bytes {
            return Err(format!("`{name}` changed its length while it was open"));
        }
        Ok(())
    }

    /// Opens the last segment for writing, with only zeros after its last commit, durably.
    pub(super) fn reopen(last: &Segment, scan: &Scan) -> Result<(Self, Option<Cut>), StoreError> {
        let path = &last.path;
        let Header { first_index, segment_bytes, .. } = last.header;
        let file = files::private().create(false).open(path).io("open", path)?;
        let end = scan.end;
        let tail = last.bytes.iter().rposition(|byte| *byte != 0).map_or(end, |byte| byte as u64 + 1);
        let removed_bytes = tail.saturating_sub(end);
        if removed_bytes > 0 {
            reserve::write_zeros(&file, end, tail).io("remove an uncommitted batch from", path)?;
        }
        if last.cut_short_at.is_some() {
            reserve::extend(&file, segment_bytes).io("extend", path)?;
        }
        // Even if nothing was removed: a batch that was written but not synced when the last run was killed reads as
        // committed, and must be durable before anyone acts on it.
        file.sync_all().io("sync", path)?;
        let cut = (removed_bytes > 0).then(|| Cut { file: path.clone(), offset: end, removed_bytes });
        Ok((Self { path: path.clone(), file, first_index, segment_bytes, end }, cut))
    }
}
