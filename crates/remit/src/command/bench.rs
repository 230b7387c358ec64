//! `remit bench`: measures this machine.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use url::Url;

use super::mcp_address::mcp_url;
use super::{Failure, Global, duration_seconds};

/// What is measured, and for how long.
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  remit bench\n  remit bench --directory /mnt/disk --time 10s --events 1000000 --json\n  remit bench door\n  remit bench identity\n  remit bench policy\n  remit bench who\n  remit bench pages"
)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub part: Option<BenchCommand>,
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

/// What is measured apart from the ledger and the decision.
#[derive(Debug, Clone, Subcommand)]
pub enum BenchCommand {
    /// Measures calls through the gateway beside the same calls made directly, each server a process of its own.
    Door(Box<DoorArgs>),
    /// Measures decisions that others enforce, asked over HTTP and recorded durably.
    Authzen(Box<AuthzenArgs>),
    /// Measures tokens, SVIDs, what it costs to check them, and how soon a revocation has taken effect.
    Identity(Box<IdentityArgs>),
    /// Measures decisions, compiling and listing as policies, agents and operations become more.
    Policy(Box<PolicyArgs>),
    /// Measures deciding recorded actions again under proposed policies.
    Replay(Box<ReplayArgs>),
    /// Measures the console's pages in a large realm with a long ledger.
    Pages(Box<PagesArgs>),
    /// Measures questions that run the other way: who can call what, in a large estate.
    Who(Box<WhoArgs>),
}

/// How long decisions for others are measured.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit bench authzen\n  remit bench authzen --time 10s --json")]
pub struct AuthzenArgs {
    /// Directory on the disk to measure; a fresh one below it is used and removed.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// How long each number is measured.
    #[arg(long, default_value = "3s", value_name = "DURATION", value_parser = duration_seconds)]
    pub time: u64,
}

/// What is measured of the gateway, and how often.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit bench door\n  remit bench door --part calls --time 10s --runs 5 --markdown\n  remit bench door --only-target http://127.0.0.1:8080/mcp --generation 2025-11-25 --tool echo --pid 4711 --json"
)]
pub struct DoorArgs {
    /// Directory on the disk to measure; a fresh one below it is used and removed.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// How long each number is measured.
    #[arg(long, default_value = "3s", value_name = "DURATION", value_parser = duration_seconds)]
    pub time: u64,
    /// How often each number is measured; the least, the middle and the greatest are shown.
    #[arg(long, default_value_t = 3, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub runs: u16,
    /// Only these parts; all of them if none is named.
    #[arg(long = "part", value_name = "PART", value_enum, value_delimiter = ',')]
    pub parts: Vec<DoorPart>,
    /// Active policies under which a decision is measured.
    #[arg(long, default_value = "10,1000,10000", value_name = "NUMBERS", value_delimiter = ',')]
    pub policies: Vec<usize>,
    /// Different callers that list tools, and that hold streams open.
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub callers: u32,
    /// Tools that each of them lists, half of them of each of two connectors.
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub tools: u32,
    /// Idle streams that they hold open at a time.
    #[arg(long, default_value_t = 10_000, value_name = "NUMBER")]
    pub streams: u32,
    /// Prints tables in Markdown.
    #[arg(long)]
    pub markdown: bool,
    #[command(flatten)]
    pub other: OtherArgs,
}

/// What is measured of identity, and how long.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit bench identity\n  remit bench identity --part revocations,cascade --revocations 1000 --json"
)]
pub struct IdentityArgs {
    /// Directory on the disk to measure; a fresh one below it is used and removed.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// How long each rate and each cost is measured; `200ms` is understood too.
    #[arg(long, default_value = "3s", value_name = "DURATION", value_parser = duration)]
    pub time: Duration,
    /// Only these parts; all of them if none is named.
    #[arg(long = "part", value_name = "PART", value_enum, value_delimiter = ',')]
    pub parts: Vec<IdentityPart>,
    /// Revocations under load.
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(3..))]
    pub revocations: u32,
    /// Live tasks of one agent that are ended at once, each with ten tokens.
    #[arg(long, default_value_t = 10_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub tasks: u32,
}

