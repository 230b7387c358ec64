//! Search over records. Rebuildable: whatever is wrong with it, the log is read again.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params, params_from_iter};

use super::error::{StoreError, WhileSql};
use super::files;
use super::sqlite::{self, signed};

#[cfg(test)]
mod tests;

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
];
/// As the migration has them: what nearly every record is, and what it came to.
const COMMON_KINDS: &[&str] = &["ActionAllowed", "OutcomeRecorded"];
const COMMON_OUTCOMES: &[&str] = &["allowed", "succeeded"];

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
}

/// Which records to find: those that have every part given here. Default: none, since `limit` is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub kind: Option<String>,
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
            for row in rows {
                let (seq, text) = (signed(row.seq)?, clipped(&row.text, TEXT_BYTES_MAX));
                let (agent, task, person, operation) = (&row.agent, &row.task, &row.person, &row.operation);
                let (action, approval, outcome) = (&row.action, &row.approval, &row.outcome);
                let values =
                    params![seq, row.at, row.kind, agent, task, person, operation, action, approval, outcome, text];
                // Most records have no words, and nobody finds them by any.
                if put.execute(values).sql(doing)? > 0 && !text.is_empty() {
                    put_words.execute(params![seq, text]).sql(doing)?;
                }
                for artefact in &row.artefacts {
                    put_artefact.execute(params![artefact, seq]).sql(doing)?;
                }
            }
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
}

fn head(connection: &Connection) -> Result<Option<u64>, StoreError> {
    let head: Option<i64> =
        connection.query_row("SELECT max(seq) FROM records", [], |row| row.get(0)).sql("read the index")?;
    Ok(head.map(i64::unsigned_abs))
}

fn query(connection: &Connection, filter: &Filter) -> Result<Vec<u64>, StoreError> {
    let doing = "search the index";
    let mut sql = "SELECT seq FROM records WHERE TRUE".to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut narrow = |condition: &str, value: Value| {
        sql.push_str(" AND ");
        sql.push_str(condition);
        values.push(value);
    };
    // Said once more in the words of the partial indexes, so that these are used where they can be.
    let is_rare =
        |value: &Option<String>, common: &[&str]| !value.as_deref().is_some_and(|value| common.contains(&value));
    let kind = match is_rare(&filter.kind, COMMON_KINDS) {
        true => "kind NOT IN ('ActionAllowed', 'OutcomeRecorded') AND kind = ?",
        false => "kind = ?",
    };
    let outcome = match is_rare(&filter.outcome, COMMON_OUTCOMES) {
        true => "outcome NOT IN ('allowed', 'succeeded') AND outcome = ?",
        false => "outcome = ?",
    };
    for (condition, value) in [
        (kind, &filter.kind),
        ("agent = ?", &filter.agent),
        ("task = ?", &filter.task),
        ("person = ?", &filter.person),
        ("operation = ?", &filter.operation),
        ("action = ?", &filter.action),
        ("approval = ?", &filter.approval),
        (outcome, &filter.outcome),
    ] {
        if let Some(value) = value {
            narrow(condition, Value::Text(value.clone()));
        }
    }
    if let Some(words) = filter.text.as_deref().map(words).transpose()?.filter(|words| !words.is_empty()) {
        narrow("seq IN (SELECT rowid FROM words WHERE words MATCH ?)", Value::Text(words));
    }
    if let Some(since) = filter.since {
        narrow("seq >= ?", Value::Integer(first_since(connection, since)?));
    }
    if let Some(until) = filter.until {
        narrow("seq < ?", Value::Integer(first_since(connection, until)?));
    }
    if let Some(before_seq) = filter.before_seq {
        narrow("seq < ?", Value::Integer(signed(before_seq)?));
    }
    if !filter.artefacts.is_empty() {
        let places = vec!["?"; filter.artefacts.len()].join(", ");
        sql.push_str(&format!(" AND seq IN (SELECT seq FROM artefacts WHERE artefact IN ({places}))"));
        values.extend(filter.artefacts.iter().cloned().map(Value::Text));
    }
    sql.push_str(" ORDER BY seq DESC LIMIT ?");
    values.push(Value::Integer(signed(filter.limit.min(QUERY_ROWS_MAX) as u64)?));
    let mut statement = connection.prepare_cached(&sql).sql(doing)?;
    let found = statement.query_map(params_from_iter(values), |row| row.get::<_, i64>(0)).sql(doing)?;
    found.map(|seq| seq.map(i64::unsigned_abs)).collect::<Result<_, _>>().sql(doing)
}

/// The first record that is not before `at`, or the place after the newest: a record is never older than the one before.
fn first_since(connection: &Connection, at: i64) -> Result<i64, StoreError> {
    let doing = "search the index";
    let mut time_of = connection.prepare_cached("SELECT at FROM records WHERE seq = ?1").sql(doing)?;
    let mut before = 0;
    let mut beyond = head(connection)?.map_or(Ok(0), |newest| signed(newest.saturating_add(1)))?;
    while before < beyond {
        let middle = before + (beyond - before) / 2;
        match time_of.query_row([middle], |row| row.get::<_, i64>(0)).optional().sql(doing)? {
            Some(found) if found >= at => beyond = middle,
            _ => before = middle + 1,
        }
    }
    Ok(before)
}

/// What a person typed, as a full-text query in which nothing is an operator: every word quoted, all of them wanted.
fn words(typed: &str) -> Result<String, StoreError> {
    let (size, limit) = (typed.len() as u64, QUERY_TEXT_BYTES_MAX as u64);
    if size > limit {
        return Err(StoreError::TooLarge { what: "the text to search for", size, limit });
    }
    // A word without a letter or a digit is no word to the index either.
    let wanted = typed.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    let quoted = |word: &str| format!("\"{}\"*", word.replace('"', "\"\"").replace('\0', ""));
    Ok(wanted.take(QUERY_WORDS_MAX).map(quoted).collect::<Vec<_>>().join(" "))
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
