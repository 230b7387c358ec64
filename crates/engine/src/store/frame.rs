//! The bytes of a segment file: a header, then frames, then zeros up to the segment's length.
//!
//! ```text
//! header, 64 bytes   "REMITSEG" | version u32 | realm, 32 ASCII bytes, zero padded | first index u64
//!                    | segment length u64 | crc32c u32 of the 60 bytes before
//! frame              length u32, of kind and bytes | crc32c u32 of length, kind and bytes | kind u8 | bytes
//!   kind 1, entry    the caller's bytes
//!   kind 2, commit   entries in the log after this batch u64 | where in this file the batch starts u64 | the caller's bytes
//! ```
//!
//! All numbers are little-endian. A length of zero ends the frames. The checksum finds torn and rotten bytes; that nobody
//! rewrote them on purpose is proved by the signed checkpoints which the commits carry.

use super::error::StoreError;

#[cfg(test)]
mod tests;

/// The largest entry, in bytes: what an entry bundle of C2SP `tlog-tiles` can hold with its 16-bit length.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// The largest commit, in bytes: a signed checkpoint with many cosignatures is far below.
pub const COMMIT_BYTES_MAX: usize = 65_536;

pub(super) const HEADER_BYTES: usize = 64;
const MAGIC: &[u8; 8] = b"REMITSEG";
const VERSION: u32 = 1;
const REALM_BYTES: usize = 32;

/// Length, checksum and kind.
const FRAME_HEAD_BYTES: usize = 9;
const LENGTH_BYTES: usize = 4;
const KIND_AT: usize = 8;
/// Entries in the log and where the batch starts.
const COMMIT_HEAD_BYTES: usize = 16;
/// The largest length that a frame may state: kind, commit head, commit.
const FRAME_LENGTH_MAX: usize = 1 + COMMIT_HEAD_BYTES + COMMIT_BYTES_MAX;

const ENTRY: u8 = 1;
const COMMIT: u8 = 2;

/// The name of a realm as a segment carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Realm([u8; REALM_BYTES]);

impl Realm {
    pub(super) fn new(name: &str) -> Result<Self, StoreError> {
        let mut bytes = [0; REALM_BYTES];
        let fits = bytes.get_mut(..name.len()).map(|start| start.copy_from_slice(name.as_bytes()));
        if fits.is_none() || name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(StoreError::Invalid(format!(
                "`{name}` cannot name a realm on disk: it takes 1 to {REALM_BYTES} visible ASCII characters"
            )));
        }
        Ok(Self(bytes))
    }

    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.0).trim_end_matches('\0').to_owned()
    }
}

/// The first 64 bytes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) realm: Realm,
    pub(super) first_index: u64,
    /// The length of the whole file, so that a shortened one is noticed even where only zeros are missing.
    pub(super) segment_bytes: u64,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.realm.0);
        bytes.extend_from_slice(&self.first_index.to_le_bytes());
        bytes.extend_from_slice(&self.segment_bytes.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let header = bytes.get(..HEADER_BYTES).ok_or("the file is shorter than a segment header")?;
        let (covered, checksum) = header.split_at(HEADER_BYTES - 4);
        if covered.get(..8) != Some(MAGIC.as_slice()) {
            return Err("this is not a segment of a remit log");
        }
        if u32_at(checksum, 0) != Some(crc32c::crc32c(covered)) {
            return Err("the segment header does not match its checksum");
        }
        if u32_at(covered, 8) != Some(VERSION) {
            return Err("the segment was written in a format that this version of remit does not know");
        }
        let realm = array_at(covered, 12).map(Realm);
        match (realm, u64_at(covered, 44), u64_at(covered, 52)) {
            (Some(realm), Some(first_index), Some(segment_bytes)) => Ok(Self { realm, first_index, segment_bytes }),
            _ => Err("the segment header is cut short"),
        }
    }
}

/// Appends the frames of one batch to `out`, which starts at byte `batch_offset` of its segment.
pub(super) fn encode_batch<E: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    entries: &[E],
    commit: &[u8],
    batch_offset: u64,
    entries_total: u64,
) {
    for entry in entries {
        push_frame(out, ENTRY, &[entry.as_ref()]);
    }
    push_frame(out, COMMIT, &[&entries_total.to_le_bytes(), &batch_offset.to_le_bytes(), commit]);
}

