//! What is known from outside, and files that name the realm: an old copy, a fork or a changed file is not opened.

use std::fs;

use remit_engine::store::StoreError;
use remit_engine::{Engine, KeySource, OpenError, Options};
use remit_testkit::World;

use crate::desk::{crowd, files, flip, put, verified};

async fn refused(options: Options) -> OpenError {
    match Engine::open(options).await {
        Err(error) => {
            assert!(!error.help().is_empty(), "{error}");
            error
        }
        Ok(_) => panic!("it was opened"),
    }
}

fn anchor(world: &World) -> std::path::PathBuf {
    files(&world.anchors()).pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_is_refused_and_the_anchor_named() {
    let mut world = World::new().await;
    let copies = tempfile::tempdir().unwrap();
    crowd(&world.engine, "early", 3).await;
    let held = world.engine.head();
    world.engine.close().await;
    put(world.data(), copies.path());
    world.reopen().await;
    crowd(&world.engine, "late", 2).await;
    world.engine.close().await;
    put(copies.path(), world.data());
    let before = files(world.data()).len();
    let error = refused(world.options()).await;
    assert!(error.help().contains(&anchor(&world).display().to_string()), "{}", error.help());
    match error {
        OpenError::RolledBack { held: found, known, anchor: named } => {
            assert_eq!((found, known, named), (held, held + 2, anchor(&world)));
        }
        other => panic!("{other}"),
    }
    assert_eq!(files(world.data()).len(), before, "nothing was changed");
    // Who accepts the loss moves the anchor away, as the help says.
    fs::remove_file(anchor(&world)).unwrap();
    world.reopen().await;
    assert_eq!(world.engine.head(), held);
    world.engine.close().await;
    verified(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_continuation_of_the_same_beginning_is_refused() {
    let mut world = World::new().await;
    let copies = tempfile::tempdir().unwrap();
    world.engine.close().await;
    put(world.data(), copies.path());
    world.reopen().await;
    crowd(&world.engine, "one", 1).await;
    let size = world.engine.head();
    world.engine.close().await;
    let known = fs::read(anchor(&world)).unwrap();
    fs::remove_file(anchor(&world)).unwrap();
    put(copies.path(), world.data());
    world.reopen().await;
    crowd(&world.engine, "another", 1).await;
    assert_eq!(world.engine.head(), size);
    world.engine.close().await;
    fs::write(anchor(&world), known).unwrap();
    let error = refused(world.options()).await;
    assert!(error.help().contains(&anchor(&world).display().to_string()), "{}", error.help());
    assert!(matches!(&error, OpenError::Forked { size: at, .. } if *at == size), "{error}");
    let report = remit_engine::verify_directory(world.data(), Some(&world.anchors()), None).unwrap();
    assert!(report.faults.iter().any(|fault| fault.contains("fork")), "{:?}", report.faults);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_file_that_is_missing_or_changed_is_refused() {
    let (world, other) = (World::new().await, World::new().await);
    world.engine.close().await;
    let (file, other) = (world.data().join("realm.json"), other.data().join("realm.json"));
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let error = refused(world.options()).await;
    assert!(matches!(&error, OpenError::Layout(reason) if reason.contains("`realm.json` is missing")), "{error}");
    assert!(!file.exists(), "nothing was made in its place");

    let member = |text: &str| {
        let plate: serde_json::Value = serde_json::from_str(text).unwrap();
        plate["log_key"].as_str().unwrap().to_owned()
    };
    let foreign = member(&fs::read_to_string(&other).unwrap());
    fs::write(&file, text.replace(&member(&text), &foreign)).unwrap();
    let error = refused(world.options()).await;
    assert!(matches!(&error, OpenError::Layout(reason) if reason.contains("another log key")), "{error}");

    fs::copy(&other, &file).unwrap();
    refused(world.options()).await;
    fs::write(&file, &text).unwrap();
    Engine::open(world.options()).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_with_a_flipped_byte_is_refused() {
    let world = World::new().await;
    world.engine.close().await;
    let anchor = anchor(&world);
    let length = i64::try_from(fs::metadata(&anchor).unwrap().len()).unwrap();
    for at in (0..length).step_by(5) {
        flip(&anchor, at);
        let error = refused(world.options()).await;
        assert!(matches!(&error, OpenError::Layout(reason) if reason.contains("anchor")), "byte {at}: {error}");
        flip(&anchor, at);
    }
    Engine::open(world.options()).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_refused_with_a_sentence() {
    let (world, other) = (World::new().await, World::new().await);
    world.engine.close().await;
    let sealed = fs::read(world.data().join("keys.sealed")).unwrap();
    let mut options = world.options();
    options.keys = KeySource::File(other.data().join("kek"));
    let error = refused(options).await;
    assert!(error.to_string().starts_with("cannot open the keys in `"), "{error}");
    assert!(error.help().contains("key file"), "{}", error.help());
    let mut options = world.options();
    options.keys = KeySource::Value("too short".to_owned().into());
    assert!(refused(options).await.to_string().contains("32 bytes in base64url"));
    assert_eq!(fs::read(world.data().join("keys.sealed")).unwrap(), sealed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_opened_once_at_a_time() {
    let world = World::new().await;
    let error = refused(world.options()).await;
    let own = std::process::id();
    assert!(matches!(&error, OpenError::Store(StoreError::InUse { pid: Some(pid), .. }) if *pid == own), "{error}");
    crowd(&world.engine, "still-served", 1).await;
    world.engine.close().await;
    Engine::open(world.options()).await.unwrap().close().await;
}
