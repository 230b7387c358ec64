//! A help desk whose agent may look up and, when its owner says so, refund; and what happens to files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use remit_domain::{AddPerson, Command, ConnectorSpec, DataClass, TaskId, Verb};
use remit_engine::{Engine, Options, Report, verify_directory};
use remit_testkit::{World, operation};
use serde_json::{Value, json};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn desk() -> (World, TaskId) {
    desk_with(|_| {}).await
}

/// Ana's agent `support` with a live task that root started.
pub(crate) async fn desk_with(settle: impl FnOnce(&mut Options)) -> (World, TaskId) {
    let world = World::with(settle).await;
    world.person("ana", &[]).await;
    world.agent("support", "ana", |_| {}).await;
    let text = json!({"type": "string"});
    let choices = vec![
        operation("lookup", Verb::Read, 0, DataClass::D1, &json!({"id": text})),
        operation("refund", Verb::Write, 3, DataClass::D1, &json!({"order": text, "amount": {"type": "integer"}})),
    ];
    let spec = ConnectorSpec::Http { url: "http://127.0.0.1:1/mcp".to_owned() };
    world.connector("desk", spec, choices).await;
    world.grant("support", &["desk/*"], 30 * 86_400).await;
    let task = world.task("support").await;
    (world, task)
}

pub(crate) fn add(name: &str) -> Command {
    Command::AddPerson(AddPerson { name: name.to_owned(), groups: Vec::new() })
}

/// Adds `count` people, one after the other, named after `group`.
pub(crate) async fn crowd(engine: &Engine, group: &str, count: usize) {
    let root = engine.read(|state| state.person_of_uid(0).unwrap().id);
    let root = remit_domain::Actor::Person { person: root, method: remit_domain::SignInMethod::LocalSocket };
    for index in 0..count {
        engine.submit(root.clone(), add(&format!("{group}-{index}"))).await.unwrap();
    }
}

pub(crate) fn state_of(engine: &Engine) -> Value {
    serde_json::to_value(&*engine.state()).unwrap()
}

/// Waits until `holds`.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never happened: {what}"));
}

/// The ledger verifies, and the anchor with it.
pub(crate) fn verified(world: &World) -> Report {
    let report = verify_directory(world.data(), Some(&world.anchors()), None).unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    report
}

/// All files under `folder`.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The files directly in `folder` whose names end in `suffix`.
pub(crate) fn files_ending(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|file| file.to_string_lossy().ends_with(suffix)).collect()
}

/// Puts a copy of the folder `from` in the place of `to`.
pub(crate) fn put(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    // A socket or a lock is no part of a copy, and there is none.
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, &target).unwrap();
    }
}

/// Changes the byte `at` of `file`, counted from its end if negative.
pub(crate) fn flip(file: &Path, at: i64) {
    let mut bytes = fs::read(file).unwrap();
    let at = if at < 0 { bytes.len() as i64 + at } else { at };
    bytes[usize::try_from(at).unwrap()] ^= 0x01;
    fs::write(file, bytes).unwrap();
}

/// Whether `needle` stands anywhere in `file`.
pub(crate) fn holds(file: &Path, needle: &[u8]) -> bool {
    fs::read(file).unwrap().windows(needle.len()).any(|window| window == needle)
}
