//! All tasks and tokens of one agent ended by one command.

use std::path::Path;
use std::time::{Duration, Instant};

use remit_domain::{AgentId, AgentStatus, Command, Event, State, TaskId};
use remit_engine::TOKEN_SECONDS_DEFAULT;
use remit_identity::UnverifiedTaskToken;
use serde::Serialize;

use super::work::{self, Caller};
use crate::bench::progress;
use crate::bench::world::{self, World};

/// Tokens of each task.
const TOKENS_EACH: usize = 10;
/// Tasks under which a call is tried afterwards, and of which a token is asked about.
const SAMPLE: usize = 1_000;

#[derive(Debug, Serialize)]
pub struct Cascade {
    pub tasks: usize,
    pub tokens: usize,
    /// Tokens issued each second while they were made, by so many callers.
    pub made_per_second: f64,
    /// From asking for the suspension to the answer that it is durable.
    pub suspended_ms: f64,
    /// Tasks that ended in that commit.
    pub ended: usize,
    /// Tasks whose tokens would still hold by the state. Must be 0.
    pub still_alive: usize,
    /// Calls that were tried afterwards, one under each task of a sample, and those of them that were accepted. Must be 0.
    pub tried: usize,
    pub accepted_after: usize,
    /// Tokens of that sample whose signature is as good as ever, and those of them that introspection would call active. Must
    /// be 0.
    pub asked: usize,
    pub active: usize,
}

/// A task, and one of its tokens.
#[derive(Debug)]
struct Live {
    task: TaskId,
    token: String,
}

/// Measures with `count` tasks, on a realm of its own in `data`.
pub async fn measure(data: &Path, count: usize, quiet: bool) -> anyhow::Result<Cascade> {
    progress(quiet, &format!("{count} tasks with {TOKENS_EACH} tokens each"));
    let world = World::open(data).await?;
    // An agent of its own: one agent has as many live tasks as it may have.
    let agent = world::agent(&world.engine, &world.root, &world.ana, "crowd").await?;
    let made = Instant::now();
    let live = make(&world, agent, count).await?;
    let made_per_second = (live.len() * TOKENS_EACH) as f64 / made.elapsed().as_secs_f64();
    let (state, now) = (world.engine.state(), world.engine.now());
    let alive = live.iter().filter(|live| holds(&state, live.task, now)).count();
    anyhow::ensure!(alive == count, "only {alive} of {count} tasks are alive before anything is ended");
    drop(state);
    let (began, suspend) = (Instant::now(), Command::SuspendAgent { agent, reason: "to be measured".to_owned() });
    let receipt = world.engine.submit(world.root.clone(), suspend).await?;
    let suspended: Duration = began.elapsed();
    let state = world.engine.state();
    let still_alive = live.iter().filter(|live| holds(&state, live.task, now)).count();
    let sample: Vec<&Live> = live.iter().step_by((count / SAMPLE).max(1)).take(SAMPLE).collect();
    let mut accepted_after = 0;
    for (number, live) in sample.iter().enumerate() {
        let (allowed, _) = Caller::of(&world, agent, live.task).call(number as u64).await?;
        accepted_after += usize::from(allowed);
    }
    let active = ask(&world, &sample)?;
    world.engine.close().await;
    Ok(Cascade {
        tasks: live.len(),
        tokens: live.len() * TOKENS_EACH,
        made_per_second,
        suspended_ms: suspended.as_secs_f64() * 1_000.0,
        ended: receipt.events.iter().filter(|event| matches!(event, Event::TaskEnded { .. })).count(),
        still_alive,
        tried: sample.len(),
        accepted_after,
        asked: sample.len(),
        active,
    })
}

/// Starts the tasks and issues their tokens.
async fn make(world: &World, agent: AgentId, count: usize) -> anyhow::Result<Vec<Live>> {
    let mut made = Vec::with_capacity(count);
    while made.len() < count {
        let batch = (0..work::AT_A_TIME.min(count - made.len())).map(|_| {
            let (engine, root) = (world.engine.clone(), world.root.clone());
            tokio::spawn(async move {
                let task = work::start(&engine, &root, agent, None).await?;
                let mut token = String::new();
                for _ in 0..TOKENS_EACH {
                    token = engine.issue_token(root.clone(), task, TOKEN_SECONDS_DEFAULT).await?.token;
                }
                anyhow::Ok(Live { task, token })
            })
        });
        for live in batch.collect::<Vec<_>>() {
            made.push(live.await??);
        }
    }
    Ok(made)
}

/// How many tokens of `sample` hold, by signature and state: what introspection answers.
fn ask(world: &World, sample: &[&Live]) -> anyhow::Result<usize> {
    let (ring, issuer, now) = (world.engine.keys(), world.engine.realm().issuer, world.engine.now());
    let state = world.engine.state();
    let mut active = 0;
    for live in sample {
        let claims = UnverifiedTaskToken::parse(&live.token)?.verify_issued(&ring, &issuer, now.as_seconds())?;
        active += usize::from(holds(&state, claims.task.parse()?, now));
    }
    Ok(active)
}

/// Whether the tokens of `task` hold by the state: the task lives, and its agent may act.
fn holds(state: &State, task: TaskId, now: remit_domain::Timestamp) -> bool {
    let Ok(task) = state.task(task) else { return false };
    let is_active = state.agent(task.agent).is_ok_and(|agent| agent.status == AgentStatus::Active);
    is_active && task.must_be_alive(now).is_ok()
}
