//! Under load: nothing that was acknowledged is lost, and every stream sees everything once.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::future::join_all;
use remit_domain::Event;
use remit_engine::SubmitError;
use remit_testkit::World;

use crate::desk::{add, crowd, verified};

/// More than the queue takes while the disk is slower than whoever asks.
const AT_ONCE: usize = 40_000;
/// More than the live side of a stream holds.
const COMMITTED: usize = 20_001;
/// As many at a time as the queue surely takes.
const WAVE: usize = 10_000;

/// Submits `count` additions at once and gives the names that were acknowledged, and how many were turned away.
async fn flood(world: &World, group: &str, count: usize) -> (BTreeSet<String>, usize) {
    let root = world.root();
    let submits = (0..count).map(|index| {
        let (name, root) = (format!("{group}-{index}"), root.clone());
        async move { (world.engine.submit(root, add(&name)).await, name) }
    });
    let (mut acknowledged, mut overloaded) = (BTreeSet::new(), 0);
    for (answer, name) in join_all(submits).await {
        match answer {
            Ok(_) => drop(acknowledged.insert(name)),
            Err(SubmitError::Unavailable(refusal)) if refusal.code == "overloaded" => overloaded += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    (acknowledged, overloaded)
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_at_once_are_turned_away_and_nothing_is_lost() {
    let mut world = World::new().await;
    let before = world.engine.head();
    let (acknowledged, overloaded) = flood(&world, "person", AT_ONCE).await;
    assert!(overloaded > 0, "all {AT_ONCE} were taken");
    assert_eq!(world.engine.head() - before, acknowledged.len() as u64);
    assert!(world.engine.health().ready);
    crowd(&world.engine, "after", 1).await;
    world.reopen().await;
    let known = world.engine.state();
    assert!(acknowledged.iter().all(|name| known.person_named(name).is_ok()));
    assert_eq!(known.people.len(), acknowledged.len() + 2);
    world.engine.close().await;
    verified(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_stream_sees_everything_once() {
    let world = World::new().await;
    let start = world.engine.head();
    let mut slow = world.engine.watch(0);
    assert_eq!(slow.next().await.unwrap().seq, 0);
    let goal = start + COMMITTED as u64;
    let eager = {
        let stream = world.engine.watch(start);
        let goal = goal - start;
        tokio::spawn(async move {
            stream.take(usize::try_from(goal).unwrap()).map(|committed| committed.seq).collect::<Vec<_>>().await
        })
    };
    let mut group = 0;
    while world.engine.head() < goal {
        let left = usize::try_from(goal - world.engine.head()).unwrap();
        flood(&world, &format!("group-{group}"), left.min(WAVE)).await;
        group += 1;
    }
    assert!(goal - 1 > 16_384, "the live side has lagged");
    let mut seen = vec![0];
    while seen.len() < usize::try_from(goal).unwrap() {
        let committed = slow.next().await.unwrap();
        assert!(!matches!(committed.record.event, Event::RealmCreated(_)));
        seen.push(committed.seq);
    }
    assert!(seen.into_iter().eq(0..goal));
    assert!(eager.await.unwrap().into_iter().eq(start..goal));
    // And it goes on live.
    crowd(&world.engine, "last", 1).await;
    assert_eq!(slow.next().await.unwrap().seq, goal);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_begin_in_the_midst_miss_nothing() {
    let world = World::new().await;
    for round in 0..30 {
        let from = world.engine.head();
        let group = format!("round-{round}");
        let adding = flood(&world, &group, 20);
        let watching = async {
            tokio::task::yield_now().await;
            world.engine.watch(from).take(20).map(|committed| committed.seq).collect::<Vec<_>>().await
        };
        let (_, seen) =
            tokio::time::timeout(std::time::Duration::from_secs(60), async { tokio::join!(adding, watching) })
                .await
                .unwrap();
        assert!(seen.into_iter().eq(from..from + 20), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_once_it_is_closed() {
    let world = World::new().await;
    let (root, head) = (world.root(), world.engine.head());
    world.engine.close().await;
    let refused = world.engine.submit(root, add("late")).await.unwrap_err();
    assert!(matches!(&refused, SubmitError::Unavailable(refusal) if refusal.code == "stopping"), "{refused:?}");
    assert!(!world.engine.health().ready);
    assert_eq!(world.engine.head(), head);
    assert_eq!(world.engine.record(0).await.unwrap().unwrap().seq, 0, "reading goes on");
    world.engine.close().await;
}
