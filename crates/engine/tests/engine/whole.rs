//! A command happens whole or not at all, and each agent's own sequence has no gap.

use std::ops::ControlFlow;

use futures_util::StreamExt;
use futures_util::future::join_all;
use remit_domain::{Authority, Command, DataClass, EndReason, Event, StartTask, TaskId, Verb};
use remit_engine::store::{Recovered, verify_walk};
use remit_engine::{Receipt, Record};
use remit_ledger::chain::ChainChecker;
use remit_ledger::leaf_hash;
use remit_testkit::{Answer, World, operation};
use serde_json::json;

use crate::desk::{add, crowd, desk, state_of, verified};

/// One agent's day: calls that are allowed, denied and asked about, answered one way or the other, reported or not.
async fn work(world: &World, agent: &str) -> TaskId {
    let task = world.task(agent).await;
    for round in 0..12 {
        let answer = match round % 4 {
            0 => world.call(task, "desk/refund", json!({"order": format!("{round}"), "amount": round})).await,
            1 => world.call(task, "desk/missing", json!({})).await,
            _ => world.call(task, "desk/lookup", json!({"id": format!("{round}")})).await,
        };
        match answer {
            Answer::Asked(approval) if round % 8 == 0 => drop(world.approve("ana", approval).await),
            Answer::Asked(approval) => drop(world.deny("ana", approval, "not this one").await),
            Answer::Allowed(action) if round % 3 != 0 => drop(world.succeed(action).await),
            Answer::Allowed(_) | Answer::Denied(_) => {}
        }
    }
    world.token(task).await;
    task
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sequence_of_each_agent_has_no_gap() {
    let (mut world, _) = desk().await;
    let names = ["support", "triage", "night-shift"];
    for name in &names[1..] {
        world.agent(name, "ana", |_| {}).await;
        world.grant(name, &["desk/*"], 86_400).await;
    }
    let tasks = join_all(names.iter().chain(&names).map(|name| work(&world, name))).await;
    world.end(tasks[0]).await;
    let agent = world.agent_named("triage");
    world.submit(&world.root(), Command::SuspendAgent { agent, reason: "a look at it".to_owned() }).await;
    world.reopen().await;
    work(&world, "support").await;
    world.engine.close().await;

    let (mut chains, mut linked, mut entries) = (ChainChecker::default(), 0, 0);
    verify_walk(&world.data().join("segments"), &mut |read| {
        if let Recovered::Entry { index, entry } = read {
            let record: Record = serde_json::from_slice(entry).unwrap();
            assert_eq!(record.seq, index);
            assert_eq!(record.event.agent().is_some(), record.link.is_some(), "entry {index}");
            if let (Some(agent), Some(link)) = (record.event.agent(), &record.link) {
                chains.check(&agent.to_string(), link, leaf_hash(entry)).unwrap();
                linked += 1;
            }
            entries += 1;
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(chains.chains().heads().count(), names.len());
    assert_eq!(chains.chains().heads().map(|(_, head)| head.seq).sum::<u64>(), linked);
    assert!(linked > 100, "{linked} of {entries}");
    verified(&world);
}

/// How many entries there were at each commit of `world`'s log.
fn commits(world: &World) -> Vec<u64> {
    let mut commits = Vec::new();
    verify_walk(&world.data().join("segments"), &mut |read| {
        if let Recovered::Commit { entries_total, .. } = read {
            commits.push(entries_total);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    commits
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_one_command_become_durable_together() {
    let (world, task) = desk().await;
    let root = world.root();
    let mut ends = Vec::new();
    for round in 0..4 {
        // A task with others under it, and questions under those: all end with it, in one command.
        let top = world.task("support").await;
        for _ in 0..3 {
            let below = world.task_with("support", |start| start.parent = Some(top)).await;
            world.call(below, "desk/refund", json!({"order": "7", "amount": round})).await.asked();
        }
        ends.push(top);
    }
    let noise = (0..200).map(|index| {
        let (root, engine) = (root.clone(), &world.engine);
        async move { engine.submit(root, add(&format!("person-{index}"))).await.unwrap() }
    });
    let ending = ends.iter().map(|task| world.end(*task));
    let (_, receipts): (Vec<Receipt>, Vec<Receipt>) = tokio::join!(join_all(noise), join_all(ending));
    world.engine.close().await;
    let commits = commits(&world);
    for receipt in &receipts {
        let ended = |event: &&Event| matches!(event, Event::TaskEnded { reason, .. } if *reason != EndReason::Expired);
        assert_eq!(receipt.events.iter().filter(ended).count(), 4, "{receipt:?}");
        let within = receipt.seq + 1..receipt.seq + receipt.events.len() as u64;
        assert!(!commits.iter().any(|size| within.contains(size)), "{within:?} is cut by a commit");
    }
    assert!(world.engine.read(|state| state.task(task).unwrap().is_live()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_make_too_long_a_record_changes_nothing() {
    let (world, task) = desk().await;
    let agent = world.engine.read(|state| state.task(task).unwrap().agent);
    let (state, head) = (state_of(&world.engine), world.engine.head());
    // Each part within its bounds, and all of them together too long for a record.
    let constraints = (0..16).map(|bound| (format!("bound-{bound}"), json!("x".repeat(1_900)))).collect();
    let part = Authority { operations: vec!["helpdesk/*".parse().unwrap()], constraints, delegation: None };
    let start = StartTask {
        agent,
        purpose: "answer ticket 7".to_owned(),
        acting_for: None,
        scope: Vec::new(),
        ttl_seconds: None,
        budget: None,
        parent: None,
        key: None,
        authority: vec![part; 3],
        delegation: None,
        configuration: None,
    };
    let refusal = world.refused(&world.root(), Command::StartTask(Box::new(start))).await;
    assert_eq!(refusal.code, "too_large");
    assert!(refusal.help.is_some());
    assert_eq!((state_of(&world.engine), world.engine.head()), (state, head));
    crowd(&world.engine, "next", 1).await;
    assert_eq!(world.engine.head(), head + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_that_has_no_canonical_form_leaves_none_of_its_command() {
    let (mut world, _) = desk().await;
    let connector = world.engine.read(|state| state.connector_named("desk").unwrap().id);
    let (state, head) = (state_of(&world.engine), world.engine.head());
    let mut live = world.engine.watch(head);
    let fine = operation("close", Verb::Write, 0, DataClass::D1, &json!({}));
    let mut rounded = operation("open", Verb::Write, 0, DataClass::D1, &json!({}));
    rounded.definition.document["largest"] = json!(u64::MAX);
    for choices in [vec![rounded.clone()], vec![fine, rounded]] {
        let refusal = world.refused(&world.root(), Command::ApproveOperations { connector, choices }).await;
        assert_eq!(refusal.code, "not_canonical");
    }
    assert_eq!((state_of(&world.engine), world.engine.head()), (state.clone(), head));
    crowd(&world.engine, "next", 1).await;
    let next = live.next().await.unwrap();
    assert_eq!(next.seq, head);
    assert_eq!(next.record, world.engine.record(head).await.unwrap().unwrap().record);
    let state = state_of(&world.engine);
    world.reopen().await;
    assert_eq!(state_of(&world.engine), state);
}
