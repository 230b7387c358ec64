//! The log itself: append-only segment files. A batch is committed when its one write has been synced.

use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::current::{Current, Cut};
use super::error::{StoreError, While};
use super::files::Directory;
use super::frame::{self, COMMIT_BYTES_MAX, ENTRY_BYTES_MAX, HEADER_BYTES, Realm};
use super::reader::{LogReader, Marks};
use super::recover::{self, Batch, Ending, Recovered, Scan, Segment, Visit, segment_path};
use super::reserve::Reserve;

#[cfg(test)]
mod tests;

/// The length of a segment in bytes, unless configured.
pub const SEGMENT_BYTES: u64 = 32 << 20;
/// The shortest segment that may be configured, in bytes.
pub const SEGMENT_BYTES_MIN: u64 = 1 << 10;
/// The longest segment that may be configured, in bytes. A segment is read whole on recovery.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// Without a reserve, the last part of a segment is kept: one part in this many.
const KEPT_PART: u64 = 8;

/// How to open a log.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The length of new segments in bytes. A batch must fit into one.
    pub segment_bytes: u64,
    /// Entries before this index are not delivered and segments wholly before it are not read: the size of a snapshot.
    pub from_index: u64,
    /// Entries known from elsewhere, such as the anchor, to have been committed. A log that is shorter is refused, and a
    /// damaged last batch among them is damage rather than a torn write.
    pub known_entries: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES, from_index: 0, known_entries: 0 }
    }
}

/// The one writer of a log. Whoever opens it holds the directory's [`DataLock`](super::DataLock).
#[derive(Debug)]
pub struct SegmentLog {
    directory: Directory,
    realm: Realm,
    segment_bytes: u64,
    current: Current,
    entries_total: u64,
    reserve: Option<Reserve>,
    reserve_fault: Option<String>,
    poison: Option<String>,
    cut: Option<Cut>,
    batch: Vec<u8>,
    marks: Marks,
}

impl SegmentLog {
    /// Opens the log in `directory`, the `segments` directory itself, making it if it is not there.
    ///
    /// Delivers to `visit`, in order, the committed entries from `options.from_index` on and every commit of at least that
    /// many entries; then removes an unacknowledged batch at the end, durably. If `visit` breaks, nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Damaged`](StoreError::Damaged) names file and byte where something acknowledged is not what was written;
    /// [`Missing`](StoreError::Missing) if the log is shorter than `options` say; [`WrongRealm`](StoreError::WrongRealm);
    /// [`Stopped`](StoreError::Stopped) if `visit` broke. All of these leave the files untouched.
    pub fn open(
        directory: &Path,
        realm: &str,
        options: Options,
        visit: &mut dyn FnMut(Recovered<'_>) -> ControlFlow<()>,
    ) -> Result<Self, StoreError> {
        let realm = Realm::new(realm)?;
        if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&options.segment_bytes) {
            let range = format!("from {SEGMENT_BYTES_MIN} to {SEGMENT_BYTES_MAX}");
            return Err(StoreError::Invalid(format!("a log segment takes {range} bytes")));
        }
        let directory = Directory::open(directory)?;
        let marks = Marks::default();
        let found = recover::list(directory.path())?;
        let (current, entries_total, cut) = match read_all(&directory, &found, &realm, options, &marks, visit)? {
            Some((last, scan)) => {
                let (current, cut) = Current::reopen(&last, &scan)?;
                (current, scan.entries_total, cut)
            }
            None => (first_segment(&directory, realm, options)?, 0, None),
        };
        // The last run may have been killed between naming a segment and making that name durable.
        directory.sync().io("sync the directory", directory.path())?;
        marks.start_segment(current.first_index);
        marks.committed(entries_total);
        let mut log = Self {
            directory,
            realm,
            segment_bytes: options.segment_bytes,
            current,
            entries_total,
            reserve: None,
            reserve_fault: None,
            poison: None,
            cut,
            batch: Vec::new(),
            marks,
        };
        log.prepare();
        Ok(log)
    }

