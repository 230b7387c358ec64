//! Prompts, arguments and results, sealed by the caller, and the wrapped keys that open them: what can be erased.
//!
//! The log holds only salted commitments to what stands here. Erasing a subject's key erases its content, also from every
//! backup of this file made under that key's wrapping, and every proof still stands.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{StoreError, WhileSql};
use super::sqlite::{self, signed};

#[cfg(test)]
mod tests;

/// The largest sealed payload, in bytes.
pub const SEALED_BYTES_MAX: usize = 64 << 20;
/// The longest id, subject, kind or name, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// The largest wrapped key, in bytes.
pub const WRAPPED_BYTES_MAX: usize = 1_024;

const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/sqlite/content/0001_content.sql"),
    include_str!("../../../../migrations/sqlite/content/0002_content_by_subject.sql"),
];

/// One sealed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRow {
    /// The payload's own id.
    pub id: String,
    /// Whose key it is sealed under; all that is erased together.
    pub subject: String,
    /// The record that holds its commitment.
    pub seq: u64,
    /// What it is: a prompt, arguments, a result.
    pub kind: String,
    /// The ciphertext.
    pub sealed: Vec<u8>,
    /// How many bytes it has unsealed.
    pub size_bytes: u64,
    /// When it was stored, in the caller's count.
    pub created_at: i64,
}

/// What [`ContentStore::erase_subject`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Whether there was a key.
    pub key: bool,
    /// How many payloads were removed.
    pub rows: u64,
    /// Whether the write-ahead log was emptied as well. If not, a reader was in the way: call [`ContentStore::settle`]
    /// until it says so.
    pub settled: bool,
}

/// The one writer of the content database.
#[derive(Debug)]
pub struct ContentStore {
    path: PathBuf,
    connection: Connection,
}

impl ContentStore {
    /// Opens the database at `path`, made if it is not there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { path: path.to_owned(), connection: sqlite::open(path, MIGRATIONS)? })
    }

    /// A connection of its own for reading, for another thread.
    pub fn reader(&self) -> Result<ContentReader, StoreError> {
        Ok(ContentReader { connection: sqlite::open_reader(&self.path)? })
    }

    /// Stores all of `rows`, or none. A row whose id its subject has already is left as it was, so storing again is harmless.
    pub fn put_batch(&mut self, rows: &[ContentRow]) -> Result<(), StoreError> {
        let doing = "store content";
        for row in rows {
            check_names(&[&row.id, &row.subject, &row.kind])?;
            check("a sealed payload", row.sealed.len(), SEALED_BYTES_MAX)?;
        }
        let change = self.connection.transaction().sql(doing)?;
        {
            let mut put = change
                .prepare_cached(
                    "INSERT INTO content (id, subject, seq, kind, sealed, size, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (subject, id) DO NOTHING",
                )
                .sql(doing)?;
            for row in rows {
                let (seq, size) = (signed(row.seq)?, signed(row.size_bytes)?);
                put.execute(params![row.id, row.subject, seq, row.kind, row.sealed, size, row.created_at])
                    .sql(doing)?;
            }
        }
        change.commit().sql(doing)
    }

    /// Stores `subject`'s wrapped key, unless there is one, and gives the one that now stands: of two that were made at
    /// the same time only one is used.
    pub fn put_key(&mut self, subject: &str, wrapped: &[u8], created_at: i64) -> Result<Vec<u8>, StoreError> {
        check_names(&[subject])?;
        check("a wrapped key", wrapped.len(), WRAPPED_BYTES_MAX)?;
        self.connection
            .query_row(
                "INSERT INTO keys (subject, wrapped, created_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (subject) DO UPDATE SET subject = subject RETURNING wrapped",
                params![subject, wrapped, created_at],
                |row| row.get(0),
            )
            .sql("store a key")
    }

    /// `subject`'s wrapped key, if it ever had one; empty once it was erased.
    pub fn key(&self, subject: &str) -> Result<Option<Vec<u8>>, StoreError> {
        key(&self.connection, subject)
    }

    /// The payload of `subject` called `id`, if it was not erased.
    pub fn fetch(&self, subject: &str, id: &str) -> Result<Option<ContentRow>, StoreError> {
        fetch(&self.connection, subject, id)
    }

    /// Removes `subject`'s key and every payload under it. The bytes are overwritten in the database and the write-ahead
    /// log is emptied, so that neither file holds them any longer. An empty key stays in the place of the key: whoever comes
    /// late must not make a new one.
    pub fn erase_subject(&mut self, subject: &str) -> Result<Erased, StoreError> {
        let doing = "erase content";
        let change = self.connection.transaction().sql(doing)?;
        let key = change.execute("DELETE FROM keys WHERE subject = ?1 AND wrapped != x''", [subject]).sql(doing)? > 0;
        change
            .execute("INSERT OR IGNORE INTO keys (subject, wrapped, created_at) VALUES (?1, x'', 0)", [subject])
            .sql(doing)?;
        let rows = change.execute("DELETE FROM content WHERE subject = ?1", [subject]).sql(doing)? as u64;
        change.commit().sql(doing)?;
        Ok(Erased { key, rows, settled: self.settle()? })
    }

    /// Empties the write-ahead log. False if a reader was in the way for longer than a statement waits.
    pub fn settle(&mut self) -> Result<bool, StoreError> {
        let busy: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .sql("empty the write-ahead log")?;
        Ok(busy == 0)
    }

    /// Says that the effect called `name` has been carried out up to the record `seq`. It never goes back.
    pub fn set_cursor(&mut self, name: &str, seq: u64) -> Result<(), StoreError> {
        check_names(&[name])?;
        self.connection
            .execute(
                "INSERT INTO outbox_cursor (name, seq) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET seq = max(seq, excluded.seq)",
                params![name, signed(seq)?],
            )
            .sql("move an outbox cursor")?;
        Ok(())
    }

    /// How far the effect called `name` has been carried out, if it ever was.
    pub fn cursor(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.connection
            .query_row("SELECT seq FROM outbox_cursor WHERE name = ?1", [name], |row| row.get::<_, i64>(0))
            .optional()
            .sql("read an outbox cursor")
            .map(|seq| seq.map(i64::unsigned_abs))
    }
}

