use std::fs;
use std::ops::Range;

use tempfile::TempDir;

use super::*;
use crate::store::{Options, SegmentLog};

fn log(directory: &Path, segment_bytes: u64) -> SegmentLog {
    let options = Options { segment_bytes, ..Options::default() };
    SegmentLog::open(directory, "acme", options, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn append(log: &mut SegmentLog, entries: u64) {
    let first = log.entries_total();
    let entries: Vec<String> = (first..first + entries).map(|index| format!("entry {index}")).collect();
    log.append(&entries, b"commit").unwrap();
}

fn entries(reader: &LogReader, range: Range<u64>) -> Vec<String> {
    let mut found = Vec::new();
    reader
        .read_range(range.start, range.end, &mut |recovered| {
            if let Recovered::Entry { index, entry } = recovered {
                let text = String::from_utf8(entry.to_vec()).unwrap();
                assert_eq!(text, format!("entry {index}"));
                found.push(text);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn expected(range: Range<u64>) -> Vec<String> {
    range.map(|index| format!("entry {index}")).collect()
}

#[test]
fn any_range_is_read_with_and_without_the_writer() {
    let directory = TempDir::new().unwrap();
    let mut log = log(directory.path(), 1_024);
    for _ in 0..20 {
        append(&mut log, 3);
    }
    let beside = log.reader();
    let apart = LogReader::open(directory.path()).unwrap();
    for from in 0..62 {
        for to in from..62 {
            for reader in [&beside, &apart] {
                assert_eq!(entries(reader, from..to), expected(from.min(60)..to.min(60)), "{from}..{to}");
            }
        }
    }
    assert_eq!(entries(&beside, 0..u64::MAX), expected(0..60));
    assert_eq!(entries(&apart, 0..u64::MAX), expected(0..60));
}

#[test]
fn readers_follow_the_writer() {
    let directory = TempDir::new().unwrap();
    let mut log = log(directory.path(), 1_024);
    let (beside, apart) = (log.reader(), LogReader::open(directory.path()).unwrap());
    for size in 1..60 {
        append(&mut log, 1);
        assert_eq!(entries(&beside, size - 1..u64::MAX), expected(size - 1..size));
        assert_eq!(entries(&apart, size - 1..u64::MAX), expected(size - 1..size));
    }
}

#[test]
fn commits_are_delivered_where_they_are_passed() {
    let directory = TempDir::new().unwrap();
    let mut log = log(directory.path(), 1_024);
    (0..4).for_each(|_| append(&mut log, 3));
    let mut commits = Vec::new();
    let mut visit = |recovered: Recovered<'_>| {
        if let Recovered::Commit { entries_total, .. } = recovered {
            commits.push(entries_total);
        }
        ControlFlow::Continue(())
    };
    log.reader().read_range(4, 9, &mut visit).unwrap();
    assert_eq!(commits, [6, 9]);
}

#[test]
fn places_are_remembered_and_large_batches_fit() {
    let directory = TempDir::new().unwrap();
    let mut log = log(directory.path(), 4 << 20);
    let large: Vec<Vec<u8>> = (0..20).map(|_| vec![b'x'; 60_000]).collect();
    (0..5).for_each(|_| log.append(&large, b"c").unwrap());
    let reader = log.reader();
    let mut seen = Vec::new();
    let mut visit = |recovered: Recovered<'_>| {
        if let Recovered::Entry { index, entry } = recovered {
            assert_eq!(entry.len(), 60_000);
            seen.push(index);
        }
        ControlFlow::Continue(())
    };
    reader.read_range(35, 75, &mut visit).unwrap();
    assert_eq!(seen, (35..75).collect::<Vec<_>>());
    let (before, place) = reader.marks.before(99).unwrap();
    assert_eq!(before, 80);
    assert!(place.offset > HEADER_BYTES as u64);
}

#[test]
fn a_torn_end_is_not_delivered_and_damage_is_named() {
    let directory = TempDir::new().unwrap();
    let mut log = log(directory.path(), 1_024);
    (0..20).for_each(|_| append(&mut log, 3));
    let reader = log.reader();
    drop(log);
    let all = recover::list(directory.path()).unwrap();
    let last = segment_path(directory.path(), *all.last().unwrap());
    let mut bytes = fs::read(&last).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end] ^= 1;
    fs::write(&last, &bytes).unwrap();
    let apart = LogReader::open(directory.path()).unwrap();
    assert_eq!(entries(&apart, 0..60), expected(0..57));
    let known = reader.read_range(0, 60, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(known, Err(StoreError::Damaged { .. })));
    let first = segment_path(directory.path(), 0);
    let mut bytes = fs::read(&first).unwrap();
    bytes[200] ^= 1;
    fs::write(&first, &bytes).unwrap();
    let read = apart.read_range(0, 60, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(read, Err(StoreError::Damaged { file, .. }) if file == first));
}

#[test]
fn a_reader_apart_never_takes_a_batch_that_is_being_written_for_damage() {
    let directory = TempDir::new().unwrap();
    let mut log = log(directory.path(), 8_192);
    let path = directory.path().to_owned();
    let writing = std::thread::spawn(move || (0..400).for_each(|_| append(&mut log, 20)));
    let mut length = 0;
    while length < 8_000 {
        let found = entries(&LogReader::open(&path).unwrap(), 0..u64::MAX);
        assert!(found.len() >= length, "what was readable stays readable");
        length = found.len();
    }
    writing.join().unwrap();
}

#[test]
fn whoever_wants_little_reads_up_to_the_next_known_place() {
    let marks = Marks::default();
    marks.start_segment(0);
    marks.batch_at(0, 10, MARK_BYTES - 1);
    marks.batch_at(0, 20, 2 * MARK_BYTES);
    marks.start_segment(30);
    assert_eq!(marks.end_of(0, 1), Some(2 * MARK_BYTES), "a place too near is not remembered");
    assert_eq!(marks.end_of(0, 20), Some(2 * MARK_BYTES));
    assert_eq!(marks.end_of(0, 21), None, "the next place is in another segment");
    assert_eq!(marks.end_of(30, 31), None);
}
