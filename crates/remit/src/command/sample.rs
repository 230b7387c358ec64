//! `remit sample`: small real servers to try Remit against.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::sample::{echo, helpdesk};

/// The samples.
#[derive(Debug, Clone, Subcommand)]
pub enum SampleCommand {
    /// A help desk with customers, orders, refunds and an outbox, as an MCP server.
    Helpdesk(HelpdeskArgs),
    /// An MCP server that says what it was told, to measure through.
    Echo(EchoArgs),
}

/// How the help desk is reached.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit sample helpdesk\n  remit sample helpdesk --http 127.0.0.1:7491")]
pub struct HelpdeskArgs {
    /// Serves HTTP at `/mcp` of this address, instead of standard input and output.
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
}

/// How the echo is reached, and how much it lists.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit sample echo\n  remit sample echo --listen 127.0.0.1:0 --tools 500")]
pub struct EchoArgs {
    /// Serves HTTP at `/mcp` of this address; port 0 takes a free one. The first line of output is the whole address.
    #[arg(long, default_value = "127.0.0.1:7492", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Numbered tools besides `echo`.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub tools: usize,
}

pub async fn run(command: SampleCommand) -> Result<(), Failure> {
    match command {
        SampleCommand::Helpdesk(HelpdeskArgs { http: None }) => Ok(helpdesk::serve_stdio().await?),
        SampleCommand::Helpdesk(HelpdeskArgs { http: Some(address) }) => {
            Ok(helpdesk::serve_http(listen(address).await?, until_interrupted()).await?)
        }
        SampleCommand::Echo(EchoArgs { listen: address, tools }) => {
            let listener = listen(address).await?;
            let address = listener.local_addr().unwrap_or(address);
            println!("http://{address}/mcp");
            Ok(echo::serve(listener, tools, until_interrupted()).await?)
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| Failure::fault(format!("cannot listen on `{address}`: {error}"), "choose another port"))
}

fn until_interrupted() -> CancellationToken {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        // Without a signal to wait for there is nothing that ends it but the operating system.
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.cancel();
        }
    });
    stop
}
