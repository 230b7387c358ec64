//! Reads configuration, wires the house, runs it; the command line.
//!
//! Architecture invariant: nothing is decided here and nothing is kept here; this crate starts the others and speaks to
//! people on a terminal.

mod bench;
mod caep;
mod command;
mod config;
mod demo;
mod notify;
mod proofs;
mod proxy;
mod run;
mod sample;
mod server;
mod tools;
mod up;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One cryptographic library for all of TLS; whoever comes second would be refused, and nobody does.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let cli = command::Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("REMIT_LOG").unwrap_or_else(|_| "warn".into());
    // Colour is for people: a log file gets none, and neither does whoever says so (no-color.org).
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).init();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command::dispatch(cli)),
        Err(error) => {
            eprintln!("fault: cannot start: {error}");
            ExitCode::from(3)
        }
    }
}
