//! The command line: what people type, asked of a running server or answered from files.
//!
//! Architecture invariant: a command has no power of its own. Whatever changes something is a request to the control
//! plane, as anybody else's; what reads files needs no server and trusts nothing but their proofs.

mod address;
pub mod agent;
mod agent_key;
pub mod approval;
pub mod bench;
pub mod change;
mod client;
pub mod completions;
mod configuration_file;
pub mod connect;
pub mod connector;
mod connector_tools;
pub mod demo;
pub mod doctor;
mod duration;
mod elsewhere_file;
pub mod evidence;
mod failure;
pub mod finding;
pub mod grant;
pub mod key;
pub mod ledger;
pub mod legacy;
pub mod login;
mod mcp_address;
pub mod oauth_client;
pub mod operation;
mod output;
pub mod person;
pub mod policy;
mod policy_files;
mod policy_format;
mod policy_prove;
mod policy_replay;
mod proposed;
pub mod proxy;
pub mod receipt;
mod receipt_text;
pub mod run;
pub mod sample;
pub mod schema;
pub mod session;
mod session_file;
mod summary;
pub mod task;
pub mod up;
pub mod verify;
pub mod what;
pub mod who;
pub mod workload;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Args, CommandFactory, Parser, Subcommand};

pub use client::Client;
pub use configuration_file::digest as configuration_digest;
pub use duration::seconds as duration_seconds;
pub use failure::Failure;
pub use output::Output;

/// Gives every AI agent an identity, a boundary and a record.
#[derive(Debug, Parser)]
#[command(
    name = "remit",
    version,
    after_help = "Examples:\n  remit demo --once\n  remit up\n  remit agent list\n  remit run --agent triage --purpose \"answer ticket 17\" -- my-agent"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Data directory; on its socket no token is needed.
    #[arg(long, global = true, env = "REMIT_DATA", default_value = "./remit-data", value_name = "DIR")]
    pub data: PathBuf,
    /// Address of the control plane, instead of the data directory's socket.
    #[arg(long, global = true, env = "REMIT_URL", value_name = "URL")]
    pub url: Option<String>,
    /// One JSON document instead of tables, or JSON lines where it streams.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What Remit does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows everything in one go, on free ports and a directory of its own.
    Demo(demo::DemoArgs),
    /// Runs the server.
    Up(up::UpArgs),
    /// Runs a command as a governed run of an agent.
    Run(run::RunArgs),
    /// The gateway on standard input and output, for clients that only start processes.
    Proxy(proxy::ProxyArgs),
    /// Prints settings for MCP clients, ready to paste.
    Connect(connect::ConnectArgs),
    /// People: owners, approvers, administrators.
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Agents: governed identities, from registration to their end.
    #[command(subcommand)]
    Agent(agent::AgentCommand),
    /// Workloads: which running programs are which agent.
    #[command(subcommand)]
    Workload(workload::WorkloadCommand),
    /// Connectors: what can be reached, and which tools are approved.
    #[command(subcommand)]
    Connector(connector::ConnectorCommand),
    /// Operations: what is pinned of each tool, and how it is classified.
    #[command(subcommand)]
    Operation(operation::OperationCommand),
    /// Changes: what decides about agents, changed only with somebody else's yes.
    #[command(subcommand)]
    Change(change::ChangeCommand),
    /// Grants: who may use what, until when.
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Tasks: bounded pieces of work.
    #[command(subcommand)]
    Task(task::TaskCommand),
    /// OAuth clients: applications that people let in.
    #[command(subcommand, name = "client")]
    OAuthClient(oauth_client::ClientCommand),
    /// Receipts: what an end brought about, and when it took effect where.
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// Findings: credentials that were seen in several hands.
    #[command(subcommand)]
    Finding(finding::FindingCommand),
    /// Legacy accounts: workflows behind one shared secret, until a date.
    #[command(subcommand)]
    Legacy(legacy::LegacyCommand),
    /// Approvals: questions about one exact action.
    #[command(subcommand)]
    Approval(approval::ApprovalCommand),
    /// Policies as code.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Who can do what, who can change it, and who approved it.
    #[command(subcommand)]
    Who(who::WhoCommand),
    /// What an agent reaches, and what a person reaches only through agents.
    #[command(subcommand)]
    What(what::WhatCommand),
    /// The record of everything.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Evidence packs.
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Verifies an evidence pack, offline.
    Verify(verify::VerifyArgs),
    /// The realm's keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Sessions: who is signed in where, and since when.
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Signs in with a one-time code.
    Login(login::LoginArgs),
    /// Signs out.
    #[command(after_help = "Examples:\n  remit logout")]
    Logout,
    /// Looks for what is wrong, and says what to do.
    Doctor(doctor::DoctorArgs),
    /// Measures this machine.
    Bench(bench::BenchArgs),
    /// Small real servers to try Remit against.
    #[command(subcommand)]
    Sample(sample::SampleCommand),
    /// Prints a schema.
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    /// Prints completions for a shell.
    Completions(completions::CompletionsArgs),
}

