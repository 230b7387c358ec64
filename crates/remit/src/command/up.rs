//! `remit up`: runs the server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::{Failure, Global};

/// How the server runs.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit up\n  remit up --data /var/lib/remit --config /etc/remit.toml\n  remit up --dev"
)]
pub struct UpArgs {
    /// Configuration; without one, embedded storage and loopback listeners.
    #[arg(long, env = "REMIT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Also opens the sandbox: the gateway without tokens, for experiments. Never in a production realm.
    #[arg(long)]
    pub dev: bool,
    /// Where the sandbox listens, instead of `sandbox.listen`; an address of this machine.
    #[arg(long, requires = "dev", value_name = "ADDRESS")]
    pub sandbox_listen: Option<SocketAddr>,
}

pub async fn run(arguments: UpArgs, global: &Global) -> Result<(), Failure> {
    crate::up::up(arguments, global).await
}
