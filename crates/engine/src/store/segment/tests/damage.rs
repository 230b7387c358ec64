//! Bytes that are not what was written.

use super::*;
use crate::store::verify_walk;

/// A log of one segment with three batches, and where its last batch starts and ends.
fn three_batches(directory: &Path) -> (Read, PathBuf, usize, usize) {
    let (mut log, _) = open(directory).unwrap();
    let mut written = fill(&mut log, &[2, 1]);
    let start = usize::try_from(log.current.end).unwrap();
    let last = fill(&mut log, &[3]);
    written.entries.extend(last.entries);
    written.commits.extend(last.commits);
    (written, log.current.path.clone(), start, usize::try_from(log.current.end).unwrap())
}

fn goes_on(directory: &Path, mut log: SegmentLog, mut expected: Read) {
    let more = fill(&mut log, &[2, 2]);
    expected.entries.extend(more.entries);
    expected.commits.extend(more.commits);
    drop(log);
    let (log, read) = open(directory).unwrap();
    assert_eq!(read, expected);
    assert_eq!(log.cut(), None, "what was cut once stays cut");
    verify_walk(directory, &mut |_| ControlFlow::Continue(())).unwrap();
}

#[test]
fn a_last_batch_cut_off_at_any_byte_is_removed() {
    let directory = TempDir::new().unwrap();
    let (written, path, start, end) = three_batches(directory.path());
    let whole = fs::read(&path).unwrap();
    for length in start..end {
        fs::write(&path, &whole[..length]).unwrap();
        let (log, read) = open(directory.path()).unwrap();
        assert_eq!(read, written.until(3), "cut at {length}");
        assert_eq!(log.cut().map(|cut| cut.offset), (length > start).then_some(start as u64));
        goes_on(directory.path(), log, read);
        fs::write(&path, &whole).unwrap();
        segments(directory.path())
            .into_iter()
            .filter(|other| *other != path)
            .for_each(|other| fs::remove_file(other).unwrap());
    }
}

#[test]
fn a_last_batch_zeroed_from_any_byte_is_removed() {
    let directory = TempDir::new().unwrap();
    let (written, path, start, end) = three_batches(directory.path());
    let whole = fs::read(&path).unwrap();
    // The last byte of a frame may itself be zero in general; here it is a digit.
    for from in start..end {
        let mut bytes = whole.clone();
        bytes[from..].fill(0);
        fs::write(&path, &bytes).unwrap();
        let (_, read) = open(directory.path()).unwrap();
        assert_eq!(read, written.until(3), "zeroed from {from}");
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn a_last_batch_of_which_any_part_is_missing_is_removed() {
    // Pages reach a disk in any order: a power failure may leave a commit without the entries before it.
    let directory = TempDir::new().unwrap();
    let (written, path, start, end) = three_batches(directory.path());
    let whole = fs::read(&path).unwrap();
    for from in (start..end).step_by(3) {
        for to in (from + 1..=end).step_by(5) {
            let mut bytes = whole.clone();
            bytes[from..to].fill(0);
            if bytes == whole {
                continue;
            }
            fs::write(&path, &bytes).unwrap();
            let (_, read) = open(directory.path()).unwrap();
            assert_eq!(read, written.until(3), "missing {from}..{to}");
        }
    }
}

#[test]
fn any_flipped_byte_of_a_last_batch_removes_it_unless_it_is_known_to_be_committed() {
    let directory = TempDir::new().unwrap();
    let (written, path, start, end) = three_batches(directory.path());
    let whole = fs::read(&path).unwrap();
    for at in start..end {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        fs::write(&path, &bytes).unwrap();
        let known = open_with(directory.path(), Options { known_entries: 6, ..small() });
        assert!(matches!(known, Err(StoreError::Damaged { .. } | StoreError::Missing { .. })), "flipped {at}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "evidence is left as it is");
        let (_, read) = open(directory.path()).unwrap();
        assert_eq!(read, written.until(3), "flipped {at}");
    }
}

#[test]
fn any_flipped_byte_before_the_last_batch_is_refused_and_named() {
    let directory = TempDir::new().unwrap();
    let (_, path, start, _) = three_batches(directory.path());
    let whole = fs::read(&path).unwrap();
    for at in 0..start {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        fs::write(&path, &bytes).unwrap();
        let Err(StoreError::Damaged { file, offset, .. }) = open(directory.path()) else {
            panic!("flipped {at}: opened")
        };
        assert_eq!(file, path);
        assert!(offset <= at as u64 && at as u64 - offset < 64, "flipped {at}, named {offset}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "evidence is left as it is");
    }
}

#[test]
fn damage_before_a_batch_that_was_begun_is_refused() {
    // The last batch is torn, so no commit follows the damaged one; but that it was begun proves the one before durable.
    let directory = TempDir::new().unwrap();
    let (_, path, start, end) = three_batches(directory.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[end - 1] ^= 1;
    bytes[start - 60] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(open(directory.path()), Err(StoreError::Damaged { .. })));
}

#[test]
fn any_damage_in_an_earlier_segment_is_refused() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[5; 12]);
    drop(log);
    let path = segments(directory.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x01;
        fs::write(&path, &bytes).unwrap();
        assert!(
            matches!(open(directory.path()), Err(StoreError::Damaged { file, .. }) if file == path),
            "flipped {at}"
        );
        fs::write(&path, &whole[..at]).unwrap();
        assert!(matches!(open(directory.path()), Err(StoreError::Damaged { file, .. }) if file == path), "cut at {at}");
    }
}

#[test]
fn a_missing_or_strange_segment_is_refused() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[5; 30]);
    drop(log);
    let all = segments(directory.path());
    for path in &all[..all.len() - 1] {
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        assert!(matches!(open(directory.path()), Err(StoreError::Damaged { .. })), "without {}", path.display());
        fs::write(path, bytes).unwrap();
    }
    open(directory.path()).unwrap();
    fs::write(directory.path().join("7.seg"), b"").unwrap();
    assert!(matches!(open(directory.path()), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_flipped_byte_anywhere_is_found_by_the_walk() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    let written = fill(&mut log, &[5; 8]);
    drop(log);
    let mut read = Read::default();
    let walk = verify_walk(directory.path(), &mut |recovered| read.take(recovered)).unwrap();
    assert_eq!(read, written);
    let all = segments(directory.path());
    assert_eq!((walk.segments, walk.entries_total, walk.commits), (all.len() as u64, 40, 8));
    assert_eq!((walk.realm.as_str(), walk.bytes), ("acme", all.len() as u64 * SMALL));
    for path in all {
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x80;
            fs::write(&path, &bytes).unwrap();
            match verify_walk(directory.path(), &mut |_| ControlFlow::Continue(())) {
                Err(StoreError::Damaged { file, offset, .. } | StoreError::Unfinished { file, offset }) => {
                    assert_eq!(file, path, "flipped {at}");
                    assert!(offset <= at as u64, "flipped {at}, named {offset}");
                }
                other => panic!("flipped {at}: {other:?}"),
            }
        }
        for (length, bytes) in
            [(whole.len() - 1, whole[..whole.len() - 1].to_vec()), (whole.len(), [&whole[..], &[0]].concat())]
        {
            fs::write(&path, bytes).unwrap();
            let walk = verify_walk(directory.path(), &mut |_| ControlFlow::Continue(()));
            assert!(matches!(walk, Err(StoreError::Damaged { offset, .. }) if offset == length as u64));
        }
        fs::write(&path, &whole).unwrap();
    }
}
