//! `remit run`: a command as a governed run of an agent.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, Global, duration_seconds};

/// What runs, as whom, for what.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit run --agent triage --purpose \"answer ticket 17\" -- my-agent --ticket 17\n  remit run --agent triage --purpose \"answer ticket 17\" --for bob --ttl 30m -- my-agent\n  remit run --agent triage --purpose \"answer ticket 17\" --configuration triage.toml -- my-agent"
)]
pub struct RunArgs {
    /// Name of the agent.
    #[arg(long, value_name = "NAME")]
    pub agent: String,
    /// What it is to do, in a sentence.
    #[arg(long, value_name = "TEXT")]
    pub purpose: String,
    /// The person in whose name it acts.
    #[arg(long = "for", value_name = "PERSON")]
    pub acting_for: Option<String>,
    /// Longest time that it may take.
    #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
    pub ttl: Option<u64>,
    /// What it may use of what the agent was granted: `connector/tool` or `connector/*`.
    #[arg(long, value_name = "OPERATION")]
    pub scope: Vec<String>,
    /// The file with the configuration that it runs with, where its agent is approved with one.
    #[arg(long, value_name = "FILE")]
    pub configuration: Option<PathBuf>,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Ends with the status of the command itself.
pub async fn run(arguments: RunArgs, global: &Global) -> Result<ExitCode, Failure> {
    crate::run::run(arguments, global).await
}
