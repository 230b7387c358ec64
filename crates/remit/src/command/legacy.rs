//! `remit legacy`: workflows behind one shared secret, until a date.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::address::path;
use super::output::Column;
use super::{Client, Failure, Output, duration_seconds};

const COLUMNS: &[Column] = &[
    ("account", "/name"),
    ("workflows", "/workflows"),
    ("signed header", "/header_key"),
    ("due", "/due_at"),
    ("overdue", "/overdue"),
    ("opened by", "/opened_by"),
    ("reason", "/reason"),
];
const OPENED: &[Column] =
    &[("account", "/name"), ("due", "/due_at"), ("secret", "/secret"), ("header key", "/header_secret")];
const WORKFLOWS: &[Column] = &[("workflow", "/name"), ("agent", "/agent"), ("address", "/mcp_url")];

/// What to do with legacy accounts.
#[derive(Debug, Clone, Subcommand)]
pub enum LegacyCommand {
    /// Lets workflows in by one shared secret, until a date; prints the secret once.
    #[command(
        after_help = "Examples:\n  remit legacy open crm --workflow import=importer --workflow mail=mailer --due-in 60d --reason \"one service account until the CRM is replaced\"\n  remit legacy open crm --workflow import=importer --header-key --due-in 30d --reason \"moves in May\""
    )]
    Open(Open),
    /// Lists legacy accounts, and when each has to be gone.
    #[command(after_help = "Examples:\n  remit legacy list")]
    List,
    /// Ends a shared secret and what it had opened.
    #[command(after_help = "Examples:\n  remit legacy close crm --reason \"each workflow has its own identity\"")]
    Close {
        name: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// An account to open.
#[derive(Debug, Clone, Args)]
pub struct Open {
    name: String,
    /// A workflow and the agent that it is: `WORKFLOW=AGENT`; may be given several times.
    #[arg(long = "workflow", value_name = "WORKFLOW=AGENT", required = true, value_parser = workflow)]
    workflows: Vec<(String, String)>,
    /// Workflows say who they are in a signed header, and not by the address that they call.
    #[arg(long)]
    header_key: bool,
    /// When it has to be gone; nothing goes through it from then on.
    #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
    due_in: u64,
    /// Why it is needed.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// `import=importer`
fn workflow(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(workflow, agent)| !workflow.is_empty() && !agent.is_empty());
    let (workflow, agent) = parts.ok_or_else(|| format!("`{text}` is not a workflow; write `WORKFLOW=AGENT`"))?;
    Ok((workflow.to_owned(), agent.to_owned()))
}

pub async fn run(command: LegacyCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        LegacyCommand::Open(arguments) => open(client, output, arguments).await?,
        LegacyCommand::List => {
            output.table(&client.list("/v1/legacy-accounts", &[]).await?, COLUMNS, "no legacy account: no such debt");
        }
        LegacyCommand::Close { name, reason } => {
            let closed = client.post(&path(&["legacy-accounts", &name, "close"]), json!({"reason": reason})).await?;
            output.done(&closed, &format!("closed {name}; its secret opens nothing any more"));
        }
    }
    Ok(())
}

async fn open(client: &Client, output: &Output, open: Open) -> Result<(), Failure> {
    let mut workflows = BTreeMap::new();
    for (workflow, agent) in open.workflows {
        if workflows.insert(workflow.clone(), agent).is_some() {
            return Err(Failure::Usage(format!("the workflow `{workflow}` is given twice")));
        }
    }
    let body = json!({
        "name": open.name,
        "workflows": workflows,
        "header_key": open.header_key,
        "due_in_seconds": open.due_in,
        "reason": open.reason,
    });
    let opened = client.post("/v1/legacy-accounts", body).await?;
    output.card(&opened, OPENED);
    if !output.is_json() {
        output.line("");
        output.table(opened.get("workflows").unwrap_or(&Value::Null), WORKFLOWS, "no workflow");
        output.note(
            "the secret is shown only now; whoever has it is taken for any of these workflows, and the record says so",
        );
    }
    Ok(())
}