/// Reads content beside the writer.
#[derive(Debug)]
pub struct ContentReader {
    connection: Connection,
}

impl ContentReader {
    /// `subject`'s wrapped key, if it was not erased.
    pub fn key(&self, subject: &str) -> Result<Option<Vec<u8>>, StoreError> {
        key(&self.connection, subject)
    }

    /// The payload of `subject` called `id`, if it was not erased.
    pub fn fetch(&self, subject: &str, id: &str) -> Result<Option<ContentRow>, StoreError> {
        fetch(&self.connection, subject, id)
    }
}

fn key(connection: &Connection, subject: &str) -> Result<Option<Vec<u8>>, StoreError> {
    connection
        .prepare_cached("SELECT wrapped FROM keys WHERE subject = ?1")
        .and_then(|mut statement| statement.query_row([subject], |row| row.get(0)).optional())
        .sql("read a key")
}

fn fetch(connection: &Connection, subject: &str, id: &str) -> Result<Option<ContentRow>, StoreError> {
    let row = |row: &rusqlite::Row<'_>| {
        Ok(ContentRow {
            id: row.get(0)?,
            subject: row.get(1)?,
            seq: row.get::<_, i64>(2)?.unsigned_abs(),
            kind: row.get(3)?,
            sealed: row.get(4)?,
            size_bytes: row.get::<_, i64>(5)?.unsigned_abs(),
            created_at: row.get(6)?,
        })
    };
    connection
        .prepare_cached(
            "SELECT id, subject, seq, kind, sealed, size, created_at FROM content WHERE subject = ?1 AND id = ?2",
        )
        .and_then(|mut statement| statement.query_row([subject, id], row).optional())
        .sql("read content")
}

fn check_names(names: &[&str]) -> Result<(), StoreError> {
    names.iter().try_for_each(|name| check("a name in the content store", name.len(), NAME_BYTES_MAX))
}

fn check(what: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size > limit { Err(StoreError::TooLarge { what, size: size as u64, limit: limit as u64 }) } else { Ok(()) }
}
