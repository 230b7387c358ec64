use std::sync::Arc;

use remit_domain::{Actor, AddPerson, Command, SignInMethod, State, Timestamp};

use super::*;
use crate::watch::read_records;
use crate::{ManualClock, Options, Setup};

const BEGAN: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn options(data: &std::path::Path, clock: &Arc<ManualClock>, snapshot_entries: u64) -> Options {
    let setup = Setup {
        trust_domain: "remit.test".to_owned(),
        issuer: "http://127.0.0.1:7470".to_owned(),
        administrator: "root".to_owned(),
        administrator_uid: Some(0),
        policies: Vec::new(),
    };
    Options { segment_bytes: 1 << 16, snapshot_entries, clock: clock.clone(), ..Options::new(data, setup) }
}

async fn add(engine: &Engine, name: String) {
    let root = engine.read(|state| state.person_named("root").unwrap().id);
    let actor = Actor::Person { person: root, method: SignInMethod::LocalSocket };
    engine.submit(actor, Command::AddPerson(AddPerson { name, groups: Vec::new() })).await.unwrap();
}

/// A ledger of people who came a second after one another, three at a time.
async fn crowd(data: &std::path::Path, snapshot_entries: u64) -> (Engine, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(BEGAN));
    let engine = Engine::open(options(data, &clock, snapshot_entries)).await.unwrap();
    for second in 0..40 {
        clock.advance_seconds(1);
        for number in 0..3 {
            add(&engine, format!("person-{second}-{number}")).await;
        }
    }
    (engine, clock)
}

fn shown(state: &State) -> serde_json::Value {
    serde_json::to_value(state).unwrap()
}

/// The fold of everything that was recorded by `at`, record by record.
fn folded(engine: &Engine, at: Timestamp) -> State {
    let mut state = State::default();
    for committed in read_records(&engine.inner.reader, 0, engine.head()).unwrap() {
        if committed.at <= at {
            state.apply(&committed.record.event, committed.at);
        }
    }
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_any_moment_is_the_fold_of_what_was_recorded_by_then() {
    for snapshot_entries in [17, 100_000] {
        let directory = tempfile::tempdir().unwrap();
        let (engine, clock) = crowd(directory.path(), snapshot_entries).await;
        clock.advance_seconds(60);
        // Backwards and forwards, so that every way of beginning is taken.
        for millis in [0, 39_000, 500, 20_000, 20_999, 21_000, 40_000, 7_000, 99_000] {
            let at = Timestamp::from_millis(BEGAN.as_millis() + millis);
            let found = engine.as_of(at).await.unwrap();
            assert_eq!(shown(&found), shown(&folded(&engine, at)), "at {millis}");
        }
        engine.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_state_before_the_beginning_and_none_of_the_future() {
    let directory = tempfile::tempdir().unwrap();
    let (engine, clock) = crowd(directory.path(), 50).await;
    let before = engine.as_of(Timestamp::from_millis(BEGAN.as_millis() - 1)).await;
    assert!(matches!(before, Err(AsOfError::BeforeBeginning { .. })), "{before:?}");
    let later = engine.as_of(engine.now().plus_seconds(1)).await;
    assert!(matches!(later, Err(AsOfError::NotYet { .. })), "{later:?}");
    clock.advance_seconds(1);
    assert!(Arc::ptr_eq(&engine.as_of(engine.now()).await.unwrap(), &engine.state()), "now is now");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_is_kept_and_not_more_than_that() {
    let directory = tempfile::tempdir().unwrap();
    let (engine, _clock) = crowd(directory.path(), 100_000).await;
    for second in 1..20 {
        engine.as_of(BEGAN.plus_seconds(second)).await.unwrap();
    }
    let kept = engine.inner.past.kept.lock().unwrap().len();
    assert_eq!(kept, KEPT_MAX);
    let again = engine.as_of(BEGAN.plus_seconds(19)).await.unwrap();
    assert!(Arc::ptr_eq(&again, &engine.as_of(BEGAN.plus_seconds(19)).await.unwrap()));
    engine.close().await;
}
