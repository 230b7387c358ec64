//! How soon a new run has its first SVID: from connecting to the Workload API's socket to the whole first answer.
//!
//! This process is the workload. Each time it has been launched for another task, so that each SVID is a new one: the
//! caller looked at, a key made, a certificate signed and put on record. What follows the end of a run is not measured here, and
//! so nothing reports it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use remit_domain::{Command, TaskId};
use remit_workload::{Settings, Workloads};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::quantiles::Quantiles;
use super::work;
use crate::bench::progress;
use crate::bench::world::World;

/// Runs that are measured however short the time is.
const RUNS_MIN: usize = 10;
/// A message of gRPC begins with a flag and its length, in bytes.
const PREFIX_BYTES: usize = 5;

#[derive(Debug, Serialize)]
pub struct FirstSvid {
    pub runs: usize,
    /// The very first one, for which the digest of the program had to be taken.
    pub cold_ms: f64,
    /// All others.
    pub milliseconds: Quantiles,
}

/// Measures on a realm of its own in `data`.
pub async fn measure(data: &Path, time: Duration, quiet: bool) -> anyhow::Result<FirstSvid> {
    progress(quiet, "first SVIDs over the socket");
    let world = World::open(data).await?;
    let settings = Settings::at(data.join("workload.sock"));
    let workloads = Workloads::bind(world.engine.clone(), &settings).await?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn(workloads.serve(stop.clone().cancelled_owned()));
    let cold = run(&world, &settings.socket).await?;
    let (start, mut latencies) = (Instant::now(), Vec::new());
    while start.elapsed() < time || latencies.len() < RUNS_MIN {
        latencies.push(run(&world, &settings.socket).await?);
    }
    stop.cancel();
    serving.await?;
    world.engine.close().await;
    let cold_ms = cold.as_secs_f64() * 1_000.0;
    Ok(FirstSvid { runs: latencies.len(), cold_ms, milliseconds: Quantiles::of(latencies) })
}

/// A task that this process was launched for, its first SVID, and its end.
async fn run(world: &World, socket: &Path) -> anyhow::Result<Duration> {
    let task = work::start(&world.engine, &world.root, world.agent, None).await?;
    attest(world, task).await?;
    let began = Instant::now();
    fetch(socket).await?;
    let took = began.elapsed();
    world.engine.submit(world.root.clone(), Command::EndTask { task, note: String::new() }).await?;
    Ok(took)
}

async fn attest(world: &World, task: TaskId) -> anyhow::Result<()> {
    let (pid, now) = (i32::try_from(std::process::id())?, world.engine.now());
    let process = tokio::task::spawn_blocking(move || remit_workload::observe(pid, now)).await??;
    world.engine.submit(world.root.clone(), Command::AttestLaunch { task, process }).await?;
    Ok(())
}

/// Reads the first message of `FetchX509SVID`.
async fn fetch(socket: &Path) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().unix_socket(socket).http2_prior_knowledge().build()?;
    let request = client
        .post("http://localhost/SpiffeWorkloadAPI/FetchX509SVID")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("workload.spiffe.io", "true")
        // An empty message.
        .body([0; PREFIX_BYTES].as_slice());
    let mut answer = request.send().await?.error_for_status()?;
    let said = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    anyhow::ensure!(said("grpc-status").is_empty(), "no SVID was issued: {}", said("grpc-message"));
    let mut read = Vec::new();
    loop {
        read.extend_from_slice(&answer.chunk().await?.context("the stream ended before its first message")?);
        let Some(([_, length @ ..], message)) = read.split_first_chunk::<PREFIX_BYTES>() else { continue };
        if message.len() >= usize::try_from(u32::from_be_bytes(*length))? {
            return Ok(());
        }
    }
}
