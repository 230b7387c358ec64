//! `remit bench replay`: how fast recorded actions are decided again under proposed policies.
//!
//! The actions are recorded first, as live calls are, in the same run: so the speed of recording stands beside that of replaying. Each is
//! an allowed call and its outcome, two records of the ledger.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use remit_domain::{Actor, AgentId, AttemptAction, Command, PolicyEdit, StartTask, TaskId, Verdict};
use remit_engine::Replay;
use serde::Serialize;
use serde_json::json;

use super::door::processor::used;
use super::world::{self, World};
use super::{Machine, submit};
use crate::command::bench::ReplayArgs;

/// Calls that wait to be recorded at the same time.
const CALLERS: usize = 512;

/// What is proposed, and what it makes a replay look at.
const PROPOSALS: &[(&str, &str)] = &[
    (
        "a rule about agents and operations",
        "@id(\"bench\") forbid(principal == Agent::\"bench-1\", action in Action::\"read\", resource) when { resource.data > 0 };",
    ),
    (
        "a rule about how often a task has called",
        "@id(\"bench\") forbid(principal, action, resource) when { principal.task.calls > 1000 };",
    ),
    (
        "a rule about an argument",
        "@id(\"bench\") forbid(principal, action == Action::\"bench/read\", resource) when { context.arguments.key like \"*77\" };",
    ),
];

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    actions: u64,
    records: u64,
    agents: usize,
    policies: usize,
    recorded_per_second: f64,
    replays: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    proposal: &'static str,
    actions_per_second: f64,
    /// Per second of processor time, all threads together.
    actions_per_cpu_second: f64,
    /// To the speed at which they were recorded.
    ratio: f64,
    different: u64,
}

/// Measures what `arguments` name, and prints it.
///
/// # Errors
/// If the actions cannot be recorded or replayed.
pub async fn measure(arguments: &ReplayArgs, json: bool) -> anyhow::Result<()> {
    let machine = Machine::now()?;
    let directory = tempfile::Builder::new().prefix("remit-bench-").tempdir_in(&arguments.directory)?;
    let world = World::open(&directory.path().join("replay")).await?;
    let tasks = tasks(&world, arguments.agents).await?;
    super::progress(json, &format!("recording {} actions", arguments.actions));
    let began = Instant::now();
    record(&world, &tasks, arguments.actions).await?;
    let recorded_per_second = arguments.actions as f64 / began.elapsed().as_secs_f64();
    let mut replays = Vec::new();
    for (proposal, text) in PROPOSALS {
        super::progress(json, proposal);
        replays.push(replay(&world, proposal, text, arguments.actions, recorded_per_second).await?);
    }
    let report = Report {
        machine,
        actions: arguments.actions,
        records: world.engine.head(),
        agents: tasks.len(),
        policies: world.engine.read(|state| state.compiled().set.as_ref().map_or(0, |set| set.rules().len())),
        recorded_per_second,
        replays,
    };
    world.engine.close().await;
    print(&report, json)
}

/// Agents with a task each.
async fn tasks(world: &World, agents: usize) -> anyhow::Result<Vec<(AgentId, TaskId)>> {
    let mut tasks = vec![(world.agent, world.task)];
    for number in 1..agents {
        let agent = world::agent(&world.engine, &world.root, &world.ana, &format!("bench-{number}")).await?;
        let start = StartTask {
            agent,
            purpose: "measure".to_owned(),
            acting_for: None,
            scope: Vec::new(),
            ttl_seconds: None,
            budget: Some(remit_domain::Budget { calls_max: remit_domain::limits::TASK_CALLS_MAX }),
            parent: None,
            key: None,
            authority: Vec::new(),
            delegation: None,
            configuration: None,
        };
        let receipt = world.engine.submit(world.root.clone(), Command::StartTask(Box::new(start))).await?;
        tasks.push((agent, world::started(&receipt).context("no task was started")?));
    }
    Ok(tasks)
}

/// Has `actions` calls decided and recorded, their arguments kept, and their outcomes recorded.
async fn record(world: &World, tasks: &[(AgentId, TaskId)], actions: u64) -> anyhow::Result<()> {
    let calls = (0..actions).map(|number| {
        let (engine, operation) = (world.engine.clone(), world.operation.clone());
        let task = tasks.get(usize::try_from(number).unwrap_or_default() % tasks.len().max(1)).copied();
        async move {
            let (agent, task) = task.context("there is no task")?;
            let arguments = json!({"key": format!("key-{number}")});
            let canonical = serde_json::to_vec(&arguments)?;
            let (content, sealed) = engine.commitment(task, "arguments", canonical).await?;
            let attempt = AttemptAction::new(task, operation, Arc::new(arguments), content);
            let actor = Actor::Agent { agent, task: Some(task) };
            let receipt = engine.submit_with(actor, Command::AttemptAction(Box::new(attempt)), vec![sealed]).await?;
            let Some(Verdict::Allowed(allowed)) = Verdict::among(&receipt.events) else {
                anyhow::bail!("a call was not allowed: {:?}", receipt.events);
            };
            submit::report(engine, allowed.action);
            Ok(())
        }
    });
    stream::iter(calls).buffer_unordered(CALLERS).try_collect::<Vec<()>>().await?;
    // Outcomes are reported apart.
    while world.engine.read(|state| !state.actions.is_empty()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn replay(
    world: &World,
    proposal: &'static str,
    text: &str,
    actions: u64,
    recorded_per_second: f64,
) -> anyhow::Result<Row> {
    let edits = vec![PolicyEdit { name: "bench".to_owned(), text: Some(text.to_owned()) }];
    let own = [std::process::id()];
    let (began, before) = (Instant::now(), used(&own));
    let asked = Replay { edits, from: None, to: None, every: false };
    let report = world.engine.replay(asked, |_| ControlFlow::Continue(())).await?;
    let (seconds, processor) = (began.elapsed().as_secs_f64(), used(&own).saturating_sub(before).as_secs_f64());
    anyhow::ensure!(report.same + report.different == actions, "some actions were not decided again: {report:?}");
    let per_second = actions as f64 / seconds;
    Ok(Row {
        proposal,
        actions_per_second: per_second,
        actions_per_cpu_second: actions as f64 / processor.max(0.01),
        ratio: per_second / recorded_per_second,
        different: report.different,
    })
}

fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["proposal", "actions /s", "per cpu second", "to recording", "different"]);
    for row in &report.replays {
        table.add_row([
            row.proposal.to_owned(),
            format!("{:.0}", row.actions_per_second),
            format!("{:.0}", row.actions_per_cpu_second),
            format!("{:.1}", row.ratio),
            row.different.to_string(),
        ]);
    }
    println!("{} cpus, load before {}", report.machine.cpus, report.machine.load_before);
    println!(
        "{} actions of {} agents ({} records) under {} policies, recorded at {:.0} /s",
        report.actions, report.agents, report.records, report.policies, report.recorded_per_second
    );
    println!("{table}");
    Ok(())
}
