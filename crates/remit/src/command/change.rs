//! `remit change`: what decides about agents, changed by proposals that somebody else approves.

mod file;
mod shown;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::address::{path, with_query};
use super::output::{Column, text_at};
use super::{Client, Failure, Output, proposed};

const COLUMNS: &[Column] = &[
    ("change", "/id"),
    ("kind", "/kind"),
    ("status", "/status"),
    ("author", "/author"),
    ("of", "/artefacts"),
    ("proposed", "/proposed_at"),
    ("due", "/due_at"),
    ("stale", "/stale"),
    ("yours to answer", "/waits_for_you"),
    ("reason", "/reason"),
];
const ROWS: &[Column] = &[
    ("change", "/id"),
    ("kind", "/kind"),
    ("reverts", "/reverts"),
    ("status", "/status"),
    ("author", "/author"),
    ("reason", "/reason"),
    ("of", "/artefacts"),
    ("proposed", "/proposed_at"),
    ("review due", "/due_at"),
    ("overdue", "/overdue"),
    ("stale", "/stale"),
    ("settled by", "/settled_by"),
    ("settled", "/settled_at"),
    ("note", "/note"),
    ("may approve", "/approvers"),
];
const CHECKS: &[Column] = &[("check", "/check"), ("passed", "/passed"), ("what came of it", "/summary"), ("at", "/at")];
const REVIEWS: &[Column] = &[("reviewed by", "/by"), ("upheld", "/upheld"), ("note", "/note"), ("at", "/at")];
const HISTORY: &[Column] =
    &[("record", "/seq"), ("at", "/at"), ("by", "/by"), ("change", "/change"), ("what", "/what")];

/// What to do with changes.
#[derive(Debug, Clone, Subcommand)]
pub enum ChangeCommand {
    /// Lists what waits for approval, and emergency changes that wait for review.
    #[command(after_help = "Examples:\n  remit change list")]
    List,
    /// Shows a change: who, why, what it does, and what was tried with it.
    #[command(after_help = "Examples:\n  remit change show chg_01jd0000000000000000000000")]
    Show { change: String },
    /// Prints only what a change does to each artefact.
    #[command(after_help = "Examples:\n  remit change diff chg_01jd0000000000000000000000")]
    Diff { change: String },
    /// Proposes a change of policies, connectors, operations, groups, approvers, entitlements or configurations.
    #[command(
        after_help = "Examples:\n  remit change propose change.toml\n  remit change propose change.toml --emergency --reason \"the refund tool pays twice\"\n\nThe file:\n  reason = \"refunds are looked at by support leads\"\n  [[edit]]\n  artefact = \"policy\"          # name, and text or file; without either it is removed\n  name = \"refunds\"\n  file = \"refunds.cedar\"\n  [[edit]]\n  artefact = \"operation\"       # operation; what is left out stays as it is\n  operation = \"helpdesk/refund_order\"\n  risk = 3\n  [[edit]]\n  artefact = \"groups\"          # person, groups\n  person = \"ben\"\n  groups = [\"support-leads\"]\n  # also: connector (name, spec), approvers (agent, owner, approvers),\n  # entitlements (person, operations), configuration (agent, configuration)"
    )]
    Propose(Propose),
    /// Approves somebody else's change: it is active with the next call.
    #[command(after_help = "Examples:\n  remit change approve chg_01jd0000000000000000000000")]
    Approve { change: String },
    /// Rejects a change, or takes back your own.
    #[command(after_help = "Examples:\n  remit change reject chg_01jd0000000000000000000000 --note \"too wide\"")]
    Reject {
        change: String,
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// Says afterwards whether somebody else's emergency change was right.
    #[command(
        after_help = "Examples:\n  remit change review chg_01jd0000000000000000000000 --upheld yes\n  remit change review chg_01jd0000000000000000000000 --upheld no --note \"the rule was enough as it was\""
    )]
    Review {
        change: String,
        /// Whether it was right to make it.
        #[arg(long, value_name = "YES|NO", action = clap::ArgAction::Set, value_parser = super::connector::yes_or_no)]
        upheld: bool,
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// Proposes that everything becomes what it was before a change.
    #[command(
        after_help = "Examples:\n  remit change revert chg_01jd0000000000000000000000 --reason \"it asks too often\""
    )]
    Revert {
        change: String,
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// What happened to one artefact, newest first.
    #[command(
        after_help = "Examples:\n  remit change history policy:refunds\n  remit change history operation:helpdesk/refund_order\n  remit change history agent:triage"
    )]
    History {
        /// `policy:NAME`, `operation:CONNECTOR/TOOL`, `connector:NAME`, `person:NAME` or `agent:NAME`.
        artefact: String,
    },
}

