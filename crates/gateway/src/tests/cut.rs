//! The end of things: what was open is cut, nothing is let through any more, and it is on record when that was so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use remit_domain::{Command, Enforced, Event, Outcome, TaskId};
use serde_json::json;

use super::world::{World, read};

impl World {
    fn enforces(&self) {
        self.gateway.effects().into_iter().for_each(|effect| self.engine.carry_out(effect));
    }

    /// What was recorded of `point` because of the entry `cause`.
    async fn enforced(&self, cause: u64, point: &str) -> Enforced {
        let about = |event: &Event| match event {
            Event::Enforced(enforced) if enforced.cause == cause && enforced.point == point => {
                Some((**enforced).clone())
            }
            _ => None,
        };
        self.wait_for(about).await
    }
}

async fn until(holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came so far");
}

#[tokio::test]
async fn a_stream_is_cut_with_its_task() {
    let world = World::new().await;
    world.enforces();
    let wants = json!({"notifications": {"toolsListChanged": true}});
    let mut stream = world.modern("/mcp/desk", "subscriptions/listen", wants).send().await.unwrap().bytes_stream();
    assert!(stream.next().await.unwrap().is_ok(), "it is open");
    let receipt = world.end(world.task).await;
    let ended = tokio::time::timeout(Duration::from_secs(5), async move { while stream.next().await.is_some() {} });
    ended.await.expect("the stream has an end");
    let streams = world.enforced(receipt.seq, "gateway-streams").await;
    assert_eq!((streams.ended, streams.remaining.len()), (1, 0));
    assert!(streams.took_effect_at >= receipt.at);
    assert_eq!(streams.agent, Some(world.agent));
}

#[tokio::test]
async fn a_call_under_way_is_answered_at_once_and_its_upstream_is_told() {
    let world = World::new().await;
    world.enforces();
    let began = Instant::now();
    let (answered, receipt) = tokio::join!(world.call("hang", json!({})), async {
        until(|| !world.desk.calls().is_empty()).await;
        world.submit(&world.ada, Command::SuspendAgent { agent: world.agent, reason: "enough".to_owned() }).await
    });
    assert_eq!(answered.status, 200);
    assert!(["task_ended", "outcome_unknown"].contains(&answered.refused().unwrap()), "{answered:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "it does not wait for the upstream: {:?}", began.elapsed());
    let reason = world.wait_for(|event| match event {
        Event::OutcomeRecorded(recorded) => Some(recorded.outcome.clone()),
        _ => None,
    });
    let Outcome::Unknown { reason } = reason.await else { panic!("unknown") };
    assert!(reason.contains("the task ended"), "{reason}");
    assert!(world.enforced(receipt.seq, "gateway-streams").await.ended >= 1);
    let upstream = world.enforced(receipt.seq, "upstream-grants").await;
    assert!(upstream.ended >= 1);
    assert!(upstream.remaining.iter().any(|left| left.contains("desk/hang")), "{:?}", upstream.remaining);
}

#[tokio::test]
async fn a_held_call_ends_with_its_task() {
    let world = World::new().await;
    world.enforces();
    let (answered, receipt) = tokio::join!(world.call("refund", json!({"amount": 5})), async {
        world.question().await;
        world.end(world.task).await
    });
    assert_eq!(answered.refused(), Some("task_ended"));
    let denied = world.wait_for(|event| match event {
        Event::ActionDenied(denied) => Some(denied.refusal.code.clone()),
        _ => None,
    });
    assert_eq!(denied.await, "task_ended", "that it was tried again is on record");
    assert_eq!(world.enforced(receipt.seq, "gateway-streams").await.remaining, Vec::<String>::new());
    assert!(world.desk.calls().is_empty());
}

#[tokio::test]
async fn what_is_ended_together_is_recorded_together() {
    let world = World::new().await;
    world.enforces();
    let other = world.start_task(None).await;
    let mut streams = Vec::new();
    for task in [world.task, other] {
        let token = world.token(task).await;
        let request =
            world.modern("/mcp/desk", "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
        let mut request = request.build().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        streams.push(world.http.execute(request).await.unwrap());
    }
    let suspend = Command::SuspendAgent { agent: world.agent, reason: "enough".to_owned() };
    let receipt = world.submit(&world.ada, suspend).await;
    assert_eq!(world.enforced(receipt.seq, "gateway-streams").await.ended, 2);
    let causes: Vec<u64> = world
        .records()
        .await
        .iter()
        .filter_map(|record| match &record.record.event {
            Event::Enforced(enforced) => Some(enforced.cause),
            _ => None,
        })
        .collect();
    assert!(causes.iter().all(|cause| *cause == receipt.seq), "one cause, one record at each point: {causes:?}");
}

#[tokio::test]
async fn a_revoked_token_loses_its_streams() {
    let world = World::new().await;
    let wants = json!({"notifications": {"toolsListChanged": true}});
    let mut stream = world.modern("/mcp/desk", "subscriptions/listen", wants).send().await.unwrap().bytes_stream();
    assert!(stream.next().await.unwrap().is_ok());
    let (mut jti, mut exp) = (String::new(), 0);
    world.forged(|claims| (jti, exp) = (claims.jti.clone(), claims.exp));
    let expires_at = remit_domain::Timestamp::from_millis(exp * 1_000);
    world.submit(&world.ada, Command::RevokeToken { task: world.task, token: jti, expires_at }).await;
    let ended = tokio::time::timeout(Duration::from_secs(5), async move { while stream.next().await.is_some() {} });
    ended.await.expect("the stream has an end");
}

/// Callers without pause; the task ends in the middle. What is asked after the commit is refused, without exception.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_accepted_after_the_commit_of_a_revocation() {
    let world = Arc::new(World::new().await);
    world.enforces();
    for _ in 0..3 {
        let task = world.start_task(None).await;
        let token = world.token(task).await;
        let (ended, late, before) =
            (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let (world, token) = (Arc::clone(&world), token.clone());
                let (ended, late, before) = (Arc::clone(&ended), Arc::clone(&late), Arc::clone(&before));
                tokio::spawn(async move {
                    loop {
                        let after = ended.load(Ordering::SeqCst);
                        let request = world.modern("/mcp/desk", "tools/call", json!({"name": "echo", "arguments": {}}));
                        let mut request = request.build().unwrap();
                        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
                        let answered = read(world.http.execute(request).await.unwrap()).await;
                        let accepted = answered.status == 200 && answered.refused().is_none();
                        before.fetch_add(u64::from(accepted && !after), Ordering::SeqCst);
                        late.fetch_add(u64::from(accepted && after), Ordering::SeqCst);
                        if after {
                            return;
                        }
                    }
                })
            })
            .collect();
        until(|| before.load(Ordering::SeqCst) > 20).await;
        let receipt = world.end(task).await;
        ended.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.await.unwrap();
        }
        assert_eq!(late.load(Ordering::SeqCst), 0, "calls were accepted after the receipt");
        assert_eq!(accepted_after(&world, receipt.seq, task).await, 0, "the ledger says the same");
    }
}

async fn accepted_after(world: &World, seq: u64, task: TaskId) -> usize {
    let records = world.records().await;
    let accepted = |event: &Event| matches!(event, Event::ActionAllowed(allowed) if allowed.facts.task == task);
    records.iter().filter(|record| record.seq > seq && accepted(&record.record.event)).count()
}
