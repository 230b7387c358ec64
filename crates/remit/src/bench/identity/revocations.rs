//! From a revocation to the last accepted call, while callers call as fast as they can.
//!
//! Each time a tree of tasks is started and called under, and then ended from above. Its callers go on until each of them has
//! been refused, so every call that was accepted is known, with its place in the ledger.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use remit_domain::{AgentId, Command, Event, TaskId, Timestamp};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::quantiles::Quantiles;
use super::work::{self, Caller};
use crate::bench::progress;
use crate::bench::world::World;

/// Callers at a time.
const CALLERS: u32 = 32;
/// Sub-tasks of each tree, beside the task above them.
const SUB_TASKS: usize = 3;
/// Within this time every caller has had its first answer, and every caller has been refused.
const WAIT_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Serialize)]
pub struct Revocations {
    pub callers: u32,
    /// For each kind of revocation, and for all of them.
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub what: &'static str,
    pub revocations: usize,
    /// Calls that were accepted before, in all of them.
    pub accepted: usize,
    /// Calls that were accepted with a place in the ledger after the revocation's. Must be 0.
    pub accepted_after: usize,
    /// Until whoever revoked had the answer that it is durable.
    pub durable_ms: Quantiles,
    /// Until the time on the record of the last accepted call: the ledger's clock, in whole milliseconds. 0: none after the
    /// revocation was asked for.
    pub last_record_ms: Quantiles,
    /// Until the last caller that was accepted had its answer.
    pub last_answer_ms: Quantiles,
}

/// What is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Task,
    Agent,
    Run,
}

const KINDS: [(Kind, &str); 3] =
    [(Kind::Task, "task ended"), (Kind::Agent, "agent suspended"), (Kind::Run, "run revoked")];

/// Measures `count` revocations of all kinds in turn, on a realm of its own in `data`.
pub async fn measure(data: &Path, count: u32, quiet: bool) -> anyhow::Result<Revocations> {
    progress(quiet, &format!("{count} revocations under {CALLERS} callers"));
    let world = World::open(data).await?;
    let mut rounds = Vec::new();
    for (number, (kind, _)) in (0..count).zip(KINDS.into_iter().cycle()) {
        rounds.push(round(&world, kind, number).await?);
    }
    world.engine.close().await;
    let row = |what, kind: Option<Kind>| {
        Row::of(what, rounds.iter().filter(|round| kind.is_none_or(|kind| kind == round.kind)).collect())
    };
    let mut rows: Vec<Row> = KINDS.into_iter().map(|(kind, what)| row(what, Some(kind))).collect();
    rows.push(row("all", None));
    Ok(Revocations { callers: CALLERS, rows })
}

impl Row {
    fn of(what: &'static str, rounds: Vec<&Round>) -> Self {
        let quantiles = |of: fn(&Round) -> Duration| Quantiles::of(rounds.iter().map(|round| of(round)));
        Self {
            what,
            revocations: rounds.len(),
            accepted: rounds.iter().map(|round| round.accepted).sum(),
            accepted_after: rounds.iter().map(|round| round.accepted_after).sum(),
            durable_ms: quantiles(|round| round.durable),
            last_record_ms: quantiles(|round| round.last_record),
            last_answer_ms: quantiles(|round| round.last_answer),
        }
    }
}

/// One revocation.
#[derive(Debug)]
struct Round {
    kind: Kind,
    accepted: usize,
    accepted_after: usize,
    durable: Duration,
    last_record: Duration,
    last_answer: Duration,
}