    /// Commits `entries` with `commit`, which is opaque here. On return they are durable.
    ///
    /// # Errors
    ///
    /// [`Invalid`](StoreError::Invalid), [`TooLarge`](StoreError::TooLarge) and [`ReserveLow`](StoreError::ReserveLow):
    /// nothing was written, and the log goes on. [`Poisoned`](StoreError::Poisoned): whether the batch is on disk is
    /// unknown; this log takes nothing more, and only opening it anew tells.
    pub fn append<E: AsRef<[u8]>>(&mut self, entries: &[E], commit: &[u8]) -> Result<(), StoreError> {
        if let Some(cause) = &self.poison {
            return Err(StoreError::Poisoned { cause: cause.clone() });
        }
        self.check_limits(entries, commit)?;
        let bytes = frame::batch_bytes(entries, commit) as u64;
        self.make_room(bytes)?;
        let entries_total = self.entries_total + entries.len() as u64;
        self.batch.clear();
        frame::encode_batch(&mut self.batch, entries, commit, self.current.end, entries_total);
        // A file that was unlinked or replaced still takes writes, and nobody would ever read them again.
        self.current.check_linked().or_else(|cause| self.poison(cause))?;
        let written = self.current.file.write_all_at(&self.batch, self.current.end);
        written.or_else(|error| self.poison(format!("cannot write `{}`: {error}", self.current.path.display())))?;
        // INVARIANT: a failed sync is final. The kernel may have dropped the pages, and a second sync would say all is well.
        let synced = self.current.file.sync_data();
        synced.or_else(|error| self.poison(format!("cannot sync `{}`: {error}", self.current.path.display())))?;
        self.marks.batch_at(self.current.first_index, self.entries_total, self.current.end);
        self.current.end += bytes;
        self.entries_total = entries_total;
        self.marks.committed(entries_total);
        self.prepare();
        Ok(())
    }

    /// Committed entries in the log.
    pub fn entries_total(&self) -> u64 {
        self.entries_total
    }

    /// What opening removed, if the last run ended in the middle of a batch.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// Why the next segment could not be made ahead of need, if so: time to refuse calls while there is still room to
    /// record that they were refused. Tried again with each batch.
    pub fn reserve_fault(&self) -> Option<&str> {
        self.reserve_fault.as_deref()
    }

    /// Tries once more to make the next segment, while no batch comes that would.
    pub fn retry_reserve(&mut self) {
        if self.poison.is_none() {
            self.prepare();
        }
    }

    /// The first failure, if the log takes nothing more.
    pub fn poisoned(&self) -> Option<&str> {
        self.poison.as_deref()
    }

    /// A handle for reading what is committed, from any thread, while this one goes on writing.
    pub fn reader(&self) -> LogReader {
        LogReader::beside(self.directory.path(), self.marks.clone())
    }

    fn check_limits<E: AsRef<[u8]>>(&self, entries: &[E], commit: &[u8]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Err(StoreError::Invalid("a batch holds at least one entry".to_owned()));
        }
        let longest = entries.iter().map(|entry| entry.as_ref().len()).max().unwrap_or_default();
        check_size("an entry", longest as u64, ENTRY_BYTES_MAX as u64)?;
        check_size("a commit", commit.len() as u64, COMMIT_BYTES_MAX as u64)?;
        let room = self.segment_bytes - HEADER_BYTES as u64;
        check_size("a batch", frame::batch_bytes(entries, commit) as u64, room)
    }

    /// Sees to it that the current segment takes `bytes` more: batches never span segments, so that each can be read,
    /// cut and verified alone.
    fn make_room(&mut self, bytes: u64) -> Result<(), StoreError> {
        let left = self.current.segment_bytes.saturating_sub(self.current.end + bytes);
        let fits = self.current.end + bytes <= self.current.segment_bytes;
        if fits && left >= self.current.segment_bytes / KEPT_PART {
            return Ok(());
        }
        let Some(reserve) = self.take_reserve() else {
            let cause = self.reserve_fault.clone().unwrap_or_default();
            return Err(StoreError::ReserveLow { cause });
        };
        if fits {
            self.reserve = Some(reserve);
            return Ok(());
        }
        let started = Current::start(&self.directory, reserve, self.realm, self.entries_total, self.segment_bytes);
        match started {
            Ok(current) => self.current = current,
            Err(error) => self.poison(format!("cannot start a log segment: {error}"))?,
        }
        self.marks.start_segment(self.entries_total);
        Ok(())
    }

    fn take_reserve(&mut self) -> Option<Reserve> {
        if self.reserve.is_none() {
            self.make_reserve();
        }
        self.reserve.take()
    }

    /// Makes the next segment once the current one is half full. A failure is kept for [`Self::reserve_fault`]: the batch
    /// just committed is durable all the same.
    fn prepare(&mut self) {
        if self.reserve.is_none() && self.current.end > self.current.segment_bytes / 2 {
            self.make_reserve();
        }
    }

    fn make_reserve(&mut self) {
        match Reserve::make(&self.directory, self.segment_bytes) {
            Ok(reserve) => (self.reserve, self.reserve_fault) = (Some(reserve), None),
            Err(error) => self.reserve_fault = Some(error.to_string()),
        }
    }

    fn poison<T>(&mut self, cause: String) -> Result<T, StoreError> {
        self.poison = Some(cause.clone());
        Err(StoreError::Poisoned { cause })
    }
}

