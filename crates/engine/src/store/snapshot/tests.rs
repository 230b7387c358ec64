use tempfile::TempDir;

use super::*;

#[test]
fn the_newest_two_are_kept() {
    let directory = TempDir::new().unwrap();
    let snapshots = SnapshotDirectory::open(&directory.path().join("snapshots")).unwrap();
    assert_eq!(snapshots.list().unwrap(), [0_u64; 0]);
    for size in [5, 100, 20_000] {
        snapshots.write(size, format!("state at {size}").as_bytes()).unwrap();
    }
    assert_eq!(snapshots.list().unwrap(), [20_000, 100]);
    assert_eq!(snapshots.read(20_000).unwrap().as_deref(), Some(b"state at 20000".as_slice()));
    assert_eq!(snapshots.read(5).unwrap(), None);
    snapshots.remove(20_000).unwrap();
    assert_eq!(snapshots.list().unwrap(), [100]);
}

#[test]
fn a_write_that_was_interrupted_is_no_snapshot_and_goes_away() {
    let directory = TempDir::new().unwrap();
    let leftover = directory.path().join(".00000000000000000009.snap.tmp");
    std::fs::write(&leftover, b"half").unwrap();
    std::fs::write(directory.path().join("notes.txt"), b"someone's").unwrap();
    let snapshots = SnapshotDirectory::open(directory.path()).unwrap();
    assert_eq!(snapshots.list().unwrap(), [0_u64; 0]);
    snapshots.write(10, b"state").unwrap();
    assert_eq!(snapshots.list().unwrap(), [10]);
    assert!(!leftover.exists());
    assert!(directory.path().join("notes.txt").exists());
}