/// Does what was asked and says how it went: 0 done, 1 refused, 2 wrong usage, 3 fault.
pub async fn dispatch(cli: Cli) -> ExitCode {
    let output = Output::new(cli.global.json);
    match run_command(cli.command, &cli.global, &output).await {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure, &command_in(std::env::args_os()));
            failure.exit_code()
        }
    }
}

/// The command that `words` call, without its arguments: `remit policy check`.
fn command_in(words: impl IntoIterator<Item = OsString>) -> String {
    let mut command = String::from("remit");
    let matches = Cli::command().try_get_matches_from(words).ok();
    let mut below = matches.as_ref().and_then(ArgMatches::subcommand);
    while let Some((name, matches)) = below {
        command.push(' ');
        command.push_str(name);
        below = matches.subcommand();
    }
    command
}

async fn run_command(command: Command, global: &Global, output: &Output) -> Result<ExitCode, Failure> {
    let client = || Client::open(global);
    match command {
        Command::Run(arguments) => return run::run(arguments, global).await,
        Command::Proxy(arguments) => proxy::run(arguments, global).await?,
        Command::Connect(arguments) => connect::run(&arguments, global, output)?,
        Command::Demo(arguments) => demo::run(arguments, global).await?,
        Command::Up(arguments) => up::run(arguments, global).await?,
        Command::Bench(arguments) => bench::run(arguments, global).await?,
        Command::Sample(command) => sample::run(command).await?,
        Command::Person(command) => person::run(command, &client()?, output).await?,
        Command::Agent(command) => agent::run(command, &client()?, output).await?,
        Command::Workload(command) => workload::run(command, &client()?, output).await?,
        Command::Connector(command) => connector::run(command, &client()?, output).await?,
        Command::Operation(command) => operation::run(command, &client()?, output).await?,
        Command::Change(command) => change::run(command, &client()?, output).await?,
        Command::Grant(command) => grant::run(command, &client()?, output).await?,
        Command::Task(command) => task::run(command, &client()?, output).await?,
        Command::OAuthClient(command) => oauth_client::run(command, &client()?, output).await?,
        Command::Receipt(command) => receipt::run(command, global, output).await?,
        Command::Finding(command) => finding::run(command, &client()?, output).await?,
        Command::Legacy(command) => legacy::run(command, &client()?, output).await?,
        Command::Approval(command) => approval::run(command, &client()?, output).await?,
        Command::Policy(command) => policy::run(command, global, output).await?,
        Command::Who(command) => who::run(command, &client()?, output).await?,
        Command::What(command) => what::run(command, &client()?, output).await?,
        Command::Ledger(command) => ledger::run(command, global, output).await?,
        Command::Evidence(command) => evidence::run(command, &client()?, output).await?,
        Command::Verify(arguments) => verify::run(&arguments, output)?,
        Command::Key(command) => key::run(command, &client()?, output).await?,
        Command::Session(command) => session::run(command, &client()?, output).await?,
        Command::Login(arguments) => login::run(arguments, global, output).await?,
        Command::Logout => login::sign_out(global, output).await?,
        Command::Doctor(arguments) => doctor::run(&arguments, global, output).await?,
        Command::Schema(command) => schema::run(&command, global, output).await?,
        Command::Completions(arguments) => completions::run(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
