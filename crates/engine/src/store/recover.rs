//! Reading segments back: what was committed, and whether what follows is a torn batch or damage.
//!
//! A batch is written in one go and the next only after it was synced. So after a crash at most one batch is torn, the
//! last, in any of its bytes; whatever shows that a later batch was ever begun proves that the damaged one had been
//! durable, and then it is damage and not tearing.

use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::error::{StoreError, While};
use super::frame::{self, FrameAt, HEADER_BYTES, Header, Realm};
use super::segment::{SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};

/// What reading the log delivers, in the order of the log. The commit of a batch follows its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered<'a> {
    /// One committed entry.
    Entry {
        /// Its place in the log, from 0.
        index: u64,
        /// The bytes that were appended.
        entry: &'a [u8],
    },
    /// The commit of the entries before it.
    Commit {
        /// Entries in the log up to here.
        entries_total: u64,
        /// The bytes that were given with the batch.
        bytes: &'a [u8],
    },
}

/// Whoever reads; breaking ends the reading.
pub(super) type Visit<'v> = dyn FnMut(Recovered<'_>) -> ControlFlow<()> + 'v;

const SUFFIX: &str = ".seg";
const INDEX_DIGITS: usize = 20;

/// Where the segment that starts with entry `first_index` stands.
pub(super) fn segment_path(directory: &Path, first_index: u64) -> PathBuf {
    directory.join(format!("{first_index:0INDEX_DIGITS$}{SUFFIX}"))
}

/// The first indexes of all segments, ascending.
pub(super) fn list(directory: &Path) -> Result<Vec<u64>, StoreError> {
    let mut found = Vec::new();
    for file in fs::read_dir(directory).io("list", directory)? {
        let file = file.io("list", directory)?.file_name();
        let Some(digits) = file.to_str().and_then(|name| name.strip_suffix(SUFFIX)) else { continue };
        let plain = digits.len() == INDEX_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        let index = plain.then(|| digits.parse().ok()).flatten();
        found.push(index.ok_or_else(|| StoreError::damaged(&directory.join(&file), 0, "no segment has such a name"))?);
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads the header of the segment at `path`, which must start with entry `first_index`.
pub(super) fn read_header(path: &Path, first_index: u64) -> Result<Header, StoreError> {
    let mut start = Vec::with_capacity(HEADER_BYTES);
    File::open(path).and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut start)).io("read", path)?;
    let header = Header::decode(&start).map_err(|reason| StoreError::damaged(path, 0, reason))?;
    if header.first_index != first_index {
        return Err(StoreError::damaged(path, 0, "the segment's header and its name differ"));
    }
    if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&header.segment_bytes) {
        return Err(StoreError::damaged(path, 0, "the segment states a length that none may have"));
    }
    Ok(header)
}

/// A segment in memory, with zeros where the file is shorter than it was made.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) header: Header,
    pub(super) bytes: Vec<u8>,
    /// Where the file ends, if that is before its stated length.
    pub(super) cut_short_at: Option<u64>,
}

impl Segment {
    pub(super) fn load(directory: &Path, first_index: u64, realm: Option<&Realm>) -> Result<Self, StoreError> {
        let path = segment_path(directory, first_index);
        let header = read_header(&path, first_index)?;
        if let Some(realm) = realm.filter(|realm| **realm != header.realm) {
            return Err(StoreError::WrongRealm { file: path, expected: realm.name(), found: header.realm.name() });
        }
        let mut bytes = Vec::new();
        // One byte more than stated, so that a longer file is noticed and a huge one is not read.
        File::open(&path)
            .and_then(|file| file.take(header.segment_bytes + 1).read_to_end(&mut bytes))
            .io("read", &path)?;
        let held = bytes.len() as u64;
        if held > header.segment_bytes {
            return Err(StoreError::damaged(
                &path,
                header.segment_bytes,
                "the file is longer than the segment was made",
            ));
        }
        bytes.resize(usize::try_from(header.segment_bytes).unwrap_or(usize::MAX), 0);
        let cut_short_at = (held < header.segment_bytes).then_some(held);
        Ok(Self { path, header, bytes, cut_short_at })
    }

    /// Reads all committed batches and says how the segment ends. `known_entries` are known to have been committed.
    pub(super) fn scan(&self, known_entries: u64, visit: &mut BatchVisit<'_>) -> Result<Scan, StoreError> {
        let mut end = HEADER_BYTES;
        let mut entries_total = self.header.first_index;
        loop {
            let step = batch_at(&self.bytes, end, 0, entries_total);
            let BatchAt::Batch(batch) = step else {
                let ending = self.ending(end, &step, known_entries);
                return Ok(Scan { end: end as u64, entries_total, ending });
            };
            if visit(&batch, end as u64, entries_total).is_break() {
                return Err(StoreError::Stopped);
            }
            (end, entries_total) = (batch.next, batch.entries_total);
        }
    }