/// A part of what is measured of identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IdentityPart {
    /// Task tokens and SVIDs each second, with their records and bare.
    Issuing,
    /// What it costs to check what a caller shows.
    Checks,
    /// How soon a new run has its first SVID, over the Workload API's socket.
    FirstSvid,
    /// From a revocation to the last accepted call.
    Revocations,
    /// Everything of one agent ended at once.
    Cascade,
}

impl IdentityArgs {
    /// Whether `part` is to be measured.
    pub fn includes(&self, part: IdentityPart) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

/// What is recorded to be decided again.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  remit bench replay\n  remit bench replay --actions 1000000 --agents 100 --json")]
pub struct ReplayArgs {
    /// Directory on the disk to record on; a fresh one below it is used and removed.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Actions, each an allowed call and its outcome.
    #[arg(long, default_value_t = 100_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub actions: u64,
    /// Agents that make them, with a task each.
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    pub agents: usize,
}

/// What is measured of policies, and how long.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit bench policy\n  remit bench policy --part decisions --policies 1000,100000 --time 500ms --json"
)]
pub struct PolicyArgs {
    /// Processor time for which each figure is measured; `200ms` is understood too.
    #[arg(long, default_value = "2s", value_name = "DURATION", value_parser = duration)]
    pub time: Duration,
    /// Only these parts; all of them if none is named.
    #[arg(long = "part", value_name = "PART", value_enum, value_delimiter = ',')]
    pub parts: Vec<PolicyPart>,
    /// Policies of the sets that decide and that are compiled.
    #[arg(long, default_value = "10,100,1000,10000,100000", value_name = "NUMBERS", value_delimiter = ',')]
    pub policies: Vec<usize>,
    /// Agents, each with ten grants, whose facts are at hand.
    #[arg(long, default_value = "100,1000,10000,100000,1000000", value_name = "NUMBERS", value_delimiter = ',')]
    pub agents: Vec<usize>,
    /// Operations of the schema that lists are made from.
    #[arg(long, default_value = "10,100,1000,10000", value_name = "NUMBERS", value_delimiter = ',')]
    pub operations: Vec<usize>,
}

/// The estate in which questions that run the other way are measured.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit bench who\n  remit bench who --agents 100000 --operations 10000 --grants 10000000 --json"
)]
pub struct WhoArgs {
    /// Agents, all active.
    #[arg(long, default_value_t = 100_000, value_name = "NUMBER")]
    pub agents: usize,
    /// Operations, five hundred to a connector.
    #[arg(long, default_value_t = 10_000, value_name = "NUMBER")]
    pub operations: usize,
    /// Grants, each over one operation, and one in a hundred over all of a connector.
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER")]
    pub grants: usize,
    /// Policies besides those that a realm begins with, each about one agent.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub policies: usize,
    /// Questions of each sort.
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    pub questions: usize,
}

/// The realm whose pages are measured, and how often.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit bench pages\n  remit bench pages --agents 10000 --records 1000000 --keep /tmp/large --markdown\n  remit bench pages --agents 10000 --records 1000000 --keep /tmp/large --only /ledger"
)]
pub struct PagesArgs {
    /// Directory on the disk to measure; a fresh one below it is used and removed.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub directory: PathBuf,
    /// Directory in which the realm is made and kept, to be measured again.
    #[arg(long, value_name = "DIR", conflicts_with = "directory")]
    pub keep: Option<PathBuf>,
    /// Agents, each with a grant or two.
    #[arg(long, default_value_t = 10, value_name = "NUMBER", value_parser = at_least_one)]
    pub agents: usize,
    /// Records of the ledger, nearly.
    #[arg(long, default_value_t = 10_000, value_name = "NUMBER")]
    pub records: u64,
    /// How often each page is looked at.
    #[arg(long, default_value_t = 200, value_name = "NUMBER", value_parser = at_least_one)]
    pub times: usize,
    /// Questions that are timed until they are on an open page.
    #[arg(long, default_value_t = 500, value_name = "NUMBER", value_parser = at_least_one)]
    pub questions: usize,
    /// Only pages whose address begins like this.
    #[arg(long, value_name = "ADDRESS")]
    pub only: Option<String>,
    /// Prints tables in Markdown.
    #[arg(long)]
    pub markdown: bool,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("a number from 1 on is wanted".to_owned()),
    }
}

