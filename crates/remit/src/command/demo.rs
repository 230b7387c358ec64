//! `remit demo`: the main job in one go.

use clap::Args;

use super::{Failure, Global};

/// How far the demo goes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit demo\n  remit demo --once --json")]
pub struct DemoArgs {
    /// Ends when all steps are done, instead of serving on.
    #[arg(long)]
    pub once: bool,
}

pub async fn run(arguments: DemoArgs, global: &Global) -> Result<(), Failure> {
    crate::demo::demo(arguments, global).await
}
