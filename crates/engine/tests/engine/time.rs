//! Time: it ends what is due, never runs backwards on record, and a restart leaves nothing in silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use remit_domain::{Command, EndReason, Event, Outcome, Timestamp};
use remit_engine::{Clock, Committed};
use remit_testkit::{Answer, NOW, World};
use serde_json::json;

use crate::desk::{crowd, desk, until};

async fn happens(world: &World, what: &str, is_it: impl Fn(&Event) -> bool) {
    until(what, async || world.records().await.iter().any(|committed| is_it(&committed.record.event))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_ends_when_its_time_is_over() {
    let (world, _) = desk().await;
    let task = world.task_with("support", |start| start.ttl_seconds = Some(60)).await;
    world.advance(59);
    world.call(task, "desk/lookup", json!({"id": "7"})).await.allowed();
    world.advance(1);
    let late = world.call(task, "desk/lookup", json!({"id": "7"})).await;
    assert!(matches!(&late, Answer::Denied(_)), "not a moment longer, whether recorded yet or not: {late:?}");
    happens(
        &world,
        "its end",
        |event| matches!(event, Event::TaskEnded { task: ended, reason: EndReason::Expired, .. } if *ended == task),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_answers_expires() {
    let (world, task) = desk().await;
    let asked = world.call(task, "desk/refund", json!({"order": "7", "amount": 30})).await.asked();
    world.advance(15 * 60 + 1);
    happens(&world, "its end", |event| matches!(event, Event::ApprovalExpired { approval, .. } if *approval == asked))
        .await;
    let digest = world.engine.read(|state| state.approval(asked).unwrap().digest);
    let late = remit_domain::Approve::unsigned(asked, digest, String::new());
    world.refused(&world.acting("ana"), Command::Approve(late)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_ends_when_its_time_is_over() {
    let (world, _) = desk().await;
    world.agent("brief", "ana", |_| {}).await;
    let grant = world.grant("brief", &["desk/lookup"], 100).await;
    let task = world.task("brief").await;
    world.call(task, "desk/lookup", json!({"id": "7"})).await.allowed();
    world.advance(101);
    assert_eq!(
        world.call(task, "desk/lookup", json!({"id": "7"})).await,
        Answer::Denied("denied_by_policy".to_owned())
    );
    happens(&world, "its end", |event| matches!(event, Event::GrantExpired { grant: ended, .. } if *ended == grant))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_and_not_reported_is_unknown_after_a_restart() {
    let (mut world, task) = desk().await;
    let done = world.call(task, "desk/lookup", json!({"id": "1"})).await.allowed();
    world.succeed(done).await;
    let mut open = Vec::new();
    for id in ["2", "3"] {
        open.push(world.call(task, "desk/lookup", json!({"id": id})).await.allowed());
    }
    world.reopen().await;
    let records = world.records().await;
    let unknown = records.iter().filter_map(|committed| match &committed.record.event {
        Event::OutcomeRecorded(recorded) if matches!(recorded.outcome, Outcome::Unknown { .. }) => {
            Some(recorded.action)
        }
        _ => None,
    });
    let mut unknown: Vec<_> = unknown.collect();
    unknown.sort();
    open.sort();
    assert_eq!(unknown, open);
    assert!(matches!(records.last().unwrap().record.event, Event::Recovered { actions_unknown: 2 }));
    let head = world.engine.head();
    world.reopen().await;
    assert_eq!(world.engine.head(), head, "once");
}

/// A clock that somebody sets.
#[derive(Debug)]
struct Wall(AtomicI64);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_time_never_goes_back() {
    // A snapshot after each batch: after the restart below not one entry is left to read the time from.
    for snapshot_entries in [1, 100_000] {
        let wall = Arc::new(Wall(AtomicI64::new(NOW.as_millis())));
        let clock = wall.clone();
        let mut world = World::with(|options| {
            options.clock = clock;
            options.snapshot_entries = snapshot_entries;
        })
        .await;
        crowd(&world.engine, "first", 2).await;
        wall.0.fetch_sub(3_600_000, Ordering::SeqCst);
        crowd(&world.engine, "second", 2).await;
        world.reopen().await;
        crowd(&world.engine, "third", 2).await;
        wall.0.fetch_add(7_200_000, Ordering::SeqCst);
        crowd(&world.engine, "fourth", 2).await;
        let times: Vec<Timestamp> = world.records().await.iter().map(|committed: &Committed| committed.at).collect();
        assert!(times.is_sorted(), "{snapshot_entries}: {times:?}");
        assert_eq!(times.last(), Some(&NOW.plus_seconds(3_600)));
    }
}
