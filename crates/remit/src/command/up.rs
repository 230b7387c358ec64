//! `remit up`: runs the server.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Global};

/// How the server runs.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit up\n  remit up --data /var/lib/remit --config /etc/remit.toml")]
pub struct UpArgs {
    /// Configuration; without one, embedded storage and loopback listeners.
    #[arg(long, env = "REMIT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

pub async fn run(arguments: UpArgs, global: &Global) -> Result<(), Failure> {
    crate::up::up(arguments, global).await
}
