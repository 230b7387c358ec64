//! `remit finding`: credentials that were seen in several hands.

use clap::Subcommand;
use serde_json::json;

use super::address::path;
use super::output::Column;
use super::{Client, Failure, Output};

const COLUMNS: &[Column] = &[
    ("finding", "/id"),
    ("status", "/status"),
    ("shared", "/kind"),
    ("agent", "/agent"),
    ("task", "/task"),
    ("parties", "/parties"),
    ("found", "/opened_at"),
];
const ROWS: &[Column] = &[
    ("finding", "/id"),
    ("status", "/status"),
    ("shared", "/kind"),
    ("agent", "/agent"),
    ("task", "/task"),
    ("parties", "/parties"),
    ("digest", "/credential"),
    ("found", "/opened_at"),
    ("closed by", "/closed_by"),
    ("note", "/note"),
];

/// What to do with findings.
#[derive(Debug, Clone, Subcommand)]
pub enum FindingCommand {
    /// Lists credentials that were seen in several hands; those that are open, unless told otherwise.
    #[command(after_help = "Examples:\n  remit finding list\n  remit finding list --agent triage --status all")]
    List {
        /// Only those about this agent.
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
        #[arg(long, value_parser = ["open", "closed", "all"])]
        status: Option<String>,
    },
    /// Shows a finding with everybody who was seen with the credential.
    #[command(after_help = "Examples:\n  remit finding show fnd_01jd0000000000000000000000")]
    Show { finding: String },
    /// Says that a finding is dealt with.
    #[command(
        after_help = "Examples:\n  remit finding close fnd_01jd0000000000000000000000 --note \"each worker has a task of its own now\""
    )]
    Close {
        finding: String,
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
}

pub async fn run(command: FindingCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        FindingCommand::List { agent, status } => {
            let findings = client.list("/v1/findings", &[("agent", agent), ("status", status)]).await?;
            output.table(&findings, COLUMNS, "no finding: no credential was seen in several hands");
        }
        FindingCommand::Show { finding } => output.card(&client.get(&path(&["findings", &finding])).await?, ROWS),
        FindingCommand::Close { finding, note } => {
            let closed = client.post(&path(&["findings", &finding, "close"]), json!({"note": note})).await?;
            output.done(&closed, &format!("closed {finding}; records that were made under it stay graded as shared"));
        }
    }
    Ok(())
}
