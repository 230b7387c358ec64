//! The next segment, made ahead of need: while it exists, a full disk cannot stop the log in the middle of a segment.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::files::{self, Directory};
use super::frame::Header;

/// The reserve's name until it becomes a segment.
const NAME: &str = "reserve";
/// How much is written at a time where the file system cannot allocate without writing.
const ZEROS_BYTES: usize = 1 << 20;

/// A file of a segment's full length, its blocks allocated, holding only zeros, durable with its name.
#[derive(Debug)]
pub(super) struct Reserve {
    file: File,
}

impl Reserve {
    /// Makes the reserve, or takes over the one that an earlier run left. On failure nothing stays on the disk.
    pub(super) fn make(directory: &Directory, segment_bytes: u64) -> io::Result<Self> {
        let path = directory.path().join(NAME);
        let made = allocated(&path, segment_bytes).and_then(|file| directory.sync().map(|()| file));
        if made.is_err() {
            // A part of a reserve reserves nothing and takes room; that it cannot be removed is the lesser trouble.
            let _ = fs::remove_file(&path);
        }
        Ok(Self { file: made? })
    }

    /// Turns the reserve into the segment at `path`: header first, then the name, each durable before the next, so that
    /// a file which is called a segment always starts with a good header.
    pub(super) fn become_segment(self, directory: &Directory, path: &Path, header: &Header) -> io::Result<File> {
        self.file.write_all_at(&header.encode(), 0)?;
        self.file.sync_all()?;
        fs::rename(directory.path().join(NAME), path)?;
        directory.sync()?;
        Ok(self.file)
    }
}

fn allocated(path: &Path, segment_bytes: u64) -> io::Result<File> {
    let file = files::private().open(path)?;
    let length = file.metadata()?.len();
    // A crash may have left a header in it, and a changed setting another length: both start afresh.
    if length != 0 && (length != segment_bytes || fs::read(path)?.iter().any(|byte| *byte != 0)) {
        file.set_len(0)?;
    }
    extend(&file, segment_bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// Gives `file` a length of `length_bytes` with all its blocks allocated; what it holds already stays.
pub(super) fn extend(file: &File, length_bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, length_bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_zeros(file, file.metadata()?.len(), length_bytes),
        other => Ok(other?),
    }
}

/// Writes zeros over the bytes `from..to` of `file`.
pub(super) fn write_zeros(file: &File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS_BYTES];
    let mut at = from;
    while at < to {
        let step = zeros.len().min(usize::try_from(to - at).unwrap_or(ZEROS_BYTES));
        file.write_all_at(zeros.get(..step).unwrap_or_default(), at)?;
        at += step as u64;
    }
    Ok(())
}
