//! Verifying a directory at rest names whatever is wrong with it, by its place.

use std::fs;
use std::path::Path;

use remit_engine::verify_directory;
use remit_testkit::World;

use crate::desk::{crowd, files, files_ending, flip, put, verified};

/// A closed world with several segments, a full tile and partial ones.
async fn closed() -> World {
    let world = World::with(|options| options.segment_bytes = 1 << 16).await;
    crowd(&world.engine, "person", 320).await;
    world.engine.close().await;
    assert!(verified(&world).segments > 2);
    world
}

/// Every fault of `world`'s ledger, in one text.
fn faults(world: &World) -> String {
    match verify_directory(world.data(), Some(&world.anchors()), None) {
        Ok(report) => report.faults.join("\n"),
        Err(error) => error.to_string(),
    }
}

fn position(file: &Path, needle: &[u8]) -> i64 {
    let bytes = fs::read(file).unwrap();
    i64::try_from(bytes.windows(needle.len()).position(|window| window == needle).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_found_and_its_file_named() {
    let world = closed().await;
    let segments = files_ending(&world.data().join("segments"), ".seg");
    let (first, last) = (&segments[0], segments.last().unwrap());
    let ledger = world.data().join("ledger");
    let mut places = vec![
        (first.clone(), 3),
        (first.clone(), 20),
        (first.clone(), 61),
        (first.clone(), position(first, b"PersonAdded")),
        (last.clone(), position(last, b"PersonAdded")),
        // The signature in a commit.
        (first.clone(), position(first, "\n\n\u{2014} ".as_bytes()) + 40),
        (last.clone(), position(last, "\n\n\u{2014} ".as_bytes()) + 40),
        (first.clone(), -1),
        (last.clone(), -1),
        (ledger.join("checkpoint"), 2),
        (ledger.join("checkpoint"), -3),
    ];
    for tile in files(&ledger.join("tile")) {
        places.extend([(tile.clone(), 0), (tile, -1)]);
    }
    for (file, at) in places {
        flip(&file, at);
        let found = faults(&world);
        let place = file.strip_prefix(world.data()).unwrap().to_str().unwrap();
        assert!(found.contains(place), "byte {at} of {place}: {found:?}");
        flip(&file, at);
    }
    verified(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_realm_file_or_anchor_or_a_foreign_key_is_found() {
    let (world, other) = (closed().await, World::new().await);
    for file in [world.data().join("realm.json"), files(&world.anchors()).remove(0)] {
        let length = i64::try_from(fs::metadata(&file).unwrap().len()).unwrap();
        for at in (0..length).step_by(23) {
            flip(&file, at);
            assert!(!faults(&world).is_empty(), "byte {at} of {}", file.display());
            flip(&file, at);
        }
    }
    let foreign = other.engine.realm().log_key;
    let report = verify_directory(world.data(), None, Some(&foreign)).unwrap();
    assert!(report.faults.iter().any(|fault| fault.contains("not the one that you trust")), "{:?}", report.faults);
    verified(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_found_and_named() {
    let world = closed().await;
    let segments = files_ending(&world.data().join("segments"), ".seg");
    let ledger = world.data().join("ledger");
    let mut missing = vec![(ledger.join("checkpoint"), "ledger/checkpoint".to_owned())];
    for full in ["tile/0/000", "tile/entries/000"] {
        missing.push((ledger.join(full), format!("ledger/{full}")));
    }
    // What is missing between two segments is told where the later one begins; the last one, by what is published.
    missing.push((segments[1].clone(), segments[2].file_name().unwrap().to_str().unwrap().to_owned()));
    missing.push((segments.last().unwrap().clone(), "the published checkpoint says".to_owned()));
    for (file, named) in missing {
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let found = faults(&world);
        assert!(found.contains(&named), "without {}: {found:?}", file.display());
        fs::write(&file, bytes).unwrap();
    }
    verified(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shortened_log_is_told_by_the_anchor_alone() {
    let mut world = World::new().await;
    let copies = tempfile::tempdir().unwrap();
    world.engine.close().await;
    put(world.data(), copies.path());
    world.reopen().await;
    crowd(&world.engine, "late", 3).await;
    world.engine.close().await;
    put(copies.path(), world.data());
    assert_eq!(verify_directory(world.data(), None, None).unwrap().faults, Vec::<String>::new());
    assert!(faults(&world).contains("the anchor says"), "{}", faults(&world));
}
