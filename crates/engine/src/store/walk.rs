//! Verifying a log at rest: every byte of every segment is accounted for.

use std::ops::ControlFlow;
use std::path::Path;

use super::error::StoreError;
use super::recover::{self, Batch, Ending, Recovered, Segment};

#[cfg(test)]
mod tests;

/// What a complete walk has found in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The realm that all segments name.
    pub realm: String,
    /// How many segment files there are.
    pub segments: u64,
    /// Committed entries.
    pub entries_total: u64,
    /// Batches, each with its commit.
    pub commits: u64,
    /// Bytes read, zeros included.
    pub bytes: u64,
}

/// Reads the whole log in `directory` strictly, delivering every entry and commit to `visit`, and changes nothing.
///
/// Each byte counts: headers, frames, and the zeros after the last commit of each segment up to the length that its header
/// states. So one flipped, missing or added byte in any segment is reported. That intact frames were not replaced by other
/// intact frames is for `visit` to prove with the checkpoints that the commits carry, and that whole batches were not taken
/// from the end, for the anchor.
///
/// While a process writes there, its current batch may read as [`Unfinished`](StoreError::Unfinished).
///
/// # Errors
///
/// The first fault, with file and byte: [`Damaged`](StoreError::Damaged); or [`Unfinished`](StoreError::Unfinished) if all
/// that is wrong is bytes after the last commit of the last segment, which may be a torn batch that was never
/// acknowledged. [`Stopped`](StoreError::Stopped) if `visit` broke.
pub fn verify_walk(
    directory: &Path,
    visit: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
) -> Result<Walk, StoreError> {
    let found = recover::list(directory)?;
    let mut realm = None;
    let mut walk = Walk { realm: String::new(), segments: 0, entries_total: 0, commits: 0, bytes: 0 };
    for first_index in &found {
        let segment = Segment::load(directory, *first_index, realm.as_ref())?;
        if *first_index != walk.entries_total {
            let reason = format!("entry {} should be next: a segment is missing", walk.entries_total);
            return Err(StoreError::damaged(&segment.path, 0, reason));
        }
        // Everything present is taken for acknowledged: nothing is cut here, so nothing needs the benefit of the doubt.
        let scan = segment.scan(u64::MAX, &mut |batch: &Batch<'_>, _, before| {
            walk.commits += 1;
            batch.deliver(before, 0, u64::MAX, visit)
        })?;
        let last = found.last() == Some(first_index);
        match scan.ending {
            Ending::Damaged { at, reason } => return Err(StoreError::damaged(&segment.path, at, reason)),
            Ending::Torn { at: offset } if last => return Err(StoreError::Unfinished { file: segment.path, offset }),
            Ending::Torn { at } => return Err(StoreError::damaged(&segment.path, at, "bytes follow the last commit")),
            Ending::Clean => {}
        }
        if let Some(at) = segment.cut_short_at {
            return Err(StoreError::damaged(&segment.path, at, "the file is cut short"));
        }
        walk.realm = segment.header.realm.name();
        walk.segments += 1;
        walk.entries_total = scan.entries_total;
        walk.bytes += segment.header.segment_bytes;
        realm = Some(segment.header.realm);
    }
    Ok(walk)
}