/// A part of what is measured of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyPart {
    /// One decision, by the index and plainly, as policies become more.
    Decisions,
    /// One decision as agents and grants become more.
    Agents,
    /// Compiling a set anew, and after one change.
    Compiling,
    /// Whether operations can be called, and their schema, as they become more.
    Listing,
}

impl PolicyArgs {
    /// Whether `part` is to be measured.
    pub fn includes(&self, part: PolicyPart) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

/// A duration as everywhere, or one in milliseconds.
fn duration(text: &str) -> Result<Duration, String> {
    match text.strip_suffix("ms").map(str::parse) {
        Some(Ok(milliseconds @ 1..)) => Ok(Duration::from_millis(milliseconds)),
        _ => duration_seconds(text).map(Duration::from_secs),
    }
}

/// A server to be measured instead of Remit.
#[derive(Debug, Clone, Args)]
pub struct OtherArgs {
    /// Measures only calls, and only of the MCP server at this address: for other programs, with the same callers.
    #[arg(long, value_name = "URL", value_parser = mcp_url, conflicts_with_all = ["parts", "markdown"])]
    pub only_target: Option<Url>,
    /// The generation of the protocol that it is spoken to in.
    #[arg(long, value_enum, default_value = "2026-07-28", value_name = "REVISION", requires = "only_target")]
    pub generation: Generation,
    /// The tool that is called; it takes `text` and says it again.
    #[arg(long, default_value = "echo", value_name = "NAME", requires = "only_target")]
    pub tool: String,
    /// Name of the variable that holds its bearer token, if it wants one.
    #[arg(long, value_name = "NAME", requires = "only_target")]
    pub token_variable: Option<String>,
    /// Processes whose time is counted as its own.
    #[arg(long = "pid", value_name = "PID", requires = "only_target")]
    pub pids: Vec<u32>,
}

/// A part of what is measured of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoorPart {
    /// Calls: latency, rate and processor time, closed and open loop.
    Calls,
    /// What a decision costs as policies become more.
    Policies,
    /// Lists of tools for many callers.
    Lists,
    /// Idle streams to clients.
    Streams,
}

/// A generation of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
pub enum Generation {
    /// Every request stands alone.
    #[value(name = "2026-07-28")]
    #[serde(rename = "2026-07-28")]
    Modern,
    /// A handshake, then requests that refer to it.
    #[value(name = "2025-11-25")]
    #[serde(rename = "2025-11-25")]
    Handshake,
}

impl Generation {
    /// As it is written on the wire.
    pub const fn revision(self) -> &'static str {
        match self {
            Self::Modern => "2026-07-28",
            Self::Handshake => "2025-11-25",
        }
    }
}

impl DoorArgs {
    /// Whether `part` is to be measured.
    pub fn includes(&self, part: DoorPart) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

pub async fn run(arguments: BenchArgs, global: &Global) -> Result<(), Failure> {
    match &arguments.part {
        Some(BenchCommand::Door(door)) => crate::bench::door(door, global).await,
        Some(BenchCommand::Authzen(authzen)) => crate::bench::authzen(authzen, global).await,
        Some(BenchCommand::Identity(identity)) => crate::bench::identity(identity, global).await,
        Some(BenchCommand::Replay(replay)) => crate::bench::replay(replay, global).await,
        Some(BenchCommand::Who(who)) => crate::bench::who(who, global).await,
        Some(BenchCommand::Pages(pages)) => crate::bench::pages(pages, global).await,
        Some(BenchCommand::Policy(policy)) => crate::bench::policy(policy, global).await,
        None => crate::bench::bench(arguments, global).await,
    }
}
