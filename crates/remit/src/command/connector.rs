//! `remit connector`: what can be reached, and which tools are approved.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use remit_domain::Verb;
use serde_json::{Value, json};

use super::address::path;
use super::connector_tools::{self, Choose, Decision, Form};
use super::output::Column;
use super::who::When;
use super::{Client, Failure, Output, elsewhere_file, proposed};

const COLUMNS: &[Column] = &[
    ("name", "/name"),
    ("kind", "/spec/kind"),
    ("owner", "/owner"),
    ("operations", "/operations"),
    ("withdrawn", "/withdrawn"),
    ("sandbox", "/sandbox"),
    ("added", "/added_at"),
];
const ROWS: &[Column] = &[
    ("name", "/name"),
    ("id", "/id"),
    ("owner", "/owner"),
    ("kind", "/spec/kind"),
    ("url", "/spec/url"),
    ("command", "/spec/command"),
    ("arguments", "/spec/arguments"),
    ("sandbox", "/sandbox"),
    ("operations", "/operations"),
    ("withdrawn", "/withdrawn"),
    ("added", "/added_at"),
];

/// Lines of a server's standard error that are shown; `--json` has all that are kept.
const ERROR_LINES_SHOWN: usize = 20;

/// What to do with connectors.
#[derive(Debug, Clone, Subcommand)]
pub enum ConnectorCommand {
    /// Adds a connector. One that starts a process is added on the machine itself.
    #[command(
        after_help = "Examples:\n  remit connector add helpdesk --stdio -- remit sample helpdesk\n  remit connector add billing --http https://billing.example.org/mcp\n  remit connector add trial --sandbox --stdio -- remit sample helpdesk\n  remit connector add todo --elsewhere todo.toml"
    )]
    Add(Add),
    /// Lists connectors.
    #[command(after_help = "Examples:\n  remit connector list")]
    List {
        #[command(flatten)]
        when: When,
    },
    /// Shows a connector.
    #[command(after_help = "Examples:\n  remit connector show helpdesk")]
    Show {
        name: String,
        #[command(flatten)]
        when: When,
    },
    /// Shows what the server offers now, beside what is approved.
    #[command(
        after_help = "Examples:\n  remit connector tools helpdesk\n  remit connector tools helpdesk --diff\n  remit connector tools helpdesk --toml > helpdesk.toml"
    )]
    Tools {
        name: String,
        /// As a file to edit and give to `approve-tools --file`.
        #[arg(long, conflicts_with = "diff")]
        toml: bool,
        /// With what changed since it was approved, what to look at, and why what is proposed.
        #[arg(long)]
        diff: bool,
    },
    /// Approves tools, each pinned to the definition that is shown; without a choice, shows what it would propose.
    #[command(
        after_help = "Examples:\n  remit connector approve-tools helpdesk\n  remit connector approve-tools helpdesk --all\n  remit connector approve-tools helpdesk --tool issue_refund --verb write --risk 3 --data-class D2 --external no\n  remit connector approve-tools mail --tool send_mail --projection \"recipient_domain = email_domain(to)\"\n  remit connector approve-tools helpdesk --file helpdesk.toml"
    )]
    ApproveTools(ApproveTools),
    /// Removes a connector; its operations become unavailable at once.
    #[command(after_help = "Examples:\n  remit connector remove helpdesk")]
    Remove { name: String },
}

/// A connector to add.
#[derive(Debug, Clone, Args)]
pub struct Add {
    name: String,
    /// An MCP server that Remit starts: the command follows after `--`.
    #[arg(long, conflicts_with = "http", required_unless_present_any = ["http", "elsewhere"], requires = "command")]
    stdio: bool,
    /// An MCP server over HTTP.
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    /// What somebody else enforces: a file with its catalogue and its operations, which are approved as they stand there.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stdio", "http", "sandbox"])]
    elsewhere: Option<PathBuf>,
    /// The person who answers for it; whoever adds it if nobody is named.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Name of a variable of Remit's own environment that the process gets; it inherits almost nothing else.
    #[arg(long = "env", value_name = "NAME")]
    environment: Vec<String>,
    /// For experiments: only agents of the environment `sandbox` reach it.
    #[arg(long)]
    sandbox: bool,
    /// The command and its arguments.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Add {
    fn body(self) -> Value {
        let spec = match (self.http, self.command.split_first()) {
            (Some(url), _) => json!({"kind": "http", "url": url}),
            (None, command) => {
                let (command, arguments) =
                    command.map_or((String::new(), Vec::new()), |(command, rest)| (command.clone(), rest.to_vec()));
                json!({"kind": "stdio", "command": command, "arguments": arguments, "environment": self.environment})
            }
        };
        json!({"name": self.name, "owner": self.owner, "spec": spec, "sandbox": self.sandbox})
    }
}

