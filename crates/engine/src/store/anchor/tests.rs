use tempfile::TempDir;

use super::*;

#[test]
fn the_last_anchor_written_is_read() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("apart").join("anchor");
    assert_eq!(read(&path).unwrap(), None);
    write(&path, b"checkpoint 1").unwrap();
    write_durably(&path, b"checkpoint 22").unwrap();
    assert_eq!(read(&path).unwrap().as_deref(), Some(b"checkpoint 22".as_slice()));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn an_empty_file_is_no_anchor_and_a_large_one_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("anchor");
    std::fs::write(&path, b"").unwrap();
    assert_eq!(read(&path).unwrap(), None);
    let large = vec![b'x'; ANCHOR_BYTES_MAX + 1];
    assert!(matches!(write(&path, &large), Err(StoreError::TooLarge { .. })));
    std::fs::write(&path, &large).unwrap();
    assert!(matches!(read(&path), Err(StoreError::TooLarge { .. })));
}
