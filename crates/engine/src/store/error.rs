//! What can go wrong on disk, in sentences for the operator.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of storage. None of these is a decision about a call; each means that the directory needs attention.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused something outside the commit path.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A write or a sync of the log failed once. What the disk now holds is unknown, so nothing is tried again.
    #[error("the log refuses everything since it could not be written: {cause}")]
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// The disk has no room for the next segment and the current one is nearly full.
    #[error("the disk has no room for the next log segment: {cause}")]
    ReserveLow {
        /// Why the next segment could not be made.
        cause: String,
    },
    /// Bytes that were acknowledged are not what was written.
    #[error("the log is damaged: `{file}` at byte {offset}: {reason}")]
    Damaged {
        /// The segment file.
        file: PathBuf,
        /// Where in that file.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// Bytes follow the last commit: a batch that was never acknowledged, or one that is being written right now.
    #[error("the log `{file}` ends at byte {offset} in a batch that was never committed")]
    Unfinished {
        /// The last segment file.
        file: PathBuf,
        /// The first byte that does not belong to a committed batch.
        offset: u64,
    },
    /// The log is shorter than what is known, from a snapshot or an anchor, to have been committed.
    #[error("the log holds {held} entries, yet {known} are known to have been committed")]
    Missing {
        /// Entries in the log.
        held: u64,
        /// Entries known to have been committed.
        known: u64,
    },
    /// The directory belongs to another realm.
    #[error("`{file}` belongs to realm `{found}`, not to `{expected}`")]
    WrongRealm {
        /// The segment file.
        file: PathBuf,
        /// The realm that was asked for.
        expected: String,
        /// The realm written in the file.
        found: String,
    },
    /// Another process holds the directory.
    #[error("another remit is using `{directory}`{}", owner(*.pid))]
    InUse {
        /// The data directory.
        directory: PathBuf,
        /// The process that holds it, if it wrote its id.
        pid: Option<u32>,
    },
    /// Something exceeds its named limit. Nothing was written.
    #[error("{what} has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// An argument that no caller should give. Nothing was written.
    #[error("{0}")]
    Invalid(String),
    /// Whoever was reading the log while it was opened asked to stop, so it was not opened. Nothing was changed.
    #[error("reading the log stopped before its end")]
    Stopped,
    /// A database was written by a newer version of Remit.
    #[error("`{database}` has schema version {found}; this version of remit knows up to {known}")]
    Newer {
        /// The database file.
        database: PathBuf,
        /// The version found.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// SQLite failed.
    #[error("cannot {doing}: {source}")]
    Sqlite {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// What the operator does next, where there is something to do.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Poisoned { .. } => "check the disk, then start remit again: it reads back what was committed",
            Self::ReserveLow { .. } => "free space on the volume of the data directory; calls resume by themselves",
            Self::Damaged { .. } => "keep this directory as evidence and restore a backup, or another node's copy",
            Self::Unfinished { .. } => "expected after a crash and cut at the next start; otherwise treat it as damage",
            Self::Missing { .. } => "this looks like an old copy of the directory; restore the newest one",
            Self::WrongRealm { .. } => "check the data directory in the configuration",
            Self::InUse { .. } => "stop the other one, or give this one a data directory of its own",
            Self::Newer { .. } => "start the version of remit that wrote it, or a later one",
            Self::Io { .. } | Self::TooLarge { .. } | Self::Invalid(_) | Self::Stopped | Self::Sqlite { .. } => {
                return None;
            }
        })
    }

    pub(super) fn damaged(file: &Path, offset: u64, reason: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), offset, reason: reason.into() }
    }
}

fn owner(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

/// Says what was being done, and to what, when the operating system or SQLite refuses.
pub(super) trait While<T> {
    fn io(self, doing: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> While<T> for io::Result<T> {
    fn io(self, doing: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { doing, path: path.to_owned(), source })
    }
}

/// The same for SQLite.
pub(super) trait WhileSql<T> {
    fn sql(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> WhileSql<T> for rusqlite::Result<T> {
    fn sql(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { doing, source })
    }
}
