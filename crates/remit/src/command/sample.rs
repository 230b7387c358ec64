//! `remit sample`: small real servers to try Remit against.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::sample::helpdesk;

/// The samples.
#[derive(Debug, Clone, Subcommand)]
pub enum SampleCommand {
    /// A help desk with customers, orders, refunds and an outbox, as an MCP server.
    Helpdesk(HelpdeskArgs),
}

/// How the help desk is reached.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit sample helpdesk\n  remit sample helpdesk --http 127.0.0.1:7491")]
pub struct HelpdeskArgs {
    /// Serves HTTP at `/mcp` of this address, instead of standard input and output.
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
}

pub async fn run(command: SampleCommand) -> Result<(), Failure> {
    let SampleCommand::Helpdesk(HelpdeskArgs { http }) = command;
    let Some(address) = http else {
        return Ok(helpdesk::serve_stdio().await?);
    };
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener
        .map_err(|error| Failure::fault(format!("cannot listen on `{address}`: {error}"), "choose another port"))?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        // Without a signal to wait for there is nothing that ends it but the operating system.
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.cancel();
        }
    });
    Ok(helpdesk::serve_http(listener, stop).await?)
}