/// Which tools to approve, as what.
#[derive(Debug, Clone, Args)]
pub struct ApproveTools {
    name: String,
    /// Every tool that is new or changed, as proposed. What has a serious warning, and what lets the server ask something of
    /// its caller, has to be named.
    #[arg(long, conflicts_with_all = ["tools", "file"])]
    all: bool,
    /// A tool; may be given several times.
    #[arg(long = "tool", value_name = "TOOL", conflicts_with = "file")]
    tools: Vec<String>,
    /// What they do: `read`, `write`, `send` or `execute`. As proposed if left out; so are the next three.
    #[arg(long, requires = "tools")]
    verb: Option<Verb>,
    /// 0 (none) to 3 (high).
    #[arg(long, requires = "tools", value_parser = clap::value_parser!(u8).range(0..=3))]
    risk: Option<u8>,
    /// Highest class of data that they read or disclose.
    #[arg(long = "data-class", value_name = "CLASS", requires = "tools", value_parser = ["D0", "D1", "D2", "D3"])]
    data_class: Option<String>,
    /// Whether they reach outside the organisation.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no, requires = "tools")]
    external: Option<bool>,
    /// A value that policies see besides the arguments, as in `recipient_domain = email_domain(to)`; may be given several times.
    #[arg(long = "projection", value_name = "NAME = FUNCTION(PATH)", requires = "tools")]
    projections: Vec<String>,
    /// Takes over the projections that the names of the arguments suggest (`tools --diff` shows them).
    #[arg(long, conflicts_with_all = ["projections", "file"])]
    suggested_projections: bool,
    /// Choices from a file, as `tools --toml` writes it.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// As people say it, and as programs do.
pub fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("write `yes` or `no`".to_owned()),
    }
}

impl ApproveTools {
    fn choose(self) -> (Choose, Decision) {
        let decision = Decision {
            verb: self.verb.map(|verb| verb.as_str().to_owned()),
            risk: self.risk,
            data: self.data_class,
            external: self.external,
            projections: self.projections,
            projections_as_proposed: self.suggested_projections,
        };
        let choose = match (self.all, self.file, self.tools.is_empty()) {
            (true, ..) => Choose::All,
            (_, Some(file), _) => Choose::File(file),
            (_, None, true) => Choose::Nothing,
            (_, None, false) => Choose::Named(self.tools),
        };
        (choose, decision)
    }
}

pub async fn run(command: ConnectorCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        ConnectorCommand::Add(add) => {
            let name = add.name.clone();
            if let Some(file) = &add.elsewhere {
                return add_elsewhere(client, output, &add, file).await;
            }
            let connector = client.post("/v1/connectors", add.body()).await?;
            proposed::told(
                output,
                &connector,
                &format!("added {name}; nothing of it can be used until `remit connector approve-tools {name}`"),
            );
        }
        ConnectorCommand::List { when } => {
            output.table(&client.as_of(when.as_of).list("/v1/connectors", &[]).await?, COLUMNS, "no connector");
        }
        ConnectorCommand::Show { name, when } => show(&client.as_of(when.as_of), output, &name).await?,
        ConnectorCommand::Tools { name, toml, diff } => {
            let form = match (toml, diff) {
                (true, _) => Form::Toml,
                (_, true) => Form::Review,
                _ => Form::Table,
            };
            connector_tools::show(client, output, &name, form).await?;
        }
        ConnectorCommand::ApproveTools(approve) => {
            let name = approve.name.clone();
            let (choose, decision) = approve.choose();
            connector_tools::approve(client, output, &name, choose, decision).await?;
        }
        ConnectorCommand::Remove { name } => {
            let removed = client.delete(&path(&["connectors", &name])).await?;
            output.done(&removed, &format!("removed {name}; its operations are unavailable"));
        }
    }
    Ok(())
}

/// Adds what somebody else enforces, with its operations as they stand in `file`; where it is there already, approves only these.
async fn add_elsewhere(client: &Client, output: &Output, add: &Add, file: &Path) -> Result<(), Failure> {
    let elsewhere = elsewhere_file::read(file)?;
    let name = add.name.as_str();
    let is_known = match client.get(&path(&["connectors", name])).await {
        Ok(_) => true,
        Err(Failure::Refused(refusal)) if refusal.code == "not_found" => false,
        Err(failure) => return Err(failure),
    };
    if !is_known {
        let body = json!({"name": name, "owner": add.owner, "spec": elsewhere.spec()});
        let added = client.post("/v1/connectors", body).await?;
        if proposed::is_waiting(&added) {
            proposed::told(output, &added, "");
            output.note("once it is approved, the same command proposes its operations");
            return Ok(());
        }
    }
    let choices = elsewhere.choices();
    let count = choices.len();
    let approved = client.post(&path(&["connectors", name, "approve-tools"]), json!({"choices": choices})).await?;
    proposed::told(output, &approved, &format!("added {name} with {count} operations, which somebody else enforces"));
    Ok(())
}

async fn show(client: &Client, output: &Output, name: &str) -> Result<(), Failure> {
    let connector = client.get(&path(&["connectors", name])).await?;
    output.card(&connector, ROWS);
    let lines = connector.pointer("/standing/standard_error").and_then(Value::as_array);
    if let Some(lines) = lines.filter(|lines| !lines.is_empty()) {
        output.note("\nstandard error, the newest last:");
        lines.iter().rev().take(ERROR_LINES_SHOWN).rev().filter_map(Value::as_str).for_each(|line| {
            output.note(&format!("  {line}"));
        });
    }
    Ok(())
}
