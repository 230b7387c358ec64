//! Commands through `submit`, with so many callers waiting at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use remit_domain::{Actor, AttemptAction, Command, Outcome, RecordOutcome, Verdict};
use remit_engine::Engine;
use serde_json::json;

use super::world::World;

pub struct Measured {
    pub per_second: f64,
    pub p99_ms: f64,
}

/// Records of issued tokens: the cheapest command that is decided, recorded and acknowledged like any other.
pub async fn commands(world: &World, callers: usize, time: Duration) -> anyhow::Result<Measured> {
    let (engine, root, task) = (world.engine.clone(), world.root.clone(), world.task);
    measure(callers, time, move |number| {
        let (engine, root) = (engine.clone(), root.clone());
        async move {
            let expires_at = engine.now();
            engine.submit(root, Command::IssueToken { task, token: format!("tok_{number}"), expires_at }).await?;
            Ok(1)
        }
    })
    .await
}

/// Tool calls decided by the starter policies, with their arguments kept, and their outcomes recorded too.
pub async fn decisions(world: &World, callers: usize, time: Duration) -> anyhow::Result<Measured> {
    let engine = world.engine.clone();
    let actor = Actor::Agent { agent: world.agent, task: Some(world.task) };
    let (task, operation) = (world.task, world.operation.clone());
    measure(callers, time, move |number| {
        let (engine, actor, operation) = (engine.clone(), actor.clone(), operation.clone());
        async move {
            let arguments = json!({"key": format!("key-{number}")});
            let canonical = serde_json::to_vec(&arguments)?;
            let (content, sealed) = engine.commitment(task, "arguments", canonical).await?;
            let attempt = AttemptAction::new(task, operation, Arc::new(arguments), content);
            let receipt = engine.submit_with(actor, Command::AttemptAction(Box::new(attempt)), vec![sealed]).await?;
            let Some(Verdict::Allowed(allowed)) = Verdict::among(&receipt.events) else {
                anyhow::bail!("the call to be measured was not allowed: {:?}", receipt.events);
            };
            // Reported apart, as the gateway does below D2; it is not waited for and not counted.
            report(engine, allowed.action);
            Ok(1)
        }
    })
    .await
}

/// Records the outcome of an allowed call, as a door would after its answer. Nobody waits for it.
pub fn report(engine: Engine, action: remit_domain::ActionId) {
    tokio::spawn(async move {
        let outcome = RecordOutcome { action, outcome: Outcome::Succeeded, result: None, latency_ms: 1 };
        if let Err(error) = engine.submit(Actor::Remit, Command::RecordOutcome(Box::new(outcome))).await {
            tracing::warn!(%error, "an outcome was not recorded");
        }
    });
}

/// Has so many `callers` do `work` again and again, each waiting for its own.
pub async fn measure<F, W>(callers: usize, time: Duration, work: F) -> anyhow::Result<Measured>
where
    F: Fn(u64) -> W + Send + Sync + 'static,
    W: Future<Output = anyhow::Result<u64>> + Send,
{
    let (work, count) = (Arc::new(work), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let callers = (0..callers).map(|_| {
        let (work, count) = (Arc::clone(&work), Arc::clone(&count));
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let began = Instant::now();
                work(count.fetch_add(1, Ordering::Relaxed)).await?;
                latencies.push(began.elapsed());
            }
            anyhow::Ok(latencies)
        })
    });
    let mut latencies = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        latencies.extend(caller.await??);
    }
    let elapsed = start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let p99 = latencies.get(latencies.len() * 99 / 100).context("nothing was measured")?;
    Ok(Measured { per_second: latencies.len() as f64 / elapsed, p99_ms: p99.as_secs_f64() * 1000.0 })
}
