//! Search over records. Rebuildable: whatever is wrong with it, the log is read again.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, params};

use super::error::{StoreError, WhileSql};
use super::files;
use super::sqlite::{self, signed};

mod activity;
mod artefacts;
mod search;
#[cfg(test)]
mod tests;
mod uses;

use activity::Counted;
pub use activity::{Calls, STEP_MILLISECONDS, STEPS_MAX};
pub use artefacts::ARTEFACTS_MAX;
use search::query;
use uses::Tally;
pub use uses::UseRow;

/// The most records that one query gives.
pub const QUERY_ROWS_MAX: usize = 1_000;
/// The longest text that is searched for, in bytes.
pub const QUERY_TEXT_BYTES_MAX: usize = 256;
/// The most words that are searched for at once.
pub const QUERY_WORDS_MAX: usize = 16;
/// The longest text of a record that is indexed, in bytes; what follows is not searched.
pub const TEXT_BYTES_MAX: usize = 16_384;

const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/sqlite/index/0001_records.sql"),
    include_str!("../../../../migrations/sqlite/index/0002_fewer_indexes.sql"),
    include_str!("../../../../migrations/sqlite/index/0003_artefacts.sql"),
    include_str!("../../../../migrations/sqlite/index/0004_uses.sql"),
    include_str!("../../../../migrations/sqlite/index/0005_activity.sql"),
    include_str!("../../../../migrations/sqlite/index/0006_rare_kinds.sql"),
];

/// What is searchable about one record. Times are in the caller's count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexRow {
    pub seq: u64,
    pub at: i64,
    pub kind: String,
    pub agent: Option<String>,
    pub task: Option<String>,
    pub person: Option<String>,
    pub operation: Option<String>,
    pub action: Option<String>,
    pub approval: Option<String>,
    pub outcome: Option<String>,
    /// What a person would look for in words.
    pub text: String,
    /// What is under change control and is changed by it, such as `policy:refunds`.
    pub artefacts: Vec<String>,
    /// The grant under which an action was allowed.
    pub grant: Option<String>,
}

/// Which records to find: those that have every part given here. Default: none, since `limit` is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub kind: Option<String>,
    /// Records of any of these kinds; of any kind if none is named.
    pub kinds: Vec<String>,
    pub agent: Option<String>,
    pub task: Option<String>,
    pub person: Option<String>,
    pub operation: Option<String>,
    pub action: Option<String>,
    pub approval: Option<String>,
    pub outcome: Option<String>,
    /// Words that all occur in the record's text, each at least as the beginning of a word.
    pub text: Option<String>,
    /// What is under change control: records about any of these; about anything if none is named.
    pub artefacts: Vec<String>,
    /// Not before this time.
    pub since: Option<i64>,
    /// Before this time.
    pub until: Option<i64>,
    /// Only records before this one: where the page before ended.
    pub before_seq: Option<u64>,
    /// How many at most; never more than [`QUERY_ROWS_MAX`].
    pub limit: usize,
}

/// The one writer of the index.
#[derive(Debug)]
pub struct IndexStore {
    path: PathBuf,
    connection: Connection,
}

