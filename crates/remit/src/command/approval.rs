//! `remit approval`: questions about one exact action.

use clap::Subcommand;
use serde_json::{Value, json};

use super::address::path;
use super::output::{Column, plain, text_at};
use super::{Client, Failure, Output};

#[cfg(test)]
mod tests;

const COLUMNS: &[Column] = &[
    ("approval", "/id"),
    ("status", "/status"),
    ("agent", "/agent"),
    ("operation", "/operation"),
    ("purpose", "/purpose"),
    ("for", "/acting_for"),
    ("until", "/expires_at"),
    ("asks", "/asks/approvers"),
];
const ROWS: &[Column] = &[
    ("approval", "/id"),
    ("status", "/status"),
    ("agent", "/agent"),
    ("acts for", "/acting_for"),
    ("started by", "/started_by"),
    ("task", "/task"),
    ("purpose", "/purpose"),
    ("operation", "/operation"),
    ("definition", "/definition"),
    ("asked by rules", "/asks/policies"),
    ("because", "/reasons"),
    ("asks", "/asks/approvers"),
    ("people needed", "/asks/quorum"),
    ("until", "/expires_at"),
    ("digest", "/digest"),
];

/// What to do with approvals.
#[derive(Debug, Clone, Subcommand)]
pub enum ApprovalCommand {
    /// Lists approvals; those that wait, unless told otherwise.
    #[command(after_help = "Examples:\n  remit approval list\n  remit approval list --status denied --agent triage")]
    List {
        #[arg(long, default_value = "pending", value_parser = ["pending", "granted", "denied", "used", "expired", "void", "all"])]
        status: String,
        /// Only those of this agent.
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
    },
    /// Shows an approval with the exact arguments.
    #[command(after_help = "Examples:\n  remit approval show apr_01jd0000000000000000000000")]
    Show { approval: String },
    /// Says yes to exactly what was shown.
    #[command(
        after_help = "Examples:\n  remit approval approve apr_01jd0000000000000000000000 --digest 3b7e0c0a5a1f8a40b1d5b6ad6ec3c5d0f9f7f0a1c0b2d3e4f5a6b7c8d9e0f1a2"
    )]
    Approve {
        approval: String,
        /// The digest that `remit approval show` printed: what you say yes to.
        #[arg(long, value_name = "DIGEST")]
        digest: String,
        /// What you were shown, as `remit approval show` printed it: needed where data of D2 or D3 is concerned.
        #[arg(long, value_name = "DIGEST")]
        shown: Option<String>,
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// Says no; the note reaches the agent.
    #[command(
        after_help = "Examples:\n  remit approval deny apr_01jd0000000000000000000000 --note \"ask the customer first\""
    )]
    Deny {
        approval: String,
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
}

pub async fn run(command: ApprovalCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        ApprovalCommand::List { status, agent } => {
            let is_pending = status == "pending";
            let status = Some(status).filter(|status| status != "all");
            let approvals = client.list("/v1/approvals", &[("status", status), ("agent", agent)]).await?;
            let none = if is_pending { "nothing waits for an answer" } else { "no such approval" };
            output.table(&approvals, COLUMNS, none);
        }
        ApprovalCommand::Show { approval } => show(&client.get(&path(&["approvals", &approval])).await?, output),
        ApprovalCommand::Approve { approval, digest, shown, note } => {
            let body = json!({"digest": digest, "note": note, "shown": shown});
            let answered = client.post(&path(&["approvals", &approval, "approve"]), body).await?;
            let told = match text_at(&answered, "/status").as_str() {
                "granted" => "approved: exactly this, once".to_owned(),
                _ => format!("your yes is recorded; {} in all are needed", text_at(&answered, "/asks/quorum")),
            };
            output.done(&answered, &told);
        }
        ApprovalCommand::Deny { approval, note } => {
            let answered = client.post(&path(&["approvals", &approval, "deny"]), json!({"note": note})).await?;
            output.done(&answered, "denied");
        }
    }
    Ok(())
}

fn show(approval: &Value, output: &Output) {
    output.card(approval, ROWS);
    if output.is_json() {
        return;
    }
    content(approval, "arguments", "arguments", output);
    if !is_empty(approval.get("projected")) {
        content(approval, "projected", "what policies read out of them", output);
    }
    if !is_empty(approval.get("beside")) || !text_at(approval, "/beside_missing").is_empty() {
        content(approval, "beside", "sent beside the arguments", output);
    }
    if text_at(approval, "/status") == "pending" {
        let (id, digest) = (text_at(approval, "/id"), text_at(approval, "/digest"));
        output.line("");
        // That this was shown is on record now, and a yes says that it is to this.
        let shown = Some(text_at(approval, "/shown_commitment")).filter(|shown| !shown.is_empty());
        let shown = shown.map(|shown| format!(" --shown {shown}")).unwrap_or_default();
        let lines = [
            ("yes:", "/answers/approve", format!("remit approval approve {id} --digest {digest}{shown}")),
            ("no: ", "/answers/deny", format!("remit approval deny {id} --note TEXT")),
        ];
        for (word, answer, command) in lines {
            output.line(&answer_line(approval, word, answer, &command));
        }
    }
}

/// The command that answers, or why it is for somebody else.
fn answer_line(approval: &Value, word: &str, answer: &str, command: &str) -> String {
    match text_at(approval, &format!("{answer}/code")).as_str() {
        "signature_needed" => {
            return format!("{word} with your passkey, on this question's page in the console; others say `{command}`");
        }
        // It has been shown just now, and can be answered after a few seconds of looking.
        "too_soon" => return format!("{word} {command}"),
        _ => {}
    }
    let refused = text_at(approval, &format!("{answer}/sentence"));
    if refused.is_empty() {
        format!("{word} {command}")
    } else {
        format!("{word} not from you: {refused}; others say `{command}`")
    }
}

/// Prints the member `name` of `approval` under `title`, or why it is not shown.
fn content(approval: &Value, name: &str, title: &str, output: &Output) {
    output.line(title);
    let missing = text_at(approval, &format!("/{name}_missing"));
    if missing.is_empty() {
        let content = approval.get(name).cloned().unwrap_or_default();
        let pretty = serde_json::to_string_pretty(&content).unwrap_or_default();
        pretty.lines().for_each(|line| output.line(&format!("  {}", plain(line))));
    } else {
        output.line(&format!("  not shown: {missing}"));
    }
}

fn is_empty(content: Option<&Value>) -> bool {
    match content {
        None | Some(Value::Null) => true,
        Some(Value::Object(members)) => members.is_empty(),
        Some(_) => false,
    }
}
