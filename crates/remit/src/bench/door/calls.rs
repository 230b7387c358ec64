//! Calls of one tool: directly, and through Remit in both generations, closed and open loop.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::estate::People;
use super::load::{self, Measured};
use super::place::{Echo, Remit};
use super::requests::Target;
use super::spread::{Spread, quantile};
use super::{Plan, bare};
use crate::command::bench::Generation;

/// Calls under way at a time in the closed loops.
const IN_FLIGHT: [usize; 3] = [1, 16, 256];

/// Rates of the open loops, as shares of the greatest that Remit reached in a closed one.
const RATE_SHARES: [f64; 3] = [0.25, 0.5, 0.8];

/// Aims: what one call at a time may take longer through Remit than one sync of the disk, in milliseconds; and, with the most
/// calls under way, Remit's processor time for one of them in microseconds, and how many of them there are each second.
const BESIDE_SYNC_MS_MAX: f64 = 0.3;
const OWN_US_MAX: f64 = 120.0;
const PER_SECOND_MIN: f64 = 8_000.0;

/// All that is measured of calls.
#[derive(Debug, Serialize)]
pub struct Calls {
    /// One write of a record and its sync, alone on the same disk, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_ms: Option<Quantiles>,
    pub rows: Vec<Row>,
    /// What each generation adds with one call under way.
    pub added: Vec<Added>,
    /// What was aimed at, and whether it is met.
    pub aims: Vec<Aim>,
}

/// The middle and the end of how long something took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Quantiles {
    pub p50: Spread,
    pub p99: Spread,
}

/// How calls come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Closed loop: so many are under way.
    InFlight(usize),
    /// Open loop: so many fall due each second.
    PerSecond(f64),
}

/// One target at one pace, over all runs.
#[derive(Debug, Serialize)]
pub struct Row {
    pub target: String,
    pub generation: Generation,
    pub pace: Pace,
    pub milliseconds: Quantiles,
    pub per_second: Spread,
    /// Processor time for each call, in microseconds: of the target, of the server behind it, of the callers.
    pub own_us: Spread,
    pub behind_us: Spread,
    pub callers_us: Spread,
    pub failed: u64,
    pub unanswered: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What is added to one call by going through Remit, in milliseconds at the median.
#[derive(Debug, Serialize)]
pub struct Added {
    pub generation: Generation,
    pub p50_ms: f64,
    /// The sync in it, and what is left.
    pub sync_ms: f64,
    pub beside_sync_ms: f64,
}

/// A figure that was to be reached.
#[derive(Debug, Serialize)]
pub struct Aim {
    pub what: &'static str,
    pub generation: Generation,
    pub measured: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
    pub met: bool,
}

impl Aim {
    fn at_most(what: &'static str, generation: Generation, measured: f64, most: f64) -> Self {
        Self { what, generation, measured, least: None, most: Some(most), met: measured <= most }
    }

    fn at_least(what: &'static str, generation: Generation, measured: f64, least: f64) -> Self {
        Self { what, generation, measured, least: Some(least), most: None, met: measured >= least }
    }
}

/// Measures Remit beside a direct call.
///
/// # Errors
/// If something cannot be started or built, or calls do not succeed at all.
pub async fn measure(plan: &Plan, directory: &Path) -> anyhow::Result<Calls> {
    let echo = Echo::start(0).await?;
    let remit = Remit::start(directory.join("calls")).await?;
    let people = People::gather(&remit).await?;
    people.connect("echo", &echo.url, 1).await?;
    let caller = people.caller("bench", &["echo/*"]).await?;
    let direct = Target::at("direct", &echo.url, Generation::Modern, None).await?;
    let mut targets = vec![direct.of_processes(&[echo.pid], &[])];
    for generation in [Generation::Modern, Generation::Handshake] {
        let target = Target::at("remit", &remit.connector_url("echo"), generation, Some(caller.token.clone())).await?;
        targets.push(target.of_processes(&[remit.pid], &[echo.pid]));
    }
    for target in &mut targets {
        target.greet().await?;
    }
    let mut syncs = Vec::new();
    for _ in 0..plan.runs {
        syncs.push(bare::latencies(&directory.join("bare"), plan.time)?);
    }
    let sync_ms = quantiles(&syncs);
    let rows = rows(plan, &targets, 1).await?;
    remit.stop().await?;
    let added = added(&rows, sync_ms.p50.median);
    let aims = aims(&rows, &added);
    Ok(Calls { sync_ms: Some(sync_ms), rows, added, aims })
}

/// Measures one other server in the same way.
///
/// # Errors
/// If it does not answer.
pub async fn measure_only(plan: &Plan, mut target: Target) -> anyhow::Result<Calls> {
    target.greet().await?;
    let rows = rows(plan, &[target], 0).await?;
    Ok(Calls { sync_ms: None, rows, added: Vec::new(), aims: Vec::new() })
}

/// All targets at all paces. The rates are those of `targets[reference]`.
async fn rows(plan: &Plan, targets: &[Target], reference: usize) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for in_flight in IN_FLIGHT {
        rows.extend(paced(plan, targets, Pace::InFlight(in_flight)).await?);
    }
    let of_reference = rows.iter().skip(reference).step_by(targets.len().max(1));
    let greatest = of_reference.map(|row| row.per_second.median).fold(1.0, f64::max);
    for share in RATE_SHARES {
        rows.extend(paced(plan, targets, Pace::PerSecond((greatest * share).ceil())).await?);
    }
    Ok(rows)
}

