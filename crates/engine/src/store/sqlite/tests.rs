use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

const ONE: &str = "CREATE TABLE one (a INTEGER) STRICT;";
const TWO: &str = "ALTER TABLE one ADD COLUMN b INTEGER;";

#[test]
fn migrations_are_applied_once_each_and_only_forward() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("test.sqlite");
    drop(open(&path, &[ONE]).unwrap());
    for _ in 0..2 {
        let connection = open(&path, &[ONE, TWO]).unwrap();
        connection.execute("INSERT INTO one (a, b) VALUES (1, 2)", []).unwrap();
    }
    assert!(matches!(open(&path, &[ONE]), Err(StoreError::Newer { found: 2, known: 1, .. })));
}

#[test]
fn a_migration_that_fails_leaves_nothing_behind() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("test.sqlite");
    assert!(open(&path, &[ONE, "CREATE NONSENSE"]).is_err());
    open(&path, &[ONE, TWO]).unwrap();
}

#[test]
fn only_this_account_reads_the_files_and_readers_cannot_write() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("test.sqlite");
    let connection = open(&path, &[ONE]).unwrap();
    connection.execute("INSERT INTO one (a) VALUES (1)", []).unwrap();
    for name in ["test.sqlite", "test.sqlite-wal", "test.sqlite-shm"] {
        let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let reader = open_reader(&path).unwrap();
    assert!(reader.execute("INSERT INTO one (a) VALUES (1)", []).is_err());
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
