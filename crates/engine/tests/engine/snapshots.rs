//! Snapshots: used where they belong to the log, and never believed where they do not.

use std::fs;

use remit_engine::{Engine, OpenError, Options};
use remit_testkit::World;

use crate::desk::{crowd, files_ending, flip, put, state_of};

fn often(options: &mut Options) {
    options.snapshot_entries = 20;
    options.segment_bytes = 1 << 16;
    options.anchors = None;
}

fn kept(world: &World) -> Vec<std::path::PathBuf> {
    files_ending(&world.data().join("snapshots"), ".snap")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_kept_at_its_threshold_and_what_is_before_it_is_not_folded() {
    let mut world = World::with(often).await;
    crowd(&world.engine, "person", 300).await;
    let state = state_of(&world.engine);
    world.engine.close().await;
    assert_eq!(kept(&world).len(), 2);
    let segments = files_ending(&world.data().join("segments"), ".seg");
    assert!(segments.len() > 2, "{segments:?}");
    // Whoever reads this segment notices; whoever starts from the snapshot does not read it.
    flip(&segments[0], 1_000);
    world.reopen().await;
    assert_eq!(state_of(&world.engine), state);
    crowd(&world.engine, "later", 1).await;
    world.engine.close().await;
    for snapshot in kept(&world) {
        fs::remove_file(snapshot).unwrap();
    }
    assert!(matches!(Engine::open(world.options()).await, Err(OpenError::Store(_))));
    flip(&segments[0], 1_000);
    world.reopen().await;
    assert_eq!(world.engine.read(|state| state.people.len()), 302);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_is_left_aside_and_the_state_is_the_same() {
    let mut world = World::with(often).await;
    crowd(&world.engine, "person", 70).await;
    let state = state_of(&world.engine);
    world.engine.close().await;
    for spoil in [1, 2] {
        for snapshot in kept(&world).iter().rev().take(spoil) {
            flip(snapshot, 100);
        }
        world.reopen().await;
        assert_eq!(state_of(&world.engine), state, "with {spoil} damaged");
        world.engine.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_another_log_or_of_its_future_is_discarded() {
    let mut world = World::with(often).await;
    let copies = tempfile::tempdir().unwrap();
    world.engine.close().await;
    put(world.data(), copies.path());
    world.reopen().await;
    crowd(&world.engine, "one", 50).await;
    let state = state_of(&world.engine);
    world.engine.close().await;

    let fork = Options { data: copies.path().to_owned(), keys: world.options().keys, ..world.options() };
    let engine = Engine::open(fork).await.unwrap();
    crowd(&engine, "another", 120).await;
    engine.close().await;
    // Of the same realm, sealed with the same key; some are ahead of this log, some are as long as it once was.
    for foreign in files_ending(&copies.path().join("snapshots"), ".snap") {
        fs::copy(&foreign, world.data().join("snapshots").join(foreign.file_name().unwrap())).unwrap();
    }
    world.reopen().await;
    assert_eq!(state_of(&world.engine), state);
    world.engine.close().await;

    put(&copies.path().join("snapshots"), &world.data().join("snapshots"));
    let ahead = kept(&world);
    let at = |size: u64| world.data().join("snapshots").join(format!("{size:020}.snap"));
    // One whose name claims what the log has reached: its seal is of another size.
    fs::copy(&ahead[0], at(10)).unwrap();
    world.reopen().await;
    assert_eq!(state_of(&world.engine), state);
    crowd(&world.engine, "more", 25).await;
    world.engine.close().await;
    let head = world.engine.head();
    let name = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    assert!(kept(&world).iter().all(|snapshot| name(snapshot) <= head), "{:?}", kept(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_only_claims_to_be_of_the_future_takes_no_place_for_ever() {
    let mut world = World::with(often).await;
    crowd(&world.engine, "person", 30).await;
    world.engine.close().await;
    for size in [u64::MAX, u64::MAX - 1] {
        fs::write(world.data().join("snapshots").join(format!("{size:020}.snap")), b"nothing").unwrap();
    }
    world.reopen().await;
    crowd(&world.engine, "more", 50).await;
    world.engine.close().await;
    let kept = kept(&world);
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|file| fs::metadata(file).unwrap().len() > 100), "{kept:?}");
}
