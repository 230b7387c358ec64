//! What a decision costs as policies become more, alone and as a share of the whole call.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use remit_domain::{OperationName, TaskId, preview};
use serde::Serialize;
use serde_json::json;

use super::calls::{micros_each, quantiles};
use super::estate::People;
use super::load;
use super::place::{Echo, Remit};
use super::requests::Target;
use super::spread::Spread;
use super::{Plan, world};
use crate::command::Failure;
use crate::command::bench::Generation;

#[cfg(test)]
mod tests;

/// Calls under way at a time.
const IN_FLIGHT: usize = 16;

/// Bytes of generated policies in one proposal; as the ledger writes them they stay below its limit.
const PROPOSAL_BYTES: usize = 30 * 1024;

/// Decisions after which the clock is looked at.
const DECISIONS_AT_A_TIME: u64 = 16;

/// A call under so many policies.
#[derive(Debug, Serialize)]
pub struct Decisions {
    /// Policies that were to be active, and that were.
    pub wanted: usize,
    pub policies: usize,
    /// One decision on one thread, in microseconds.
    pub decision_us: Spread,
    /// Remit's processor time for one whole call, in microseconds, with sixteen under way; and the call's median.
    pub own_us: Spread,
    pub p50_ms: Spread,
    /// The decision's share of that time.
    pub share: f64,
    /// Why there were no more, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Measures with about `wanted` policies: the starter set, and others that are about other agents and never match.
///
/// # Errors
/// If something cannot be started or built.
pub async fn measure(plan: &Plan, directory: &Path, wanted: usize) -> anyhow::Result<Decisions> {
    let echo = Echo::start(0).await?;
    let remit = Remit::start(directory.join(format!("policies-{wanted}"))).await?;
    let people = People::gather(&remit).await?;
    people.connect("echo", &echo.url, 1).await?;
    let caller = people.caller("bench", &["echo/*"]).await?;
    let (policies, refused) = activate(plan, &people, wanted).await?;
    let target = Target::at("remit", &remit.connector_url("echo"), Generation::Modern, Some(caller.token)).await?;
    let target = target.of_processes(&[remit.pid], &[echo.pid]);
    let mut runs = Vec::new();
    for _ in 0..plan.runs {
        plan.progress(&format!("calls under {policies} policies"));
        runs.push(load::closed(&target, IN_FLIGHT, plan.time).await?);
    }
    let data = remit.stop().await?;
    plan.progress(&format!("decisions under {policies} policies"));
    let decision_us = decide(data, &caller.task, plan.time, plan.runs).await?;
    let own_us = Spread::of(runs.iter().map(|run| micros_each(run.own, run.answered)));
    let latencies: Vec<&[u64]> = runs.iter().map(|run| run.nanoseconds.as_slice()).collect();
    let share = decision_us.median / own_us.median;
    Ok(Decisions { wanted, policies, decision_us, own_us, p50_ms: quantiles(&latencies).p50, share, refused })
}

/// Activates policies until there are `wanted`. How many there are then, and why not more.
async fn activate(plan: &Plan, people: &People, wanted: usize) -> anyhow::Result<(usize, Option<String>)> {
    let mut active = remit_policy::starter().iter().map(|source| source.text.matches("@id(").count()).sum();
    while active < wanted {
        plan.progress(&format!("activating policies: {active} of {wanted}"));
        let (text, count) = policies(active, wanted);
        match people.activate(&format!("bench-{active:05}"), &text).await {
            Ok(()) => active += count,
            Err(Failure::Refused(refusal)) => return Ok((active, Some(refusal.sentence))),
            Err(failure) => return Err(super::estate::said(failure)),
        }
    }
    Ok((active, None))
}

/// Policies numbered from `first` to below `end`, as many as fit into one proposal; and how many they are.
fn policies(first: usize, end: usize) -> (String, usize) {
    let (mut text, mut count) = (String::new(), 0);
    for number in first..end {
        if text.len() > PROPOSAL_BYTES {
            break;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "@id(\"bench-{number:05}\")\n@reason(\"other agent {number} stays below this risk\")\nforbid (principal == Agent::\"other-{number:05}\", action, resource)\nwhen {{ resource.risk > 1 }};"
        );
        count += 1;
    }
    (text, count)
}

/// Microseconds of one decision by the policies in `data`, in the very function that decides calls, without anything around.
async fn decide(data: PathBuf, task: &str, time: Duration, runs: u16) -> anyhow::Result<Spread> {
    let engine = world::open(&data).await?;
    let (state, now) = (engine.state(), engine.now());
    let task: TaskId = task.parse()?;
    let figures = tokio::task::spawn_blocking(move || {
        let name = OperationName::new("echo", "echo");
        let (task, operation) = (state.task(task)?, state.operation(&name)?);
        let decide = |number: u64| {
            let (decision, why) = preview(&state, task, operation, &json!({"text": number.to_string()}), now);
            anyhow::ensure!(decision == "allow", "the decision to be measured was `{decision}`: {why:?}");
            Ok(())
        };
        // The first one compiles the policies.
        decide(0)?;
        (0..runs).map(|_| measure_one(time, decide)).collect::<anyhow::Result<Vec<f64>>>()
    });
    let figures = figures.await??;
    engine.close().await;
    Ok(Spread::of(figures))
}

fn measure_one(time: Duration, decide: impl Fn(u64) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (begun, mut decided) = (Instant::now(), 0);
    while begun.elapsed() < time {
        for _ in 0..DECISIONS_AT_A_TIME {
            decide(decided)?;
            decided += 1;
        }
    }
    Ok(micros_each(begun.elapsed(), decided))
}
