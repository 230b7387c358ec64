//! What can be made again is made again: the search index, the tiles and the checkpoint.

use std::fs;
use std::path::Path;

use remit_engine::{Engine, Filter};
use remit_testkit::World;

use crate::desk::{crowd, files, flip, put, until, verified};

async fn people(engine: &Engine) -> Vec<u64> {
    let added = Filter { kind: Some("PersonAdded".to_owned()), limit: 1_000, ..Filter::default() };
    engine.query(added).await.unwrap().iter().map(|committed| committed.seq).collect()
}

/// A world of some people, closed, with the places of the records about them.
async fn peopled() -> (World, Vec<u64>) {
    let world = World::new().await;
    crowd(&world.engine, "person", 40).await;
    until("indexed", async || people(&world.engine).await.len() == 41).await;
    let found = people(&world.engine).await;
    world.engine.close().await;
    (world, found)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_ruined_index_is_filled_again() {
    let (mut world, found) = peopled().await;
    let index = world.data().join("index.sqlite");
    for ruin in [|index: &Path| fs::remove_file(index).unwrap(), |index: &Path| fs::write(index, b"ruined").unwrap()] {
        ruin(&index);
        world.reopen().await;
        until("indexed again", async || people(&world.engine).await == found).await;
        world.engine.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_ahead_is_of_another_log_and_filled_again() {
    let (mut world, found) = peopled().await;
    let copies = tempfile::tempdir().unwrap();
    put(world.data(), copies.path());
    world.reopen().await;
    crowd(&world.engine, "lost", 20).await;
    world.engine.close().await;
    fs::copy(world.data().join("index.sqlite"), copies.path().join("index.sqlite")).unwrap();
    put(copies.path(), world.data());
    fs::remove_dir_all(world.anchors()).unwrap();
    world.reopen().await;
    until("indexed again", async || people(&world.engine).await == found).await;
    crowd(&world.engine, "next", 1).await;
    let head = world.engine.head();
    until("it goes on", async || people(&world.engine).await.first() == Some(&(head - 1))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_tiles_are_published_again() {
    let (mut world, _) = peopled().await;
    let ledger = world.data().join("ledger");
    for lost in ["checkpoint", "tile"] {
        let path = ledger.join(lost);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap()
        } else {
            fs::remove_file(&path).unwrap()
        }
        world.reopen().await;
        world.engine.prove(0).await.unwrap();
        world.engine.close().await;
        let report = verified(&world);
        assert_eq!(report.published, report.entries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_tiles_are_brought_forward() {
    let (mut world, _) = peopled().await;
    let (copies, ledger) = (tempfile::tempdir().unwrap(), world.data().join("ledger"));
    put(&ledger, copies.path());
    world.reopen().await;
    // Past a full tile, so that partial ones give way.
    crowd(&world.engine, "later", 300).await;
    world.engine.close().await;
    verified(&world);
    put(copies.path(), &ledger);
    world.reopen().await;
    world.engine.close().await;
    let report = verified(&world);
    assert_eq!(report.published, report.entries);
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_tiles_are_published_again() {
    let (mut world, _) = peopled().await;
    let ledger = world.data().join("ledger");
    let published = || files(&ledger).into_iter().filter(|file| !file.ends_with("checkpoint"));
    let newest = |kind: &str| {
        let kind = format!("/tile/{kind}/");
        let width = |file: &Path| file.file_name().unwrap().to_str().unwrap().parse::<u64>().unwrap();
        published().filter(|file| file.to_string_lossy().contains(&kind)).max_by_key(|file| width(file)).unwrap()
    };
    for path in [newest("0"), newest("entries"), ledger.join("checkpoint")] {
        flip(&path, 20);
        world.reopen().await;
        world.engine.close().await;
        let report = verified(&world);
        assert_eq!(report.published, report.entries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn full_tiles_that_a_power_failure_took_are_published_again() {
    let mut world = World::new().await;
    crowd(&world.engine, "person", 300).await;
    world.engine.close().await;
    let ledger = world.data().join("ledger");
    for taken in ["tile/0/000", "tile/entries/000"] {
        for take in [|file: &Path| fs::remove_file(file).unwrap(), |file: &Path| fs::write(file, b"").unwrap()] {
            take(&ledger.join(taken));
            world.reopen().await;
            world.engine.close().await;
            verified(&world);
        }
    }
}
