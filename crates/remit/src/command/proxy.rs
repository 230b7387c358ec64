//! `remit proxy`: the gateway, for clients that only start processes.

use std::path::PathBuf;

use clap::Args;

use super::mcp_address::McpAddress;
use super::{Failure, Global};
use crate::proxy::{Token, proxy};

/// Which gateway, and as whom. There is no argument for the token itself: everybody on the machine reads command lines.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit run --agent triage --purpose \"answer ticket 17\" -- remit proxy\n  remit proxy --mcp-url https://remit.example/mcp --token-file ~/.config/triage.token\n\nThe token comes from `--token-file` or `--token-env`, else from `REMIT_TOKEN_FILE`, else from `REMIT_TASK_TOKEN`."
)]
pub struct ProxyArgs {
    #[command(flatten)]
    pub address: McpAddress,
    /// File with the token; read again for every request, so that it may be renewed.
    #[arg(long, value_name = "FILE", conflicts_with = "token_env")]
    pub token_file: Option<PathBuf>,
    /// Name of the variable that holds the token.
    #[arg(long, value_name = "NAME")]
    pub token_env: Option<String>,
}

pub async fn run(arguments: ProxyArgs, global: &Global) -> Result<(), Failure> {
    let token = Token::choose(arguments.token_file, arguments.token_env.as_deref())?;
    if !token.is_given() {
        eprintln!("remit: there is no token, so only a sandbox will answer\nhelp: name one with `--token-file FILE`");
    }
    proxy(arguments.address.find(global)?, token).await
}
