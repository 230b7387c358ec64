use std::fs;

use tempfile::TempDir;

use super::*;
use crate::store::{Options, SegmentLog};

fn filled(directory: &Path) -> SegmentLog {
    let options = Options { segment_bytes: 1_024, ..Options::default() };
    let mut log = SegmentLog::open(directory, "acme", options, &mut |_| ControlFlow::Continue(())).unwrap();
    for _ in 0..60 {
        log.append(&[b"entry", b"other"], b"commit").unwrap();
    }
    log
}

fn walk(directory: &Path) -> Result<Walk, StoreError> {
    verify_walk(directory, &mut |_| ControlFlow::Continue(()))
}

// That every flipped byte is found is tested with the writer, in `segment/tests/damage.rs`.

#[test]
fn an_idle_log_can_be_walked_while_its_writer_lives() {
    let directory = TempDir::new().unwrap();
    let log = filled(directory.path());
    assert_eq!(walk(directory.path()).unwrap().entries_total, log.entries_total());
}

#[test]
fn a_segment_that_is_missing_or_of_another_realm_is_found() {
    let directory = TempDir::new().unwrap();
    drop(filled(directory.path()));
    let all = recover::list(directory.path()).unwrap();
    let second = recover::segment_path(directory.path(), all[1]);
    let bytes = fs::read(&second).unwrap();
    fs::remove_file(&second).unwrap();
    assert!(matches!(walk(directory.path()), Err(StoreError::Damaged { .. })));
    let mut header = crate::store::frame::Header::decode(&bytes).unwrap();
    header.realm = crate::store::frame::Realm::new("umbrella").unwrap();
    fs::write(&second, [&header.encode()[..], &bytes[64..]].concat()).unwrap();
    assert!(matches!(walk(directory.path()), Err(StoreError::WrongRealm { .. })));
}

#[test]
fn bytes_after_the_last_commit_are_told_apart_from_damage() {
    let directory = TempDir::new().unwrap();
    drop(filled(directory.path()));
    let last = recover::segment_path(directory.path(), *recover::list(directory.path()).unwrap().last().unwrap());
    let mut bytes = fs::read(&last).unwrap();
    let at = bytes.len() - 3;
    bytes[at] = 9;
    fs::write(&last, &bytes).unwrap();
    assert!(matches!(walk(directory.path()), Err(StoreError::Unfinished { offset, .. }) if offset == at as u64));
}

#[test]
fn whoever_is_shown_the_entries_may_stop() {
    let directory = TempDir::new().unwrap();
    drop(filled(directory.path()));
    let stopped = verify_walk(directory.path(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(StoreError::Stopped)));
}
