//! Which program a process runs: its path, as far as that says anything, and the digest of its bytes.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use remit_domain::{Digest, Timestamp};

use crate::{limits, process};

/// A file as it was at some time. The time of its last change is the kernel's; nobody sets it, as they can that of the last
/// modification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Version {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A program that a process runs. None of it has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executable {
    version: Version,
    /// Where it is. Nothing if it is no longer there, or if another file is, as when the process sees other file systems than we.
    pub path: Option<String>,
}

impl Executable {
    /// The program of the process `pid`.
    ///
    /// # Errors
    ///
    /// If we may not look at it, as at a process of another user without privilege.
    pub fn of(pid: i32) -> io::Result<Self> {
        let link = process::path(pid, "exe");
        // Opened once: what is described is one file, whatever the process does meanwhile.
        let version = Version::of(&File::open(&link)?.metadata()?);
        let there = |path: &String| {
            fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (version.device, version.inode))
        };
        let path = fs::read_link(&link)?.into_os_string().into_string().ok().filter(there);
        Ok(Self { version, path })
    }
}

/// The digests of programs, each taken once.
#[derive(Debug, Default)]
pub(crate) struct Executables {
    digests: Mutex<HashMap<Version, Digest>>,
}

impl Executables {
    /// The digest of `executable`, which the process `pid` runs. Reads all of it, unless it is known. Nothing if it is larger than
    /// what is read.
    ///
    /// # Errors
    ///
    /// If the process runs another by now, if it cannot be read, or if that takes longer than `patience`.
    pub fn digest(
        &self,
        pid: i32,
        executable: &Executable,
        now: Timestamp,
        patience: Duration,
    ) -> io::Result<Option<Digest>> {
        let version = executable.version;
        if version.bytes > limits::EXECUTABLE_BYTES_MAX {
            return Ok(None);
        }
        if let Some(known) = self.digests().get(&version) {
            return Ok(Some(*known));
        }
        let file = File::open(process::path(pid, "exe"))?;
        let must_be_same = || match Version::of(&file.metadata()?) == version {
            true => Ok(()),
            false => Err(io::Error::other("the program changed while it was looked at")),
        };
        must_be_same()?;
        let digest = sha256(&file, Instant::now() + patience)?;
        // Only of what stayed the same while it was read.
        must_be_same()?;
        if version.changed.0.saturating_add(limits::EXECUTABLE_SETTLED_SECONDS) < now.as_seconds() {
            let mut digests = self.digests();
            if digests.len() >= limits::EXECUTABLES_KEPT_MAX {
                digests.clear();
            }
            digests.insert(version, digest);
        }
        Ok(Some(digest))
    }

    fn digests(&self) -> std::sync::MutexGuard<'_, HashMap<Version, Digest>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sha256(file: &File, until: Instant) -> io::Result<Digest> {
    let mut bytes = file.take(limits::EXECUTABLE_BYTES_MAX);
    let mut context = Context::new(&SHA256);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = bytes.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        if Instant::now() >= until {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "reading the program takes too long"));
        }
        context.update(chunk.get(..count).unwrap_or_default());
    }
    let digest: [u8; 32] =
        context.finish().as_ref().try_into().map_err(|_| io::Error::other("a digest of another length"))?;
    Ok(Digest::from_bytes(digest))
}
