//! `remit bench`: measures this machine.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Global, duration_seconds};

/// What is measured, and for how long.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit bench\n  remit bench --directory /mnt/disk --time 10s --events 1000000 --json"
)]
pub struct BenchArgs {
    /// Directory on the disk to measure; a fresh one below it is used and removed.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// How long each number is measured.
    #[arg(long, default_value = "3s", value_name = "DURATION", value_parser = duration_seconds)]
    pub time: u64,
    /// Events from which the start is measured; 0 leaves that out.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub events: u64,
    /// Agents, each with a grant, whose memory is measured; 0 leaves that out.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub agents: u64,
}

pub async fn run(arguments: BenchArgs, global: &Global) -> Result<(), Failure> {
    crate::bench::bench(arguments, global).await
}
