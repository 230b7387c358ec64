//! Small file operations that everything here shares.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::{StoreError, While};

/// Only the account that runs Remit reads its files.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// A directory whose names can be made durable.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    handle: File,
}

impl Directory {
    /// Opens the directory at `path`, made with its parents if it is not there yet.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path).io("make the directory", path)?;
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                File::open(parent).and_then(|parent| parent.sync_all()).io("sync the directory", parent)?;
            }
        }
        let handle = File::open(path).io("open the directory", path)?;
        Ok(Self { path: path.to_owned(), handle })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes names that were created, renamed or removed here survive a power failure.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

/// Options for a file that only this account reads, created if it is missing and never truncated by opening.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
    options
}

/// Whether a replacement waits until it would survive a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durable {
    /// Synced, file and name, before returning.
    Yes,
    /// Left to the operating system: after a power failure the old bytes, the new ones or none may be there.
    No,
}

/// Puts `bytes` at `path` so that a reader sees either all the old bytes or all the new ones, never a mixture.
///
/// The temporary file stands beside it as `.NAME.tmp`; one left by a crash is overwritten by the next replacement.
pub(super) fn replace(path: &Path, bytes: &[u8], durable: Durable) -> Result<(), StoreError> {
    let temporary = temporary_beside(path)?;
    let mut file = private().truncate(true).open(&temporary).io("write", &temporary)?;
    file.write_all(bytes).io("write", &temporary)?;
    if durable == Durable::Yes {
        file.sync_all().io("sync", &temporary)?;
    }
    fs::rename(&temporary, path).io("replace", path)?;
    if durable == Durable::Yes {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|parent| parent.sync_all()).io("sync the directory", parent)?;
    }
    Ok(())
}

fn temporary_beside(path: &Path) -> Result<PathBuf, StoreError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| StoreError::Invalid(format!("`{}` does not name a file", path.display())))?;
    Ok(path.with_file_name(format!(".{name}.tmp")))
}

/// The bytes of the file at `path`, or nothing if it is not there.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(StoreError::Io { doing: "read", path: path.to_owned(), source }),
    }
}

/// Removes the file at `path`; that it is gone already is fine.
pub(super) fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).io("remove", path),
        _ => Ok(()),
    }
}