    /// What it means that no batch follows at `end`.
    fn ending(&self, end: usize, step: &BatchAt<'_>, known_entries: u64) -> Ending {
        let tail = self.bytes.get(end..).unwrap_or_default();
        let (bad_at, reason) = match step {
            BatchAt::Foreign { at, reason } => return Ending::Damaged { at: *at as u64, reason },
            BatchAt::Bad { at, reason } => (*at, *reason),
            BatchAt::End | BatchAt::Batch(_) => match tail.iter().position(|byte| *byte != 0) {
                None => return Ending::Clean,
                Some(first) => (end + first, "bytes follow the last commit"),
            },
        };
        let damaged = Ending::Damaged { at: bad_at as u64, reason };
        match frame::find_commit(&self.bytes, bad_at) {
            None => Ending::Torn { at: bad_at as u64 },
            // Its own commit reached the disk before other parts of it did, or it was complete and has rotted since.
            // Nothing was begun after it, so only what is known from elsewhere tells.
            Some((_, own)) if own.batch_offset == end as u64 && own.entries_total > known_entries => {
                let begun_after = !matches!(frame::frame_at(&self.bytes, own.next), FrameAt::End | FrameAt::Bad(_));
                let committed_after = frame::find_commit(&self.bytes, own.next).is_some();
                if begun_after || committed_after { damaged } else { Ending::Torn { at: bad_at as u64 } }
            }
            Some(_) => damaged,
        }
    }
}

/// Takes each committed batch, the byte at which it starts, and the entries in the log before it.
pub(super) type BatchVisit<'v> = dyn FnMut(&Batch<'_>, u64, u64) -> ControlFlow<()> + 'v;

/// Where a segment's committed batches end, and how.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) end: u64,
    pub(super) entries_total: u64,
    pub(super) ending: Ending,
}

#[derive(Debug)]
pub(super) enum Ending {
    /// Only zeros follow.
    Clean,
    /// A batch that was never acknowledged follows.
    Torn { at: u64 },
    /// Something that was acknowledged is not there any more.
    Damaged { at: u64, reason: &'static str },
}

/// One committed batch.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub(super) entries: Vec<&'a [u8]>,
    pub(super) entries_total: u64,
    pub(super) commit: &'a [u8],
    pub(super) next: usize,
}

impl Batch<'_> {
    /// Delivers the entries `from..to` of this batch, which starts with entry `first_index`, and its commit if that
    /// closes no fewer than `from` entries and no more than `to`.
    pub(super) fn deliver(&self, first_index: u64, from: u64, to: u64, visit: &mut Visit<'_>) -> ControlFlow<()> {
        for (index, entry) in (first_index..).zip(&self.entries) {
            if (from..to).contains(&index) {
                visit(Recovered::Entry { index, entry })?;
            }
        }
        if (from..=to).contains(&self.entries_total) {
            visit(Recovered::Commit { entries_total: self.entries_total, bytes: self.commit })?;
        }
        ControlFlow::Continue(())
    }
}

/// What stands where a batch may start.
#[derive(Debug)]
pub(super) enum BatchAt<'a> {
    Batch(Batch<'a>),
    /// Nothing was written here.
    End,
    /// No complete batch: torn, damaged, or not all of it is in view.
    Bad {
        at: usize,
        reason: &'static str,
    },
    /// An intact frame that does not belong here, which no crash brings about.
    Foreign {
        at: usize,
        reason: &'static str,
    },
}

/// Reads the batch at `start` of `bytes`, which are a part of a segment from its byte `base` on.
pub(super) fn batch_at(bytes: &[u8], start: usize, base: u64, entries_before: u64) -> BatchAt<'_> {
    let mut entries = Vec::new();
    let mut at = start;
    loop {
        match frame::frame_at(bytes, at) {
            FrameAt::Entry { bytes, next } => {
                entries.push(bytes);
                at = next;
            }
            FrameAt::Commit(commit) => {
                let entries_total = entries_before.checked_add(entries.len() as u64);
                if entries.is_empty()
                    || entries_total != Some(commit.entries_total)
                    || commit.batch_offset != base + start as u64
                {
                    return BatchAt::Foreign { at, reason: "the commit belongs to another batch" };
                }
                let (entries_total, next) = (commit.entries_total, commit.next);
                return BatchAt::Batch(Batch { entries, entries_total, commit: commit.bytes, next });
            }
            FrameAt::End if at == start => return BatchAt::End,
            FrameAt::End => return BatchAt::Bad { at, reason: "a batch ends without its commit" },
            FrameAt::Bad(reason) => return BatchAt::Bad { at, reason },
        }
    }
}
