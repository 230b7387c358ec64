//! The file system doing something else than expected, and the reserve that keeps a full disk harmless.

use super::*;

fn poisons(log: &mut SegmentLog, says: &str) {
    for _ in 0..2 {
        let Err(StoreError::Poisoned { cause }) = log.append(&[b"late"], b"c") else { panic!("taken") };
        assert!(cause.contains(says), "{cause}");
    }
    assert!(log.poisoned().is_some());
}

#[test]
fn a_removed_segment_poisons() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[1]);
    fs::remove_file(&log.current.path).unwrap();
    poisons(&mut log, "is gone");
}

#[test]
fn a_replaced_segment_poisons() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[1]);
    let copy = directory.path().join("copy");
    fs::copy(&log.current.path, &copy).unwrap();
    fs::rename(&copy, &log.current.path).unwrap();
    poisons(&mut log, "removed or replaced");
    drop(log);
    assert_eq!(open(directory.path()).unwrap().1.entries.len(), 1);
}

#[test]
fn a_shortened_segment_poisons() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[1]);
    fs::OpenOptions::new().write(true).open(&log.current.path).unwrap().set_len(100).unwrap();
    poisons(&mut log, "changed its length");
}

#[test]
fn a_failed_write_poisons_for_ever() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[1]);
    log.current.file = File::open(&log.current.path).unwrap();
    poisons(&mut log, "cannot write");
}

#[test]
fn the_next_segment_is_made_once_the_current_one_is_half_full() {
    let directory = TempDir::new().unwrap();
    let reserve = directory.path().join("reserve");
    let (mut log, _) = open(directory.path()).unwrap();
    while log.current.end <= SMALL / 2 {
        assert!(!reserve.exists());
        fill(&mut log, &[1]);
    }
    assert_eq!(fs::metadata(&reserve).unwrap().len(), SMALL);
    while log.current.first_index == 0 {
        fill(&mut log, &[1]);
    }
    assert!(!reserve.exists(), "it became the segment");
}

#[test]
fn without_room_for_a_reserve_the_log_stops_before_it_is_full_and_goes_on_when_there_is() {
    let directory = TempDir::new().unwrap();
    // A directory in the reserve's place can no more be made a file than a full disk can.
    let obstacle = directory.path().join("reserve");
    let (mut log, _) = open(directory.path()).unwrap();
    fs::create_dir(&obstacle).unwrap();
    fs::write(obstacle.join("file"), b"").unwrap();
    let mut committed = 0;
    let refused = loop {
        match log.append(&[b"entry"], b"commit") {
            Ok(()) => committed += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::ReserveLow { .. }), "{refused}");
    assert!(log.reserve_fault().is_some() && log.poisoned().is_none());
    assert!(log.current.end <= SMALL - SMALL / KEPT_PART);
    fs::remove_dir_all(&obstacle).unwrap();
    log.append(&[b"entry"], b"commit").unwrap();
    assert_eq!((log.entries_total(), log.reserve_fault()), (committed + 1, None));
    drop(log);
    assert_eq!(open(directory.path()).unwrap().0.entries_total(), committed + 1);
}

#[test]
fn a_reserve_left_by_another_run_is_emptied_before_use() {
    let directory = TempDir::new().unwrap();
    for left in [vec![7; usize::try_from(SMALL).unwrap()], vec![0; 10], vec![7; 10_000]] {
        fs::write(directory.path().join("reserve"), left).unwrap();
        let (mut log, _) = open(directory.path()).unwrap();
        let first_index = log.current.first_index;
        while log.current.first_index == first_index {
            fill(&mut log, &[1]);
        }
        drop(log);
        let walk = crate::store::verify_walk(directory.path(), &mut |_| ControlFlow::Continue(()));
        assert!(walk.is_ok(), "{walk:?}");
    }
}

#[test]
fn a_run_killed_between_naming_a_segment_and_using_it_goes_on_there() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    let written = fill(&mut log, &[2, 2]);
    let reserve = Reserve::make(&log.directory, SMALL).unwrap();
    drop(Current::start(&log.directory, reserve, log.realm, 4, SMALL).unwrap());
    drop(log);
    let (mut log, read) = open(directory.path()).unwrap();
    assert_eq!(read, written);
    fill(&mut log, &[1]);
    drop(log);
    assert_eq!(open(directory.path()).unwrap().0.entries_total(), 5);
}

#[test]
fn the_segment_length_may_change_between_runs() {
    let directory = TempDir::new().unwrap();
    let (mut log, _) = open(directory.path()).unwrap();
    fill(&mut log, &[5; 8]);
    drop(log);
    let larger = Options { segment_bytes: 4 * SMALL, ..Options::default() };
    let (mut log, read) = open_with(directory.path(), larger).unwrap();
    assert_eq!(read.entries.len(), 40);
    fill(&mut log, &[30; 4]);
    drop(log);
    assert_eq!(open(directory.path()).unwrap().0.entries_total(), 160);
}
