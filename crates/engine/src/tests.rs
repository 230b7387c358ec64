//! An engine on a directory of its own: what is acknowledged is there after a restart, and verifies.

use std::sync::Arc;

use futures_util::StreamExt;
use remit_domain::{
    Actor, AddPerson, AgentId, AgentProfile, Class, Command, DataClass, Environment, Event, RegisterAgent,
    SignInMethod, StartTask, TaskId, Timestamp, limits,
};

use crate::error::SubmitError;
use crate::{Engine, ManualClock, Options, Setup, verify_directory};

fn setup() -> Setup {
    Setup {
        trust_domain: "remit.test".to_owned(),
        issuer: "http://127.0.0.1:7470".to_owned(),
        administrator: "root".to_owned(),
        administrator_uid: Some(0),
        policies: Vec::new(),
    }
}

fn options(data: &std::path::Path) -> Options {
    let clock = ManualClock::at(Timestamp::from_millis(1_800_000_000_000));
    Options { segment_bytes: 1 << 16, snapshot_entries: 50, clock: Arc::new(clock), ..Options::new(data, setup()) }
}

fn root(engine: &Engine) -> Actor {
    let person = engine.read(|state| state.person_named("root").unwrap().id);
    Actor::Person { person, method: SignInMethod::LocalSocket }
}

async fn add(engine: &Engine, name: &str) -> u64 {
    let command = Command::AddPerson(AddPerson { name: name.to_owned(), groups: Vec::new() });
    engine.submit(root(engine), command).await.unwrap().seq
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(options(directory.path())).await.unwrap();
    for index in 0..120 {
        add(&engine, &format!("person-{index}")).await;
    }
    let before = serde_json::to_value(&*engine.state()).unwrap();
    let head = engine.head();
    engine.close().await;
    let report = verify_directory(directory.path(), None, None).unwrap();
    assert_eq!((report.faults, report.entries, report.published), (Vec::new(), head, head));

    let engine = Engine::open(options(directory.path())).await.unwrap();
    assert_eq!(engine.head(), head, "a clean restart adds nothing");
    assert_eq!(serde_json::to_value(&*engine.state()).unwrap(), before);
    let proof = engine.prove(7).await.unwrap();
    assert!(proof.entry.contains("\"seq\":7"));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_misses_and_repeats_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(options(directory.path())).await.unwrap();
    for index in 0..30 {
        add(&engine, &format!("early-{index}")).await;
    }
    let watching = engine.clone();
    let seen = tokio::spawn(async move {
        let names = watching.watch(0).filter_map(|record| async move {
            match &record.record.event {
                Event::PersonAdded(added) => Some((record.seq, added.name.clone())),
                _ => None,
            }
        });
        names.take(61).collect::<Vec<_>>().await
    });
    for index in 0..30 {
        add(&engine, &format!("late-{index}")).await;
    }
    let seen = seen.await.unwrap();
    assert_eq!(seen.len(), 61);
    assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0));
    engine.close().await;
}

/// An agent of root's that has begun a task and ended it.
async fn ended_task(engine: &Engine) -> (AgentId, TaskId) {
    add(engine, "ana").await;
    let (owner, ana) =
        engine.read(|state| (state.person_named("root").unwrap().id, state.person_named("ana").unwrap().id));
    let profile = AgentProfile {
        owner: Some(owner),
        approvers: vec![ana],
        purpose: "answers customers".to_owned(),
        class: Some(Class::Act),
        autonomy: Some(3),
        data_classes: vec![DataClass::D0],
        environment: Some(Environment::Production),
        review_at: Some(engine.now().plus_seconds(90 * 24 * 3600)),
        enforcer: false,
    };
    let register = RegisterAgent { name: "support".to_owned(), profile };
    engine.submit(root(engine), Command::RegisterAgent(Box::new(register))).await.unwrap();
    let agent = engine.read(|state| state.agent_named("support").unwrap().id);
    engine.submit(root(engine), Command::ActivateAgent { agent }).await.unwrap();
    let start = StartTask {
        configuration: None,
        agent,
        purpose: "answer ticket 7".to_owned(),
        acting_for: None,
        scope: Vec::new(),
        ttl_seconds: None,
        budget: None,
        parent: None,
        key: None,
        authority: Vec::new(),
        delegation: None,
    };
    let receipt = engine.submit(root(engine), Command::StartTask(Box::new(start))).await.unwrap();
    let Some(Event::TaskStarted(started)) = receipt.events.first() else { panic!("{:?}", receipt.events) };
    engine.submit(root(engine), Command::EndTask { task: started.task, note: String::new() }).await.unwrap();
    (agent, started.task)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_of_a_task_that_ended_long_ago_is_erased() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_800_000_000_000)));
    let engine = Engine::open(Options { clock: clock.clone(), ..options(directory.path()) }).await.unwrap();
    let (agent, task) = ended_task(&engine).await;
    clock.advance_seconds(limits::ENDED_SECONDS_KEPT + 1);
    add(&engine, "bob").await;
    assert!(engine.read(|state| state.task(task).is_err()), "the state has forgotten it");
    let reason = || "the customer asked for it".to_owned();
    // The index follows the ledger: a day is long enough for it, these few milliseconds may not be.
    let following = async {
        loop {
            match engine.erase(root(&engine), task, reason()).await {
                Err(SubmitError::Refused(refusal)) if refusal.code == "not_found" => tokio::task::yield_now().await,
                answer => break answer.unwrap(),
            }
        }
    };
    let erased = tokio::time::timeout(std::time::Duration::from_secs(30), following).await.unwrap();
    assert_eq!(erased.events[..], [Event::ContentErased { agent, task, reason: reason() }]);
    let nothing = engine.erase(root(&engine), TaskId::from_uuid(Default::default()), reason()).await;
    assert!(matches!(nothing, Err(SubmitError::Refused(refusal)) if refusal.code == "not_found"));
    engine.close().await;
}
