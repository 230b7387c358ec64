//! Reading what is committed while the log goes on being written, without reading it from the start.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::{StoreError, While};
use super::frame::HEADER_BYTES;
use super::recover::{self, BatchAt, Recovered, Visit, segment_path};

#[cfg(test)]
mod tests;

/// How far apart remembered places are at least, in bytes: what a reader may have to read in vain.
const MARK_BYTES: u64 = 64 << 10;
/// How much is read at a time, in bytes, unless one batch is larger.
const WINDOW_BYTES: u64 = 512 << 10;
/// How much more is read when a batch did not fit.
const WINDOW_GROWTH: u64 = 4;

/// Where some batches start, and how far the log is committed. Shared by the writer and all readers of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    committed: AtomicU64,
    places: Mutex<BTreeMap<u64, Place>>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    first_index: u64,
    offset: u64,
}

impl Marks {
    /// Remembers a segment that starts with entry `first_index`.
    pub(super) fn start_segment(&self, first_index: u64) {
        self.insert(first_index, Place { first_index, offset: HEADER_BYTES as u64 });
    }

    /// Remembers that a batch starts at `offset` with `entries_before` in the log, unless a place nearby is known.
    pub(super) fn batch_at(&self, first_index: u64, entries_before: u64, offset: u64) {
        let near = self.before(entries_before).is_some_and(|(_, place)| {
            place.first_index == first_index && offset.saturating_sub(place.offset) < MARK_BYTES
        });
        if !near {
            self.insert(entries_before, Place { first_index, offset });
        }
    }

    /// Up to which byte of the segment that starts with entry `first_index` to read for the entries before `to`, if that is known.
    fn end_of(&self, first_index: u64, to: u64) -> Option<u64> {
        let places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, place) = places.range(to..).next()?;
        (place.first_index == first_index).then_some(place.offset)
    }

    /// Says that `entries_total` entries are committed.
    pub(super) fn committed(&self, entries_total: u64) {
        self.0.committed.store(entries_total, Ordering::Release);
    }

    fn insert(&self, entries_before: u64, place: Place) {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner).insert(entries_before, place);
    }

    fn before(&self, index: u64) -> Option<(u64, Place)> {
        let places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.range(..=index).next_back().map(|(entries_before, place)| (*entries_before, *place))
    }
}

/// Reads committed entries. Cheap to clone; each reading opens the files anew and holds nothing of the writer.
#[derive(Debug, Clone)]
pub struct LogReader {
    directory: PathBuf,
    marks: Marks,
    /// Whether the writer lives in this process and says how far the log is committed.
    beside_writer: bool,
}

/// A place in the log: a segment, a byte in it, and the entries before that byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    first_index: u64,
    offset: u64,
    entries_before: u64,
}

impl LogReader {
    /// A reader of the `segments` directory at `directory`, whether or not a process is writing there.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let marks = Marks::default();
        recover::list(directory)?.into_iter().for_each(|first_index| marks.start_segment(first_index));
        Ok(Self { directory: directory.to_owned(), marks, beside_writer: false })
    }

    pub(super) fn beside(directory: &Path, marks: Marks) -> Self {
        Self { directory: directory.to_owned(), marks, beside_writer: true }
    }

    /// Delivers the committed entries `from..to`, and the commits that close at least `from` and at most `to` entries
    /// where they are passed on the way. Ends early, without an error, where the log ends or `visit` breaks.
    ///
    /// # Errors
    ///
    /// [`Damaged`](StoreError::Damaged) if something that is known to be committed cannot be read.
    pub fn read_range(
        &self,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let to = if self.beside_writer { to.min(self.marks.0.committed.load(Ordering::Acquire)) } else { to };
        let Some((entries_before, place)) = self.marks.before(from).filter(|_| from < to) else { return Ok(()) };
        let mut at = Cursor { first_index: place.first_index, offset: place.offset, entries_before };
        let mut stuck_at = None;
        while at.entries_before < to {
            if self.read_segment(&mut at, from, to, visit)?.is_break() {
                return Ok(());
            }
            if at.entries_before >= to {
                return Ok(());
            }
            // Nothing more was readable here. What was in the middle of being written a moment ago may be readable now,
            // if a later segment shows that it has been committed: so look twice before calling it damage.
            let next = at.entries_before;
            if next > at.first_index && segment_path(&self.directory, next).exists() {
                at = Cursor { first_index: next, offset: HEADER_BYTES as u64, entries_before: next };
            } else if !self.beside_writer && recover::list(&self.directory)?.last().is_none_or(|last| *last <= next) {
                return Ok(());
            } else if stuck_at.replace(at) == Some(at) {
                let path = segment_path(&self.directory, at.first_index);
                return Err(StoreError::damaged(&path, at.offset, format!("entry {next} should stand here")));
            }
        }
        Ok(())
    }

    /// Reads on from `at` to the end of its segment or up to entry `to`, moving `at` past each whole batch.
    fn read_segment(
        &self,
        at: &mut Cursor,
        from: u64,
        to: u64,
        visit: &mut Visit<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let path = segment_path(&self.directory, at.first_index);
        let header = recover::read_header(&path, at.first_index)?;
        let file = File::open(&path).io("read", &path)?;
        let mut bytes = Vec::new();
        // No more than is needed: whoever looks for single records far apart reads little of each place.
        let needed = self.marks.end_of(at.first_index, to).map(|end| end.saturating_sub(at.offset));
        let mut window = needed.filter(|needed| *needed > 0).map_or(WINDOW_BYTES, |needed| needed.min(WINDOW_BYTES));
        while at.entries_before < to {
            let left = header.segment_bytes.saturating_sub(at.offset);
            read_window(&file, &mut bytes, at.offset, left.min(window)).io("read", &path)?;
            let start = *at;
            let mut used = 0;
            let stop = loop {
                match recover::batch_at(&bytes, used, start.offset, at.entries_before) {
                    BatchAt::Batch(batch) if at.entries_before < to => {
                        self.marks.batch_at(at.first_index, at.entries_before, at.offset);
                        if batch.deliver(at.entries_before, from, to, visit).is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                        used = batch.next;
                        *at = Cursor {
                            offset: start.offset + used as u64,
                            entries_before: batch.entries_total,
                            first_index: at.first_index,
                        };
                    }
                    stop => break stop,
                }
            };
            match stop {
                _ if used > 0 => window = WINDOW_BYTES,
                // An end in view at the window's start is the end of what is written, however long the zeros are.
                BatchAt::End => break,
                _ if window >= left => break,
                _ => window = window.saturating_mul(WINDOW_GROWTH),
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Reads `wanted` bytes from `offset`, or as many as the file has.
fn read_window(file: &File, bytes: &mut Vec<u8>, offset: u64, wanted: u64) -> std::io::Result<()> {
    bytes.resize(usize::try_from(wanted).unwrap_or(usize::MAX), 0);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(())
}

/// Delivers the committed entries `from..to` of the log in `directory`, and commits on the way, as
/// [`LogReader::read_range`] does. For one reading; keep a [`LogReader`] for many.
///
/// # Errors
///
/// As [`LogReader::read_range`].
pub fn read_range(
    directory: &Path,
    from: u64,
    to: u64,
    visit: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    LogReader::open(directory)?.read_range(from, to, visit)
}
