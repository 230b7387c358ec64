//! Starting from a long log, and holding a large estate.

use std::path::Path;
use std::time::Instant;

use remit_domain::Command;
use serde::Serialize;

use super::door::processor::resident_mib;
use super::world::{self, World};

/// Commands on their way at a time while a log is made.
const AT_A_TIME: u64 = 2_048;

#[derive(Debug, Serialize)]
pub struct Start {
    pub events: u64,
    pub log_mib: f64,
    pub without_snapshot_seconds: f64,
    pub with_snapshot_seconds: f64,
}

#[derive(Debug, Serialize)]
pub struct Estate {
    pub agents: u64,
    pub resident_mib: f64,
}

/// Makes a log of `events` and times opening it without and with a snapshot.
pub async fn measure(data: &Path, events: u64) -> anyhow::Result<Start> {
    let world = World::open(data).await?;
    let mut made = world.engine.head();
    while made < events {
        let batch = (0..AT_A_TIME.min(events - made)).map(|number| {
            let (engine, root, task) = (world.engine.clone(), world.root.clone(), world.task);
            let expires_at = engine.now();
            let token = format!("tok_{made}_{number}");
            tokio::spawn(async move { engine.submit(root, Command::IssueToken { task, token, expires_at }).await })
        });
        for command in batch.collect::<Vec<_>>() {
            command.await??;
        }
        made = world.engine.head();
    }
    world.engine.close().await;
    let with_snapshot_seconds = open(data).await?;
    std::fs::remove_dir_all(data.join("snapshots"))?;
    let without_snapshot_seconds = open(data).await?;
    let log_bytes: u64 = std::fs::read_dir(data.join("segments"))?
        .filter_map(|file| file.ok()?.metadata().ok())
        .map(|file| file.len())
        .sum();
    Ok(Start {
        events: made,
        log_mib: log_bytes as f64 / f64::from(1 << 20),
        without_snapshot_seconds,
        with_snapshot_seconds,
    })
}

/// Until the directory answers questions again.
async fn open(data: &Path) -> anyhow::Result<f64> {
    let began = Instant::now();
    let engine = world::open(data).await?;
    let seconds = began.elapsed().as_secs_f64();
    engine.close().await;
    Ok(seconds)
}

/// Makes `agents` agents with a grant each and measures the memory that they take.
pub async fn estate(data: &Path, agents: u64) -> anyhow::Result<Estate> {
    let world = World::open(data).await?;
    let mut made = 0;
    while made < agents {
        let batch = (made..agents.min(made + 256)).map(|number| {
            let (engine, root, ana) = (world.engine.clone(), world.root.clone(), world.ana.clone());
            tokio::spawn(async move { world::agent(&engine, &root, &ana, &format!("agent-{number}")).await })
        });
        for agent in batch.collect::<Vec<_>>() {
            agent.await??;
        }
        made = agents.min(made + 256);
    }
    world.engine.close().await;
    // Measured after a restart, so that it is what the estate takes and not what making it took.
    drop(world);
    let engine = world::open(data).await?;
    let granted = engine.read(|state| state.grants.len() as u64);
    anyhow::ensure!(granted >= agents, "only {granted} grants were made");
    let estate = Estate { agents, resident_mib: resident_mib("self") };
    engine.close().await;
    Ok(estate)
}
