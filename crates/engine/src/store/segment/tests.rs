//! Most of these damage the files of a small log in every possible place and say what opening it must do.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

mod damage;
mod disk;

/// Small enough to damage at every byte.
const SMALL: u64 = 1_024;

fn small() -> Options {
    Options { segment_bytes: SMALL, ..Options::default() }
}

/// What a log delivers: entries by index, commits by size.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Read {
    entries: Vec<(u64, Vec<u8>)>,
    commits: Vec<(u64, Vec<u8>)>,
}

impl Read {
    fn take(&mut self, recovered: Recovered<'_>) -> ControlFlow<()> {
        match recovered {
            Recovered::Entry { index, entry } => self.entries.push((index, entry.to_vec())),
            Recovered::Commit { entries_total, bytes } => self.commits.push((entries_total, bytes.to_vec())),
        }
        ControlFlow::Continue(())
    }

    /// The beginning of this up to `entries_total` entries.
    fn until(&self, entries_total: u64) -> Self {
        let mut until = self.clone();
        until.entries.retain(|(index, _)| *index < entries_total);
        until.commits.retain(|(size, _)| *size <= entries_total);
        until
    }
}

fn open_with(directory: &Path, options: Options) -> Result<(SegmentLog, Read), StoreError> {
    let mut read = Read::default();
    let log = SegmentLog::open(directory, "acme", options, &mut |recovered| read.take(recovered))?;
    Ok((log, read))
}

fn open(directory: &Path) -> Result<(SegmentLog, Read), StoreError> {
    open_with(directory, small())
}

/// Appends one batch per number: as many entries as it says. Returns everything that a reader should now see.
fn fill(log: &mut SegmentLog, sizes: &[u64]) -> Read {
    let mut written = Read::default();
    for size in sizes {
        let first = log.entries_total();
        let entries: Vec<Vec<u8>> = (first..first + size).map(|index| format!("entry {index}").into_bytes()).collect();
        let commit = format!("checkpoint {}", first + size).into_bytes();
        log.append(&entries, &commit).unwrap();
        written.entries.extend((first..).zip(entries));
        written.commits.push((first + size, commit));
    }
    written
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let found = recover::list(directory).unwrap();
    found.into_iter().map(|first_index| segment_path(directory, first_index)).collect()
}

#[test]
fn what_is_committed_comes_back_in_order() {
    let directory = TempDir::new().unwrap();
    let (mut log, read) = open(directory.path()).unwrap();
    assert_eq!(read, Read::default());
    let written = fill(&mut log, &[1, 3, 2]);
    drop(log);
    let (log, read) = open(directory.path()).unwrap();
    assert_eq!(read, written);
    assert_eq!((log.entries_total(), log.cut()), (6, None));
}

#[test]
fn batches_roll_over_into_new_segments_and_come_back() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    let mut written = fill(&mut log, &[5; 40]);
    drop(log);
    assert!(segments(directory.path()).len() > 3);
    let (mut log, read) = open(directory.path()).unwrap();
    assert_eq!(read, written);
    let more = fill(&mut log, &[4; 20]);
    written.entries.extend(more.entries);
    written.commits.extend(more.commits);
    drop(log);
    assert_eq!(open(directory.path()).unwrap().1, written);
}

#[test]
fn a_snapshot_lets_earlier_segments_be_skipped() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    let written = fill(&mut log, &[5; 20]);
    drop(log);
    for from_index in 0..=100 {
        let (log, read) = open_with(directory.path(), Options { from_index, ..small() }).unwrap();
        assert_eq!(log.entries_total(), 100);
        let entries: Vec<_> = written.entries.iter().filter(|(index, _)| *index >= from_index).cloned().collect();
        let commits: Vec<_> = written.commits.iter().filter(|(size, _)| *size >= from_index).cloned().collect();
        assert_eq!(read.entries, entries, "from {from_index}");
        assert_eq!(read.commits, commits, "from {from_index}: the commit at the snapshot is delivered too");
    }
    let ahead = open_with(directory.path(), Options { from_index: 101, ..small() });
    assert!(matches!(ahead, Err(StoreError::Missing { held: 100, known: 101 })));
}

#[test]
fn ten_thousand_batches_come_back_equal() {
    let directory = TempDir::new().unwrap();
    let options = Options { segment_bytes: 256 << 10, ..Options::default() };
    let (mut log, _) = open_with(directory.path(), options).unwrap();
    let written = fill(&mut log, &[1; 10_000]);
    drop(log);
    assert_eq!(open_with(directory.path(), options).unwrap().1, written);
}

