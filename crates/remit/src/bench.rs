//! `remit bench`: what the ledger and the decision cost on this machine, beside a bare write and sync on the same disk.

mod authzen;
mod bare;
mod door;
mod identity;
mod pages;
mod policy;
mod replay;
mod start;
mod submit;
mod who;
mod world;

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::command::bench::{
    AuthzenArgs, BenchArgs, DoorArgs, IdentityArgs, PagesArgs, PolicyArgs, ReplayArgs, WhoArgs,
};
use crate::command::{Failure, Global};
use door::processor::resident_mib;

/// Callers that wait at the same time.
const CALLERS: [usize; 4] = [1, 16, 256, 1024];

#[derive(Debug, Serialize)]
struct Results {
    machine: Machine,
    submit: Vec<Row>,
    idle_mib: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<start::Start>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estate: Option<start::Estate>,
}

#[derive(Debug, Serialize)]
struct Machine {
    cpus: usize,
    load_before: String,
}

impl Machine {
    /// This one, as it is before anything is measured.
    fn now() -> anyhow::Result<Self> {
        Ok(Self { cpus: std::thread::available_parallelism()?.get(), load_before: load() })
    }
}

#[derive(Debug, Serialize)]
struct Row {
    callers: usize,
    /// Records per second of a loop that writes and syncs batches of `callers` records.
    bare_per_second: f64,
    /// Commands per second that were decided by a small rule, recorded and acknowledged.
    commands_per_second: f64,
    commands_ratio: f64,
    commands_p99_ms: f64,
    /// Tool calls per second that were decided by the starter policies, recorded and acknowledged.
    decisions_per_second: f64,
    decisions_ratio: f64,
    decisions_p99_ms: f64,
}

/// Measures and prints.
pub async fn bench(arguments: BenchArgs, global: &Global) -> Result<(), Failure> {
    measure(&arguments, global.json).await.map_err(Failure::from)
}

/// Measures calls through the gateway and prints.
pub async fn door(arguments: &DoorArgs, global: &Global) -> Result<(), Failure> {
    door::measure(arguments, global.json).await.map_err(Failure::from)
}

/// Measures decisions for others and prints.
pub async fn authzen(arguments: &AuthzenArgs, global: &Global) -> Result<(), Failure> {
    authzen::measure(arguments, global.json).await.map_err(Failure::from)
}

/// Measures what identity costs and prints.
pub async fn identity(arguments: &IdentityArgs, global: &Global) -> Result<(), Failure> {
    identity::measure(arguments, global.json).await.map_err(Failure::from)
}

/// Measures what policies cost and prints.
pub async fn policy(arguments: &PolicyArgs, global: &Global) -> Result<(), Failure> {
    let (arguments, json) = (arguments.clone(), global.json);
    // Nothing in it waits for anything.
    let measured = tokio::task::spawn_blocking(move || policy::measure(&arguments, json)).await;
    measured.map_err(anyhow::Error::from).and_then(|measured| measured).map_err(Failure::from)
}

/// Measures deciding recorded actions again, and prints.
pub async fn replay(arguments: &ReplayArgs, global: &Global) -> Result<(), Failure> {
    replay::measure(arguments, global.json).await.map_err(Failure::from)
}

/// Measures questions that run the other way, and prints.
pub async fn who(arguments: &WhoArgs, global: &Global) -> Result<(), Failure> {
    let (arguments, json) = (arguments.clone(), global.json);
    let measured = tokio::task::spawn_blocking(move || who::measure(&arguments, json)).await;
    measured.map_err(anyhow::Error::from).and_then(|measured| measured).map_err(Failure::from)
}

/// Measures the console's pages in a large realm, and prints.
pub async fn pages(arguments: &PagesArgs, global: &Global) -> Result<(), Failure> {
    pages::measure(arguments, global.json).await.map_err(Failure::from)
}

async fn measure(plan: &BenchArgs, json: bool) -> anyhow::Result<()> {
    let machine = Machine::now()?;
    let directory = tempfile::Builder::new().prefix("remit-bench-").tempdir_in(&plan.directory)?;
    let world = world::World::open(&directory.path().join("submit")).await?;
    let idle_mib = resident_mib("self");
    let mut submit = Vec::new();
    for callers in CALLERS {
        progress(json, &format!("{callers} waiting callers"));
        submit.push(row(&world, directory.path(), callers, Duration::from_secs(plan.time)).await?);
    }
    world.engine.close().await;
    let start = match plan.events {
        0 => None,
        events => {
            progress(json, &format!("start-up from {events} events"));
            Some(start::measure(&directory.path().join("start"), events).await?)
        }
    };
    let estate = match plan.agents {
        0 => None,
        agents => {
            progress(json, &format!("{agents} agents with a grant each"));
            Some(start::estate(&directory.path().join("estate"), agents).await?)
        }
    };
    print(&Results { machine, submit, idle_mib, start, estate }, json)
}

async fn row(world: &world::World, directory: &Path, callers: usize, time: Duration) -> anyhow::Result<Row> {
    let bare_per_second = bare::measure(&directory.join("bare"), callers, time)?;
    let commands = submit::commands(world, callers, time).await?;
    let decisions = submit::decisions(world, callers, time).await?;
    Ok(Row {
        callers,
        bare_per_second,
        commands_per_second: commands.per_second,
        commands_ratio: commands.per_second / bare_per_second,
        commands_p99_ms: commands.p99_ms,
        decisions_per_second: decisions.per_second,
        decisions_ratio: decisions.per_second / bare_per_second,
        decisions_p99_ms: decisions.p99_ms,
    })
}

fn progress(json: bool, what: &str) {
    if !json {
        eprintln!("measuring: {what}");
    }
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn print(results: &Results, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(results)?);
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "callers",
        "bare write+sync /s",
        "commands /s",
        "ratio",
        "p99 ms",
        "decisions /s",
        "ratio",
        "p99 ms",
    ]);
    for row in &results.submit {
        table.add_row([
            row.callers.to_string(),
            format!("{:.0}", row.bare_per_second),
            format!("{:.0}", row.commands_per_second),
            format!("{:.2}", row.commands_ratio),
            format!("{:.2}", row.commands_p99_ms),
            format!("{:.0}", row.decisions_per_second),
            format!("{:.2}", row.decisions_ratio),
            format!("{:.2}", row.decisions_p99_ms),
        ]);
    }
    println!("{} cpus, load before {}", results.machine.cpus, results.machine.load_before);
    println!("{table}");
    println!("memory of an idle server: {:.1} MiB", results.idle_mib);
    if let Some(start) = &results.start {
        println!(
            "start from {} events: {:.2} s without a snapshot, {:.2} s with one ({:.0} MiB of log)",
            start.events, start.without_snapshot_seconds, start.with_snapshot_seconds, start.log_mib
        );
    }
    if let Some(estate) = &results.estate {
        println!("{} agents and grants: {:.0} MiB resident", estate.agents, estate.resident_mib);
    }
    Ok(())
}