fn check_size(what: &'static str, size: u64, limit: u64) -> Result<(), StoreError> {
    if size > limit { Err(StoreError::TooLarge { what, size, limit }) } else { Ok(()) }
}

fn first_segment(directory: &Directory, realm: Realm, options: Options) -> Result<Current, StoreError> {
    let known = options.known_entries.max(options.from_index);
    if known > 0 {
        return Err(StoreError::Missing { held: 0, known });
    }
    Reserve::make(directory, options.segment_bytes)
        .and_then(|reserve| Current::start(directory, reserve, realm, 0, options.segment_bytes))
        .io("start the log in", directory.path())
}

/// Reads the segments that `found` lists and delivers what is committed. Returns the last, and how it ends.
fn read_all(
    directory: &Directory,
    found: &[u64],
    realm: &Realm,
    options: Options,
    marks: &Marks,
    visit: &mut Visit<'_>,
) -> Result<Option<(Segment, Scan)>, StoreError> {
    // The first segment to read: the last that starts before `from_index`, so that the commit which closes exactly
    // `from_index` entries is in it and a snapshot can be compared with it.
    let skipped = found.partition_point(|first| *first < options.from_index).saturating_sub(1);
    let mut expected = 0;
    for (place, first_index) in found.iter().copied().enumerate() {
        let path = segment_path(directory.path(), first_index);
        if place == 0 && first_index != 0 || place > skipped && first_index != expected {
            let reason = format!("the segment starts with entry {first_index}; entry {expected} should be next");
            return Err(StoreError::damaged(&path, 0, reason));
        }
        marks.start_segment(first_index);
        if place < skipped {
            recover::read_header(&path, first_index)?;
            continue;
        }
        let segment = Segment::load(directory.path(), first_index, Some(realm))?;
        let scan = segment.scan(options.known_entries, &mut |batch: &Batch<'_>, offset, before| {
            marks.batch_at(first_index, before, offset);
            batch.deliver(before, options.from_index, u64::MAX, visit)
        })?;
        let last = place + 1 == found.len();
        match scan.ending {
            Ending::Damaged { at, reason } => return Err(StoreError::damaged(&path, at, reason)),
            Ending::Torn { at } if !last => {
                return Err(StoreError::damaged(&path, at, "the batch is damaged, and later segments exist"));
            }
            _ => {}
        }
        match segment.cut_short_at {
            Some(at) if !last => return Err(StoreError::damaged(&path, at, "the file is cut short")),
            _ => {}
        }
        expected = scan.entries_total;
        if last {
            let known = options.known_entries.max(options.from_index);
            let held = scan.entries_total;
            return if held < known { Err(StoreError::Missing { held, known }) } else { Ok(Some((segment, scan))) };
        }
    }
    Ok(None)
}