#[test]
fn an_old_copy_is_refused_by_what_is_known_from_elsewhere() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[3]);
    drop(log);
    let known = |known_entries| open_with(directory.path(), Options { known_entries, ..small() });
    assert!(known(3).is_ok());
    assert!(matches!(known(4), Err(StoreError::Missing { held: 3, known: 4 })));
    let empty = TempDir::new().unwrap();
    let opened = open_with(empty.path(), Options { known_entries: 1, ..small() });
    assert!(matches!(opened, Err(StoreError::Missing { held: 0, known: 1 })));
}

#[test]
fn a_directory_of_another_realm_is_refused() {
    let directory = TempDir::new().unwrap();
    drop(open(directory.path()).unwrap());
    let opened = SegmentLog::open(directory.path(), "umbrella", small(), &mut |_| ControlFlow::Continue(()));
    let Err(error @ StoreError::WrongRealm { .. }) = opened else { panic!("opened") };
    assert!(error.to_string().ends_with("belongs to realm `acme`, not to `umbrella`"), "{error}");
}

#[test]
fn a_reader_that_objects_leaves_the_files_as_they_were() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[3]);
    drop(log);
    let path = segments(directory.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] = 1;
    fs::write(&path, &bytes).unwrap();
    let opened = SegmentLog::open(directory.path(), "acme", small(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(opened, Err(StoreError::Stopped)));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn what_exceeds_a_limit_is_refused_and_the_log_goes_on() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    let none: [&[u8]; 0] = [];
    assert!(matches!(log.append(&none, b"c"), Err(StoreError::Invalid(_))));
    assert!(matches!(log.append(&[vec![0; ENTRY_BYTES_MAX + 1]], b"c"), Err(StoreError::TooLarge { .. })));
    assert!(matches!(log.append(&[b"e"], &vec![0; COMMIT_BYTES_MAX + 1]), Err(StoreError::TooLarge { .. })));
    let overhead = HEADER_BYTES + frame::batch_bytes(&[b""], b"");
    let largest = vec![b'x'; usize::try_from(SMALL).unwrap() - overhead];
    assert!(matches!(log.append(&[[largest.as_slice(), b"x"].concat()], b""), Err(StoreError::TooLarge { .. })));
    log.append(&[&largest], b"").unwrap();
    log.append(&[&largest], b"").unwrap();
    drop(log);
    assert_eq!(open(directory.path()).unwrap().1.entries, [(0, largest.clone()), (1, largest)]);
}

fn batches() -> impl Strategy<Value = Vec<(Vec<Vec<u8>>, Vec<u8>)>> {
    let entry = proptest::collection::vec(any::<u8>(), 0..40);
    let commit = proptest::collection::vec(any::<u8>(), 0..40);
    proptest::collection::vec((proptest::collection::vec(entry, 1..6), commit), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Wherever the last segment is cut, what comes back is the longest beginning that ends with a whole commit.
    #[test]
    fn a_cut_anywhere_leaves_the_longest_committed_beginning(batches in batches(), cut in any::<prop::sample::Index>()) {
        let directory = TempDir::new().unwrap();
        let (mut log, _) = open(directory.path()).unwrap();
        let mut written = Read::default();
        let mut ends = vec![(log.current.path.clone(), log.current.end, 0)];
        for (entries, commit) in &batches {
            let first = log.entries_total();
            log.append(entries, commit).unwrap();
            written.entries.extend((first..).zip(entries.iter().cloned()));
            written.commits.push((log.entries_total(), commit.clone()));
            // What is cut off is read as zeros, so zeros at the end of a commit are not missed.
            let bytes = fs::read(&log.current.path).unwrap();
            let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
            ends.push((log.current.path.clone(), end, log.entries_total()));
        }
        let last = log.current.path.clone();
        let last_first = log.current.first_index;
        drop(log);
        let room = usize::try_from(SMALL).unwrap() - HEADER_BYTES;
        let length = (HEADER_BYTES + cut.index(room + 1)) as u64;
        fs::OpenOptions::new().write(true).open(&last).unwrap().set_len(length).unwrap();
        let kept = ends.iter().filter(|(path, end, _)| *path == last && *end <= length);
        let kept = kept.map(|(_, _, total)| *total).max().unwrap_or(last_first);
        let (log, read) = open(directory.path()).unwrap();
        prop_assert_eq!(read, written.until(kept));
        prop_assert_eq!(log.entries_total(), kept);
        drop(log);
        let walk = crate::store::verify_walk(directory.path(), &mut |_| ControlFlow::Continue(())).unwrap();
        prop_assert_eq!(walk.entries_total, kept);
    }
}