impl IndexStore {
    /// Opens the index at `path`. One that is damaged or was made by a newer version is removed and starts empty: see
    /// [`Self::head`] for where to go on filling it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = match sqlite::open(path, MIGRATIONS) {
            Err(error) if is_unusable(&error) => {
                for suffix in ["", "-wal", "-shm"] {
                    let mut file = path.as_os_str().to_owned();
                    file.push(suffix);
                    files::remove_if_there(Path::new(&file))?;
                }
                sqlite::open(path, MIGRATIONS)?
            }
            opened => opened?,
        };
        Ok(Self { path: path.to_owned(), connection })
    }

    /// A connection of its own for reading, for another thread.
    pub fn reader(&self) -> Result<IndexReader, StoreError> {
        Ok(IndexReader { connection: sqlite::open_reader(&self.path)? })
    }

    /// Indexes all of `rows`, or none. A record that is indexed already is left as it was.
    pub fn put_batch(&mut self, rows: &[IndexRow]) -> Result<(), StoreError> {
        let doing = "index records";
        let change = self.connection.transaction().sql(doing)?;
        {
            let mut put = change
                .prepare_cached(
                    "INSERT INTO records
                     (seq, at, kind, agent, task, person, operation, action, approval, outcome, text)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (seq) DO NOTHING",
                )
                .sql(doing)?;
            let mut put_words = change.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)").sql(doing)?;
            let mut put_artefact = change
                .prepare_cached("INSERT INTO artefacts (artefact, seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
                .sql(doing)?;
            let mut tally = Tally::default();
            let mut counted = Counted::default();
            for row in rows {
                let (seq, text) = (signed(row.seq)?, clipped(&row.text, TEXT_BYTES_MAX));
                let (agent, task, person, operation) = (&row.agent, &row.task, &row.person, &row.operation);
                let (action, approval, outcome) = (&row.action, &row.approval, &row.outcome);
                let values =
                    params![seq, row.at, row.kind, agent, task, person, operation, action, approval, outcome, text];
                // Most records have no words, and nobody finds them by any.
                let is_new = put.execute(values).sql(doing)? > 0;
                if is_new {
                    tally.add(row);
                    counted.add(row);
                }
                if is_new && !text.is_empty() {
                    put_words.execute(params![seq, text]).sql(doing)?;
                }
                for artefact in &row.artefacts {
                    put_artefact.execute(params![artefact, seq]).sql(doing)?;
                }
            }
            tally.put(&change)?;
            counted.put(&change)?;
        }
        change.commit().sql(doing)
    }

    /// The newest record that is indexed, if any is. Filling goes on after it.
    pub fn head(&self) -> Result<Option<u64>, StoreError> {
        head(&self.connection)
    }

    /// The records that `filter` asks for, newest first.
    pub fn query(&self, filter: &Filter) -> Result<Vec<u64>, StoreError> {
        query(&self.connection, filter)
    }

    /// Empties the index, to be filled from the log again.
    pub fn reset(&mut self) -> Result<(), StoreError> {
        let doing = "empty the index";
        let change = self.connection.transaction().sql(doing)?;
        change.execute("INSERT INTO words (words) VALUES ('delete-all')", []).sql(doing)?;
        change.execute("DELETE FROM artefacts", []).sql(doing)?;
        change.execute("DELETE FROM activity", []).sql(doing)?;
        change.execute("DELETE FROM uses", []).sql(doing)?;
        change.execute("DELETE FROM records", []).sql(doing)?;
        change.commit().sql(doing)
    }
}

/// Searches beside the writer.
#[derive(Debug)]
pub struct IndexReader {
    connection: Connection,
}

impl IndexReader {
    /// The newest record that is indexed, if any is.
    pub fn head(&self) -> Result<Option<u64>, StoreError> {
        head(&self.connection)
    }

    /// The records that `filter` asks for, newest first.
    pub fn query(&self, filter: &Filter) -> Result<Vec<u64>, StoreError> {
        query(&self.connection, filter)
    }

    /// What the calls of `agent`, or of everybody, came to, step by step, from the step of `since` to that of `until`; at most the last
    /// [`STEPS_MAX`]. Each step is given with the moment at which it begins, [`STEP_MILLISECONDS`] before the next; those without a call
    /// are left out.
    pub fn activity(&self, agent: Option<&str>, since: i64, until: i64) -> Result<Vec<(i64, Calls)>, StoreError> {
        activity::read(&self.connection, agent, since, until)
    }

    /// Whether any call was ever decided.
    pub fn has_activity(&self) -> Result<bool, StoreError> {
        activity::is_any(&self.connection)
    }

    /// At most `limit` artefacts of the kind `kind` after `after`, by name, each with the newest record about it.
    pub fn artefacts(&self, kind: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, u64)>, StoreError> {
        artefacts::of_kind(&self.connection, kind, after, limit)
    }

    /// The newest record about `artefact`, if there is any.
    pub fn newest_about(&self, artefact: &str) -> Result<Option<u64>, StoreError> {
        artefacts::newest(&self.connection, artefact)
    }
}

fn head(connection: &Connection) -> Result<Option<u64>, StoreError> {
    let head: Option<i64> =
        connection.query_row("SELECT max(seq) FROM records", [], |row| row.get(0)).sql("read the index")?;
    Ok(head.map(i64::unsigned_abs))
}

/// The longest beginning of `text` that has at most `bytes_max` bytes.
fn clipped(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

/// Whether the file is of no use, as opposed to the disk or the caller being at fault.
fn is_unusable(error: &StoreError) -> bool {
    match error {
        StoreError::Newer { .. } => true,
        StoreError::Sqlite { source, .. } => {
            matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        }
        _ => false,
    }
}
