//! Content: kept sealed, read back, and gone once it is erased, while every proof still stands.

use std::path::PathBuf;
use std::time::Duration;

use remit_domain::{Command, Event, TaskId};
use remit_engine::{Engine, Options, PackSelect, verify_pack};
use remit_testkit::World;
use serde_json::{Value, json};

use crate::desk::{desk, files, holds, put, until, verified};

const SECRET: &str = "the customer said 4711-0815";

fn database(data: &std::path::Path) -> Vec<PathBuf> {
    files(data).into_iter().filter(|file| file.to_string_lossy().contains("content.sqlite")).collect()
}

/// The sealed payloads and wrapped keys in the content database.
fn sealed(data: &std::path::Path) -> Vec<Vec<u8>> {
    let database = rusqlite::Connection::open(data.join("content.sqlite")).unwrap();
    let mut rows = database.prepare("SELECT sealed FROM content UNION ALL SELECT wrapped FROM keys").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

async fn pack(engine: &Engine) -> (Value, usize) {
    let pack = engine.pack(PackSelect { contents: true, ..PackSelect::default() }).await.unwrap();
    let report = verify_pack(&pack, Some(&engine.realm().log_key)).unwrap();
    (pack, report.contents)
}

fn reason() -> String {
    "the customer asked for it".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_kept_read_back_and_erased() {
    let (world, task) = desk().await;
    let (answer, reference) = world.attempt(task, "desk/lookup", json!({"id": SECRET})).await;
    world.succeed(answer.allowed()).await;
    let plain = world.engine.content(&reference, task).await.unwrap().unwrap();
    assert_eq!(plain, json!({"id": SECRET}).to_string().into_bytes());
    let erase = Command::EraseContent { task, agent: world.agent_named("support"), reason: reason() };
    assert_eq!(world.refused(&world.root(), erase).await.code, "task_alive");
    world.end(task).await;
    assert_eq!(pack(&world.engine).await.1, 1);
    let secrets = sealed(world.data());
    assert_eq!(secrets.len(), 2);
    assert!(secrets.iter().all(|secret| database(world.data()).iter().any(|file| holds(file, secret))));

    let receipt = world.engine.erase(world.root(), task, reason()).await.unwrap();
    assert!(matches!(receipt.events[..], [Event::ContentErased { .. }]));
    until("erased", async || world.engine.content(&reference, task).await.unwrap().is_none()).await;
    until("not a byte is left", async || {
        let database = database(world.data());
        !secrets.iter().any(|secret| database.iter().any(|file| holds(file, secret)))
    })
    .await;
    let (pack, contents) = pack(&world.engine).await;
    assert_eq!(contents, 0);
    assert!(pack.to_string().contains(&reference.commitment.to_string()), "the commitment is still on record");
    world.engine.close().await;
    verified(&world);
    assert!(files(world.data()).iter().all(|file| !holds(file, SECRET.as_bytes())), "it was never in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_of_other_tasks_stays() {
    let (mut world, task) = desk().await;
    let other = world.task("support").await;
    let (_, kept) = world.attempt(other, "desk/lookup", json!({"id": "1"})).await;
    let (answer, erased) = world.attempt(task, "desk/lookup", json!({"id": "1"})).await;
    assert_ne!(kept.commitment, erased.commitment, "salted: the same content does not show");
    world.end(task).await;
    let busy = world.engine.erase(world.root(), task, reason()).await.unwrap_err();
    assert_eq!(busy.refusal().code, "task_busy", "what is under way would be kept after the erasure");
    world.succeed(answer.allowed()).await;
    world.engine.erase(world.root(), task, reason()).await.unwrap();
    until("erased", async || world.engine.content(&erased, task).await.unwrap().is_none()).await;
    let late = world.engine.commitment(task, "result", b"{}".to_vec()).await.unwrap_err();
    assert_eq!(late.refusal().code, "content_erased", "whoever comes late keeps nothing more");
    world.reopen().await;
    assert_eq!(world.engine.content(&erased, task).await.unwrap(), None);
    assert_eq!(world.engine.content(&kept, other).await.unwrap().unwrap(), br#"{"id":"1"}"#);
    assert_eq!(world.engine.content(&kept, task).await.unwrap(), None, "only under its own task");
}

/// A copy of the directory from the moment at which the erasure was on record and nothing had been erased yet.
async fn crashed_before_erasing(world: &World, task: TaskId, copy: &std::path::Path) {
    let agent = world.agent_named("support");
    let mut database = rusqlite::Connection::open(world.data().join("content.sqlite")).unwrap();
    let busy = database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    world.submit(&world.root(), Command::EraseContent { task, agent, reason: reason() }).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    put(world.data(), copy);
    drop(busy);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_a_crash_interrupted_is_done_after_the_restart() {
    let (world, task) = desk().await;
    let (answer, reference) = world.attempt(task, "desk/lookup", json!({"id": SECRET})).await;
    world.succeed(answer.allowed()).await;
    world.end(task).await;
    let copy = tempfile::tempdir().unwrap();
    crashed_before_erasing(&world, task, copy.path()).await;
    world.engine.close().await;
    let secrets = sealed(copy.path());
    assert_eq!(secrets.len(), 2, "nothing was erased before the crash");

    let options = Options { data: copy.path().to_owned(), anchors: None, ..world.options() };
    let engine = Engine::open(options).await.unwrap();
    until("erased", async || engine.content(&reference, task).await.unwrap().is_none()).await;
    engine.close().await;
    until("not a byte is left", async || {
        !secrets.iter().any(|secret| database(copy.path()).iter().any(|file| holds(file, secret)))
    })
    .await;
}
