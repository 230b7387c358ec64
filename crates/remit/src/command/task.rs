//! `remit task`: bounded pieces of work.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::address::path;
use super::output::Column;
use super::receipt::WithReceipt;
use super::{Client, Failure, Output, duration_seconds};

const COLUMNS: &[Column] = &[
    ("task", "/id"),
    ("agent", "/agent"),
    ("status", "/status"),
    ("purpose", "/purpose"),
    ("for", "/acting_for"),
    ("calls", "/calls"),
    ("until", "/expires_at"),
];
const ROWS: &[Column] = &[
    ("task", "/id"),
    ("agent", "/agent"),
    ("run", "/run"),
    ("status", "/status"),
    ("purpose", "/purpose"),
    ("acts for", "/acting_for"),
    ("started by", "/started_by"),
    ("scope", "/scope"),
    ("parent", "/parent"),
    ("calls", "/calls"),
    ("of at most", "/calls_max"),
    ("attribution", "/attribution"),
    ("client", "/client"),
    ("started", "/started_at"),
    ("until", "/expires_at"),
    ("ended", "/ended_at"),
    ("because", "/end_reason/kind"),
];

/// What to do with tasks.
#[derive(Debug, Clone, Subcommand)]
pub enum TaskCommand {
    /// Starts a task and prints its token. `remit run` does this, and ends it, for one command.
    #[command(
        after_help = "Examples:\n  remit task start triage --purpose \"answer ticket 17\"\n  remit task start triage --purpose \"answer ticket 17\" --for bob --ttl 30m --scope helpdesk/read_ticket"
    )]
    Start(Start),
    /// Lists tasks; those that are live, unless told otherwise.
    #[command(after_help = "Examples:\n  remit task list\n  remit task list --agent triage --status all")]
    List {
        /// Only those of this agent.
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
        #[arg(long, value_parser = ["live", "ended", "all"])]
        status: Option<String>,
    },
    /// Shows a task.
    #[command(after_help = "Examples:\n  remit task show tsk_01jd0000000000000000000000")]
    Show { task: String },
    /// Ends a task and everything under it.
    #[command(
        after_help = "Examples:\n  remit task end tsk_01jd0000000000000000000000 --note \"done\"\n  remit task end tsk_01jd0000000000000000000000 --receipt"
    )]
    End {
        task: String,
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
        #[command(flatten)]
        receipt: WithReceipt,
    },
    /// Ends a run: all its tasks, and everything below them.
    #[command(
        after_help = "Examples:\n  remit task revoke-run run_01jd0000000000000000000000 --reason \"does what nobody asked for\" --receipt"
    )]
    RevokeRun {
        run: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        receipt: WithReceipt,
    },
    /// Erases the prompts, arguments and results of an ended task; the proofs about them stand.
    #[command(
        after_help = "Examples:\n  remit task erase tsk_01jd0000000000000000000000 --reason \"asked for by the customer\""
    )]
    Erase {
        task: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// A task to start.
#[derive(Debug, Clone, Args)]
pub struct Start {
    /// Name of the agent.
    agent: String,
    /// What it is to do, in a sentence.
    #[arg(long, value_name = "TEXT")]
    purpose: String,
    /// The person in whose name it acts.
    #[arg(long = "for", value_name = "PERSON")]
    acting_for: Option<String>,
    /// Longest time that it may take.
    #[arg(long, default_value = "1h", value_name = "DURATION", value_parser = duration_seconds)]
    ttl: u64,
    /// What it may use of what the agent was granted; may be given several times.
    #[arg(long, value_name = "OPERATION")]
    scope: Vec<String>,
    /// Calls that it may make.
    #[arg(long, value_name = "NUMBER")]
    calls: Option<u64>,
    /// The task that it is a part of.
    #[arg(long, value_name = "TASK")]
    parent: Option<String>,
    /// Thumbprint of the agent's enrolled key that its tokens are bound to.
    #[arg(long, value_name = "THUMBPRINT")]
    key: Option<String>,
    /// An agent that parts of the task may be passed on to; may be given several times.
    #[arg(long = "delegate", value_name = "NAME")]
    delegates: Vec<String>,
    /// The file with the configuration that it runs with, where its agent is approved with one.
    #[arg(long, value_name = "FILE")]
    configuration: Option<PathBuf>,
    /// How many delegates there may be one after the other.
    #[arg(long, default_value_t = 1, value_name = "NUMBER", requires = "delegates")]
    delegate_depth: u32,
}

async fn start(client: &Client, output: &Output, start: Start) -> Result<(), Failure> {
    let delegates: Vec<Value> = start.delegates.iter().map(|name| json!({"agent": name})).collect();
    let delegation =
        (!delegates.is_empty()).then(|| json!({"depth_max": start.delegate_depth, "delegates": delegates}));
    let body = json!({
        "agent": start.agent,
        "purpose": start.purpose,
        "acting_for": start.acting_for,
        "scope": start.scope,
        "ttl_seconds": start.ttl,
        "calls_max": start.calls,
        "parent": start.parent,
        "key": start.key,
        "delegation": delegation,
        "configuration": super::configuration_digest(start.configuration.as_deref())?,
        // Nobody renews what is printed here, so it lives as long as its task.
        "token_ttl_seconds": start.ttl,
    });
    let started = client.post("/v1/tasks", body).await?;
    output.card(
        &started,
        &[
            ("task", "/task"),
            ("run", "/run"),
            ("agent", "/agent"),
            ("until", "/task_expires_at"),
            ("mcp", "/mcp_url"),
            ("scheme", "/scheme"),
            ("token", "/token"),
        ],
    );
    Ok(())
}

pub async fn run(command: TaskCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        TaskCommand::Start(arguments) => start(client, output, arguments).await?,
        TaskCommand::List { agent, status } => {
            let tasks = client.list("/v1/tasks", &[("agent", agent), ("status", status)]).await?;
            output.table(&tasks, COLUMNS, "no task");
        }
        TaskCommand::Show { task } => output.card(&client.get(&path(&["tasks", &task])).await?, ROWS),
        TaskCommand::End { task, note, receipt } => {
            let address = path(&["tasks", &task, "end"]);
            let end = client.post(&address, json!({"note": note}));
            receipt.around(client, output, end, &format!("ended {task} and everything under it")).await?;
        }
        TaskCommand::RevokeRun { run, reason, receipt } => {
            let address = path(&["runs", &run, "revoke"]);
            let revoke = client.post(&address, json!({"reason": reason}));
            receipt.around(client, output, revoke, &format!("ended {run} with all its tasks")).await?;
        }
        TaskCommand::Erase { task, reason } => {
            let erased = client.post(&path(&["tasks", &task, "erase"]), json!({"reason": reason})).await?;
            output.done(&erased, &format!("erased the content of {task}; the ledger still proves what happened"));
        }
    }
    Ok(())
}