/// How many bytes [`encode_batch`] makes of these.
pub(super) fn batch_bytes<E: AsRef<[u8]>>(entries: &[E], commit: &[u8]) -> usize {
    let entries: usize = entries.iter().map(|entry| FRAME_HEAD_BYTES + entry.as_ref().len()).sum();
    entries + FRAME_HEAD_BYTES + COMMIT_HEAD_BYTES + commit.len()
}

fn push_frame(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    // Callers have checked the limits, so the length fits; it saturates rather than wraps if they ever have not.
    let length = u32::try_from(1 + parts.iter().map(|part| part.len()).sum::<usize>()).unwrap_or(u32::MAX);
    let checksum =
        parts.iter().fold(head_checksum(length, kind), |checksum, part| crc32c::crc32c_append(checksum, part));
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum.to_le_bytes());
    out.push(kind);
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn head_checksum(length: u32, kind: u8) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_le_bytes()), &[kind])
}

/// What stands at one place among the frames.
#[derive(Debug)]
pub(super) enum FrameAt<'a> {
    /// An entry, and where the next frame starts.
    Entry { bytes: &'a [u8], next: usize },
    /// The end of a batch.
    Commit(CommitFrame<'a>),
    /// Zeros: nothing was written here.
    End,
    /// Bytes that are no frame.
    Bad(&'static str),
}

/// The last frame of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CommitFrame<'a> {
    /// Entries in the log including this batch.
    pub(super) entries_total: u64,
    /// The byte of the segment at which this batch starts: tells a torn batch from damage before a later one.
    pub(super) batch_offset: u64,
    pub(super) bytes: &'a [u8],
    pub(super) next: usize,
}

/// Reads the frame that starts at `at`. Never reads past `segment`, whatever the length there says.
pub(super) fn frame_at(segment: &[u8], at: usize) -> FrameAt<'_> {
    let rest = segment.get(at..).unwrap_or_default();
    let (Some(length), Some(checksum)) = (u32_at(rest, 0), u32_at(rest, LENGTH_BYTES)) else {
        // No frame fits into fewer bytes than its head.
        return if rest.iter().all(|byte| *byte == 0) { FrameAt::End } else { FrameAt::Bad("the frame is cut short") };
    };
    if length == 0 {
        return FrameAt::End;
    }
    let Ok(body_bytes) = usize::try_from(length) else { return FrameAt::Bad("the frame is too long") };
    if body_bytes > FRAME_LENGTH_MAX {
        return FrameAt::Bad("the frame is longer than any frame may be");
    }
    let Some((kind, bytes)) = rest.get(KIND_AT..KIND_AT + body_bytes).and_then(<[u8]>::split_first) else {
        return FrameAt::Bad("the frame is cut short");
    };
    if crc32c::crc32c_append(head_checksum(length, *kind), bytes) != checksum {
        return FrameAt::Bad("the frame does not match its checksum");
    }
    let next = at + KIND_AT + body_bytes;
    match *kind {
        ENTRY => FrameAt::Entry { bytes, next },
        COMMIT => match (u64_at(bytes, 0), u64_at(bytes, 8), bytes.get(COMMIT_HEAD_BYTES..)) {
            (Some(entries_total), Some(batch_offset), Some(bytes)) => {
                FrameAt::Commit(CommitFrame { entries_total, batch_offset, bytes, next })
            }
            _ => FrameAt::Bad("the commit frame is cut short"),
        },
        _ => FrameAt::Bad("the frame is of an unknown kind"),
    }
}

/// The first intact commit frame at or after `from`, looked for at every byte, and where it starts.
///
/// Only called where frames no longer follow each other. Entries are JSON, which holds no zero byte, while the length of
/// every frame does: an entry's own bytes cannot pass for a commit.
pub(super) fn find_commit(segment: &[u8], from: usize) -> Option<(usize, CommitFrame<'_>)> {
    let tail = segment.get(from..)?;
    tail.iter().enumerate().skip(KIND_AT).filter(|(_, byte)| **byte == COMMIT).find_map(|(kind_at, _)| {
        let at = from + kind_at - KIND_AT;
        match frame_at(segment, at) {
            FrameAt::Commit(commit) => Some((at, commit)),
            _ => None,
        }
    })
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}