/// All targets at one pace, in turns, so that what else the machine does in the meantime concerns all of them.
async fn paced(plan: &Plan, targets: &[Target], pace: Pace) -> anyhow::Result<Vec<Row>> {
    let mut runs: Vec<Vec<Measured>> = targets.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.runs {
        for (target, runs) in targets.iter().zip(&mut runs) {
            plan.progress(&format!("{} {}, {}", target.name, target.generation.revision(), pace.words()));
            let run = match pace {
                Pace::InFlight(callers) => load::closed(target, callers, plan.time).await?,
                Pace::PerSecond(rate) => load::open(target, rate, plan.time).await?,
            };
            // A server may break under load, and that is a figure as well; but one call at a time has to work.
            if pace == Pace::InFlight(1) && run.answered == 0 {
                let said = run.failure.unwrap_or_else(|| "there was no answer in time".to_owned());
                anyhow::bail!("not one call of `{}` succeeded: {said}", target.name);
            }
            runs.push(run);
        }
    }
    Ok(targets.iter().zip(&runs).map(|(target, runs)| row(target, pace, runs)).collect())
}

fn row(target: &Target, pace: Pace, runs: &[Measured]) -> Row {
    let each = |figure: &dyn Fn(&Measured) -> f64| Spread::of(runs.iter().map(figure));
    let latencies: Vec<&[u64]> = runs.iter().map(|run| run.nanoseconds.as_slice()).collect();
    Row {
        target: target.name.clone(),
        generation: target.generation,
        pace,
        milliseconds: quantiles(&latencies),
        per_second: each(&|run| run.answered as f64 / run.time.as_secs_f64()),
        own_us: each(&|run| micros_each(run.own, run.answered)),
        behind_us: each(&|run| micros_each(run.behind, run.answered)),
        callers_us: each(&|run| micros_each(run.callers, run.answered)),
        failed: runs.iter().map(|run| run.failed).sum(),
        unanswered: runs.iter().map(|run| run.unanswered).sum(),
        failure: runs.iter().find_map(|run| run.failure.clone()),
    }
}

/// Microseconds for each of `count`.
pub fn micros_each(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

/// Quantiles, in milliseconds, of several runs of sorted nanoseconds.
pub fn quantiles<R: AsRef<[u64]>>(runs: &[R]) -> Quantiles {
    let at = |share| Spread::of(runs.iter().map(|run| quantile(run.as_ref(), share) / 1e6));
    Quantiles { p50: at(0.5), p99: at(0.99) }
}

fn added(rows: &[Row], sync_ms: f64) -> Vec<Added> {
    let one = |row: &&Row| row.pace == Pace::InFlight(1);
    let direct = rows.iter().filter(one).find(|row| row.target == "direct").map(|row| row.milliseconds.p50.median);
    let through = rows.iter().filter(one).filter(|row| row.target == "remit");
    let added = through.zip(direct.into_iter().cycle()).map(|(row, direct)| {
        let p50_ms = row.milliseconds.p50.median - direct;
        Added { generation: row.generation, p50_ms, sync_ms, beside_sync_ms: p50_ms - sync_ms }
    });
    added.collect()
}

fn aims(rows: &[Row], added: &[Added]) -> Vec<Aim> {
    let beside = "milliseconds added to one call beside one sync";
    let mut aims: Vec<Aim> = added
        .iter()
        .map(|added| Aim::at_most(beside, added.generation, added.beside_sync_ms, BESIDE_SYNC_MS_MAX))
        .collect();
    let most = IN_FLIGHT.into_iter().max().unwrap_or_default();
    for row in rows.iter().filter(|row| row.target == "remit" && row.pace == Pace::InFlight(most)) {
        let own = "microseconds of Remit's processor time for each call";
        aims.push(Aim::at_most(own, row.generation, row.own_us.median, OWN_US_MAX));
        aims.push(Aim::at_least("calls each second", row.generation, row.per_second.median, PER_SECOND_MIN));
    }
    aims
}

impl Pace {
    /// For people.
    pub fn words(self) -> String {
        match self {
            Self::InFlight(calls) => format!("{calls} in flight"),
            Self::PerSecond(rate) => format!("{rate:.0} due each second"),
        }
    }
}