/// A change to propose.
#[derive(Debug, Clone, Args)]
pub struct Propose {
    /// The edits, as TOML.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Why, in a sentence; in place of what the file says.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Active at once; two other people have to review it within a day.
    #[arg(long)]
    emergency: bool,
}

pub async fn run(command: ChangeCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        ChangeCommand::List => {
            output.table(&client.list("/v1/changes", &[]).await?, COLUMNS, "no change waits");
        }
        ChangeCommand::Show { change } => show(client, output, &change).await?,
        ChangeCommand::Diff { change } => {
            let diff = diff_of(client, &change).await?;
            if output.is_json() {
                output.document(&diff);
            } else {
                shown::diff(output, &diff);
            }
        }
        ChangeCommand::Propose(arguments) => propose(arguments, client, output).await?,
        ChangeCommand::Approve { change } => approve(client, output, &change).await?,
        ChangeCommand::Reject { change, note } => {
            let rejected = client.post(&path(&["changes", &change, "reject"]), json!({"note": note})).await?;
            output.done(&rejected, "rejected");
        }
        ChangeCommand::Review { change, upheld, note } => {
            let body = json!({"upheld": upheld, "note": note});
            let reviewed = client.post(&path(&["changes", &change, "review"]), body).await?;
            output.done(&reviewed, if upheld { "upheld" } else { "not upheld" });
            if !upheld {
                output.note(&format!("it stays active; `remit change revert {change}` proposes to undo it"));
            }
            if text_at(&reviewed, "/status") == "unreviewed" {
                output.note("one more person has to review it");
            }
        }
        ChangeCommand::Revert { change, reason } => {
            let reverted = client.post(&path(&["changes", &change, "revert"]), json!({"reason": reason})).await?;
            proposed::told(output, &reverted, &format!("reverted {change}"));
            let left = text_at(&reverted, "/to_remove");
            if !left.is_empty() {
                output.note(&format!("not there before, so to be removed by hand: {left}"));
            }
        }
        ChangeCommand::History { artefact } => {
            let address = with_query("/v1/changes/history", &[("artefact", Some(artefact))]);
            output.table(&client.get(&address).await?, HISTORY, "nothing is recorded about it");
        }
    }
    Ok(())
}

/// Approves a change, also under its shorter name `remit policy activate`.
pub async fn approve(client: &Client, output: &Output, change: &str) -> Result<(), Failure> {
    let active = client.post(&path(&["changes", change, "approve"]), json!({})).await?;
    output.done(&active, &format!("active; the policies have the version {}", text_at(&active, "/version")));
    Ok(())
}

async fn diff_of(client: &Client, change: &str) -> Result<Value, Failure> {
    client.get(&path(&["changes", change, "diff"])).await
}

/// Everything about a change.
pub async fn show(client: &Client, output: &Output, change: &str) -> Result<(), Failure> {
    let mut whole = client.get(&path(&["changes", change])).await?;
    let diff = diff_of(client, change).await?;
    if output.is_json() {
        if let (Some(members), Some(items)) = (whole.as_object_mut(), diff.get("items")) {
            members.insert("diff".to_owned(), items.clone());
        }
        output.document(&whole);
        return Ok(());
    }
    output.card(&whole, ROWS);
    for (name, columns) in [("checks", CHECKS), ("reviews", REVIEWS)] {
        let rows = whole.get(name).cloned().unwrap_or_default();
        if rows.as_array().is_some_and(|rows| !rows.is_empty()) {
            output.line("");
            output.table(&rows, columns, "");
        }
    }
    output.line("");
    shown::diff(output, &diff);
    Ok(())
}

async fn propose(arguments: Propose, client: &Client, output: &Output) -> Result<(), Failure> {
    let file::Proposal { reason, edits } = file::read(&arguments.file)?;
    let reason = arguments
        .reason
        .or(reason)
        .ok_or_else(|| Failure::Usage("the change has no reason; say it in the file, or with `--reason`".to_owned()))?;
    let answer = proposed::propose(client, edits, &reason, arguments.emergency).await?;
    if !arguments.emergency {
        let artefacts = text_at(&answer, "/artefacts");
        proposed::told(output, &answer, &format!("active: {artefacts}"));
        return Ok(());
    }
    let (id, due) = (text_at(&answer, "/id"), text_at(&answer, "/due_at"));
    output.done(&answer, "active with the next call");
    if !id.is_empty() {
        output.note(&format!("two other people have to answer `remit change review {id}` until {due}"));
    }
    Ok(())
}
