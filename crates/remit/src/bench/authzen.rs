//! `remit bench authzen`: decisions for others over HTTP, each recorded before it is answered.
//!
//! One process: the control plane of a realm on the disk that is measured, and its callers, each on a connection of its own. So the
//! callers' share of the processor is in every figure; beside each stands what the same decisions cost without HTTP.

mod estate;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use self::estate::Estate;
use super::door::wire::Wire;
use super::submit::{self, Measured};
use super::{Machine, progress};
use crate::command::bench::AuthzenArgs;

/// Callers that wait at the same time.
const CALLERS: [usize; 3] = [1, 16, 256];
/// Questions of one batch.
const BATCH: usize = 100;

#[derive(Debug, Serialize)]
struct Results {
    machine: Machine,
    seconds: u64,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    callers: usize,
    /// The same decisions, recorded as durably, without HTTP.
    decisions_per_second: f64,
    evaluations_per_second: f64,
    evaluations_ratio: f64,
    evaluations_p99_ms: f64,
    /// Evaluations each second in batches of [`BATCH`].
    batched_per_second: f64,
    batched_ratio: f64,
    /// Of a whole batch.
    batch_p99_ms: f64,
}

/// Measures what `arguments` name, and prints it.
///
/// # Errors
/// If something cannot be opened, or a decision is not the one that was asked for.
pub async fn measure(arguments: &AuthzenArgs, json: bool) -> anyhow::Result<()> {
    let machine = Machine::now()?;
    let directory = tempfile::Builder::new().prefix("remit-bench-").tempdir_in(&arguments.directory)?;
    let time = Duration::from_secs(arguments.time);
    let estate = Arc::new(Estate::open(&directory.path().join("authzen")).await?);
    let mut rows = Vec::new();
    for callers in CALLERS {
        progress(json, &format!("{callers} callers"));
        let bare = decisions(&estate, callers, time).await?;
        let one = ask(&estate, callers, time, "/access/v1/evaluation", single).await?;
        let batched = ask(&estate, callers.min(16), time, "/access/v1/evaluations", batch).await?;
        let batched_per_second = batched.per_second * BATCH as f64;
        rows.push(Row {
            callers,
            decisions_per_second: bare.per_second,
            evaluations_per_second: one.per_second,
            evaluations_ratio: one.per_second / bare.per_second,
            evaluations_p99_ms: one.p99_ms,
            batched_per_second,
            batched_ratio: batched_per_second / bare.per_second,
            batch_p99_ms: batched.p99_ms,
        });
    }
    print(&Results { machine, seconds: arguments.time, rows }, json)
}

/// The decision itself, with no HTTP around it.
async fn decisions(estate: &Arc<Estate>, callers: usize, time: Duration) -> anyhow::Result<Measured> {
    let estate = Arc::clone(estate);
    submit::measure(callers, time, move |number| {
        let estate = Arc::clone(&estate);
        async move { estate.decide(number).await.map(|()| 1) }
    })
    .await
}

/// So many `callers` ask what `body` makes of a number, each on a connection that is kept.
async fn ask(
    estate: &Arc<Estate>,
    callers: usize,
    time: Duration,
    path: &'static str,
    body: fn(u64) -> Value,
) -> anyhow::Result<Measured> {
    let (address, token) = (estate.address, estate.token().await?);
    let mut open = Vec::with_capacity(callers);
    for _ in 0..callers {
        open.push(Wire::open(address).await?);
    }
    let wires = Arc::new(Mutex::new(open));
    submit::measure(callers, time, move |number| {
        let (wires, token) = (Arc::clone(&wires), token.clone());
        async move {
            let body = body(number).to_string();
            let request = format!(
                "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let wire = wires.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut wire = wire.context("there is a connection for each caller")?;
            let answer = wire.ask(request.as_bytes()).await?;
            ensure!(answer.status == 200 && !answer.says(b"\"decision\":false"), "not permitted: {}", answer.shown());
            wires.lock().unwrap_or_else(PoisonError::into_inner).push(wire);
            Ok(1)
        }
    })
    .await
}

fn single(number: u64) -> Value {
    json!({
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": "record", "id": format!("record-{number}")},
    })
}

fn batch(number: u64) -> Value {
    let items = (0..BATCH).map(|item| json!({"resource": {"type": "record", "id": format!("record-{number}-{item}")}}));
    json!({
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "read"},
        "evaluations": items.collect::<Vec<_>>(),
    })
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
        "decisions /s",
        "evaluations /s",
        "ratio",
        "p99 ms",
        "in batches of 100 /s",
        "ratio",
        "p99 ms of a batch",
    ]);
    for row in &results.rows {
        table.add_row([
            row.callers.to_string(),
            format!("{:.0}", row.decisions_per_second),
            format!("{:.0}", row.evaluations_per_second),
            format!("{:.2}", row.evaluations_ratio),
            format!("{:.2}", row.evaluations_p99_ms),
            format!("{:.0}", row.batched_per_second),
            format!("{:.2}", row.batched_ratio),
            format!("{:.2}", row.batch_p99_ms),
        ]);
    }
    println!("{} cpus, load before {}", results.machine.cpus, results.machine.load_before);
    println!("{table}");
    Ok(())
}
