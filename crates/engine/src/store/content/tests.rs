use std::fs;

use tempfile::TempDir;

use super::*;

fn row(id: &str, subject: &str, sealed: &[u8]) -> ContentRow {
    ContentRow {
        id: id.to_owned(),
        subject: subject.to_owned(),
        seq: 7,
        kind: "arguments".to_owned(),
        sealed: sealed.to_vec(),
        size_bytes: 99,
        created_at: 1_700_000_000_000,
    }
}

fn contains(path: &Path, wanted: &[u8]) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
}

#[test]
fn content_and_keys_are_read_back_by_writer_and_reader() {
    let directory = TempDir::new().unwrap();
    let mut store = ContentStore::open(&directory.path().join("content.sqlite")).unwrap();
    let rows = [row("c1", "ann", b"sealed one"), row("c2", "ann", b"sealed two")];
    store.put_batch(&rows).unwrap();
    assert_eq!(store.put_key("ann", b"wrapped", 1).unwrap(), b"wrapped");
    let reader = store.reader().unwrap();
    assert_eq!(store.fetch("ann", "c1").unwrap().as_ref(), Some(&rows[0]));
    assert_eq!(reader.fetch("ann", "c2").unwrap().as_ref(), Some(&rows[1]));
    assert_eq!(reader.fetch("ann", "c3").unwrap(), None);
    assert_eq!(reader.key("ann").unwrap().as_deref(), Some(b"wrapped".as_slice()));
    assert_eq!(store.key("bob").unwrap(), None);
}

#[test]
fn what_is_stored_stays_as_it_was_first_stored() {
    let directory = TempDir::new().unwrap();
    let mut store = ContentStore::open(&directory.path().join("content.sqlite")).unwrap();
    store.put_batch(&[row("c1", "ann", b"first")]).unwrap();
    store.put_batch(&[row("c1", "ann", b"second"), row("c2", "ann", b"other")]).unwrap();
    assert_eq!(store.fetch("ann", "c1").unwrap().unwrap().sealed, b"first");
    assert!(store.fetch("ann", "c2").unwrap().is_some());
    store.put_key("ann", b"first key", 1).unwrap();
    assert_eq!(store.put_key("ann", b"second key", 2).unwrap(), b"first key");
}

#[test]
fn erasing_leaves_no_byte_in_any_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("content.sqlite");
    let mut store = ContentStore::open(&path).unwrap();
    let secret = b"SEALED-UNDER-ANNS-KEY".repeat(500);
    store.put_key("ann", b"ANNS-WRAPPED-KEY", 1).unwrap();
    store.put_key("bob", b"BOBS-WRAPPED-KEY", 1).unwrap();
    store.put_batch(&[row("c1", "ann", &secret), row("c2", "bob", b"BOBS-CONTENT")]).unwrap();
    store.settle().unwrap();
    store.put_batch(&[row("c3", "ann", &secret)]).unwrap();
    assert_eq!(store.erase_subject("ann").unwrap(), Erased { key: true, rows: 2, settled: true });
    assert_eq!((store.fetch("ann", "c1").unwrap(), store.fetch("ann", "c3").unwrap()), (None, None));
    assert_eq!(store.key("ann").unwrap(), Some(Vec::new()), "that there was a key is remembered");
    assert!(store.put_key("ann", b"late key", 2).unwrap().is_empty(), "whoever comes late makes no new one");
    for file in ["content.sqlite", "content.sqlite-wal"] {
        let file = directory.path().join(file);
        assert!(!contains(&file, b"SEALED-UNDER-ANNS-KEY"), "{}", file.display());
        assert!(!contains(&file, b"ANNS-WRAPPED-KEY"), "{}", file.display());
    }
    assert!(contains(&path, b"BOBS-WRAPPED-KEY") && store.fetch("bob", "c2").unwrap().is_some());
    assert_eq!(store.erase_subject("ann").unwrap(), Erased { key: false, rows: 0, settled: true });
}

#[test]
fn a_reader_in_the_way_leaves_erasing_to_be_settled() {
    let directory = TempDir::new().unwrap();
    let mut store = ContentStore::open(&directory.path().join("content.sqlite")).unwrap();
    store.put_key("ann", b"wrapped", 1).unwrap();
    let reader = store.reader().unwrap();
    reader.connection.execute_batch("BEGIN; SELECT * FROM keys;").unwrap();
    store.connection.busy_timeout(std::time::Duration::from_millis(10)).unwrap();
    assert!(!store.erase_subject("ann").unwrap().settled);
    reader.connection.execute_batch("COMMIT").unwrap();
    assert!(store.settle().unwrap());
}

#[test]
fn cursors_only_move_forward() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("content.sqlite");
    let mut store = ContentStore::open(&path).unwrap();
    assert_eq!(store.cursor("notify").unwrap(), None);
    store.set_cursor("notify", 10).unwrap();
    store.set_cursor("notify", 4).unwrap();
    drop(store);
    assert_eq!(ContentStore::open(&path).unwrap().cursor("notify").unwrap(), Some(10));
}

#[test]
fn a_batch_with_one_bad_row_stores_nothing() {
    let directory = TempDir::new().unwrap();
    let mut store = ContentStore::open(&directory.path().join("content.sqlite")).unwrap();
    let mut bad = row("c2", "ann", b"x");
    bad.seq = u64::MAX;
    assert!(store.put_batch(&[row("c1", "ann", b"x"), bad]).is_err());
    assert_eq!(store.fetch("ann", "c1").unwrap(), None);
    let long = row(&"c".repeat(NAME_BYTES_MAX + 1), "ann", b"x");
    assert!(matches!(store.put_batch(&[long]), Err(StoreError::TooLarge { .. })));
}

#[test]
fn content_of_the_first_form_is_carried_over() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("content.sqlite");
    let first = rusqlite::Connection::open(&path).unwrap();
    first.execute_batch(MIGRATIONS[0]).unwrap();
    first.pragma_update(None, "user_version", 1).unwrap();
    let insert = "INSERT INTO content VALUES ('c1', 'ann', 7, 'arguments', x'0102', 99, 1700000000000)";
    first.execute(insert, []).unwrap();
    drop(first);
    let store = ContentStore::open(&path).unwrap();
    assert_eq!(store.fetch("ann", "c1").unwrap(), Some(row("c1", "ann", &[1, 2])));
    assert_eq!(store.fetch("bob", "c1").unwrap(), None);
}