async fn round(world: &World, kind: Kind, number: u32) -> anyhow::Result<Round> {
    let (engine, agent) = (&world.engine, world.agent);
    let tasks = tree(world).await?;
    let revocation = revocation(world, kind, &tasks)?;
    let load = Load::begin(world, agent, &tasks);
    load.is_under_way().await?;
    // Not always at the same point of the callers' turns.
    tokio::time::sleep(Duration::from_micros(u64::from(number % 8) * 500)).await;
    let (began, began_at) = (Instant::now(), engine.now());
    let receipt = engine.submit(world.root.clone(), revocation).await?;
    let durable = began.elapsed();
    let ended = receipt.events.iter().filter(|event| matches!(event, Event::TaskEnded { .. })).count();
    anyhow::ensure!(ended >= tasks.len(), "only {ended} tasks ended in the commit");
    let accepted = load.end(receipt.seq).await?;
    if kind == Kind::Agent {
        engine.submit(world.root.clone(), Command::ResumeAgent { agent }).await?;
    }
    let last_answer = accepted.iter().map(|call| call.answered.saturating_duration_since(began)).max();
    let last_record = accepted.iter().map(|call| Duration::from_millis(call.at.millis_since(began_at))).max();
    Ok(Round {
        kind,
        accepted: accepted.len(),
        accepted_after: accepted.iter().filter(|call| call.seq > receipt.seq).count(),
        durable,
        last_record: last_record.unwrap_or_default(),
        last_answer: last_answer.unwrap_or_default(),
    })
}

/// A task and sub-tasks of it, the uppermost first.
async fn tree(world: &World) -> anyhow::Result<Vec<TaskId>> {
    let above = work::start(&world.engine, &world.root, world.agent, None).await?;
    let mut tasks = vec![above];
    for _ in 0..SUB_TASKS {
        tasks.push(work::start(&world.engine, &world.root, world.agent, Some(above)).await?);
    }
    Ok(tasks)
}

fn revocation(world: &World, kind: Kind, tasks: &[TaskId]) -> anyhow::Result<Command> {
    let task = *tasks.first().context("there is no task")?;
    let reason = "to be measured".to_owned();
    Ok(match kind {
        Kind::Task => Command::EndTask { task, note: reason },
        Kind::Agent => Command::SuspendAgent { agent: world.agent, reason },
        Kind::Run => {
            let run = world.engine.read(|state| state.task(task).map(|task| task.run))?;
            Command::RevokeRun { run, reason }
        }
    })
}

/// Callers that call until they are refused.
#[derive(Debug)]
struct Load {
    /// A permit for each caller that has been accepted once.
    begun: Arc<Semaphore>,
    callers: Vec<JoinHandle<anyhow::Result<Calls>>>,
}

/// The calls of one caller.
#[derive(Debug, Default)]
struct Calls {
    accepted: Vec<Accepted>,
    /// The place in the ledger of the one that was refused.
    refused_seq: u64,
}

#[derive(Debug)]
struct Accepted {
    seq: u64,
    at: Timestamp,
    answered: Instant,
}

impl Load {
    fn begin(world: &World, agent: AgentId, tasks: &[TaskId]) -> Self {
        let begun = Arc::new(Semaphore::new(0));
        let callers = (0..CALLERS)
            .zip(tasks.iter().cycle())
            .map(|(_, task)| tokio::spawn(call_until_refused(Caller::of(world, agent, *task), Arc::clone(&begun))));
        Self { callers: callers.collect(), begun }
    }

    /// Returns once every caller has been accepted.
    async fn is_under_way(&self) -> anyhow::Result<()> {
        let begun = tokio::time::timeout(WAIT_MAX, self.begun.acquire_many(CALLERS)).await;
        begun.context("not every caller was accepted before anything was revoked")??.forget();
        Ok(())
    }

    /// Every call that was accepted, once every caller has been refused by what was recorded at `revoked_seq`.
    async fn end(self, revoked_seq: u64) -> anyhow::Result<Vec<Accepted>> {
        let mut accepted = Vec::new();
        for caller in self.callers {
            let calls = tokio::time::timeout(WAIT_MAX, caller).await;
            let calls = calls.context("a caller was still accepted long after the revocation")???;
            anyhow::ensure!(calls.refused_seq > revoked_seq, "a call was refused before anything was revoked");
            accepted.extend(calls.accepted);
        }
        Ok(accepted)
    }
}

async fn call_until_refused(caller: Caller, begun: Arc<Semaphore>) -> anyhow::Result<Calls> {
    let mut calls = Calls::default();
    loop {
        let (allowed, receipt) = caller.call(calls.accepted.len() as u64).await?;
        if !allowed {
            calls.refused_seq = receipt.seq;
            return Ok(calls);
        }
        if calls.accepted.is_empty() {
            begun.add_permits(1);
        }
        calls.accepted.push(Accepted { seq: receipt.seq, at: receipt.at, answered: Instant::now() });
    }
}
