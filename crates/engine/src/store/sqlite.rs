//! Opening an SQLite database and bringing its schema forward.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::{StoreError, While, WhileSql};
use super::files;

#[cfg(test)]
mod tests;

/// How long a statement waits for another connection before it fails.
const BUSY_MILLISECONDS: u64 = 5_000;

/// Opens the database at `path` for writing, made if it is not there, with all of `migrations` applied.
///
/// Migrations only ever go forward: the database's `user_version` counts how many have been applied.
pub(super) fn open(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    // SQLite gives its side files the permissions of the main one, so that is made first.
    files::private().open(path).io("open", path)?;
    let mut connection = Connection::open(path).sql("open a database")?;
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS)).sql("set up a database")?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             PRAGMA wal_autocheckpoint = 4000;
             PRAGMA cache_size = -8192;
             PRAGMA secure_delete = ON;
             PRAGMA trusted_schema = OFF;",
        )
        .sql("set up a database")?;
    migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

/// Opens the database at `path`, which must be there, for reading only.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).sql("open a database")?;
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS)).sql("set up a database")?;
    connection.execute_batch("PRAGMA trusted_schema = OFF;").sql("set up a database")?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let doing = "bring a database forward";
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate).sql(doing)?;
    let found: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0)).sql(doing)?;
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let applied = usize::try_from(found).ok().and_then(|found| migrations.get(found..));
    let Some(missing) = applied else {
        return Err(StoreError::Newer { database: path.to_owned(), found, known });
    };
    for migration in missing {
        change.execute_batch(migration).sql(doing)?;
    }
    change.pragma_update(None, "user_version", known).sql(doing)?;
    change.commit().sql(doing)
}

/// A count or a place in the log as SQLite keeps it.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Invalid(format!("{number} is too large for a database")))
}
