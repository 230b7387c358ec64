//! `remit ledger`: the record of everything.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use remit_domain::Refusal;
use serde_json::{Value, json};

use super::address::{path, with_query};
use super::{Client, Failure, Global, Output, summary};

/// Rows of one request of `query`.
const PAGE_ROWS: usize = 500;

/// What to do with the record.
#[derive(Debug, Clone, Subcommand)]
pub enum LedgerCommand {
    /// Follows the record as it is written.
    #[command(after_help = "Examples:\n  remit ledger tail\n  remit ledger tail --from 0 --agent triage --json")]
    Tail {
        /// The first record, by its number; what comes after this moment if left out.
        #[arg(long, value_name = "SEQ")]
        from: Option<u64>,
        /// Only what is about this agent.
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
    },
    /// Searches the record, newest first.
    #[command(
        after_help = "Examples:\n  remit ledger query --agent triage --kind ActionDenied\n  remit ledger query --since 2026-03-01T00:00:00Z --text refund --limit 20"
    )]
    Query(Query),
    /// Verifies the ledger of a data directory, without a server.
    #[command(
        after_help = "Examples:\n  remit ledger verify\n  remit ledger verify /backup/remit-data --key realm+1a2b3c4d+AbC"
    )]
    Verify(Verify),
    /// Proves that the ledger holds a record; existing verifiers read the proof.
    #[command(after_help = "Examples:\n  remit ledger prove 17\n  remit ledger prove 17 --tlog-proof > 17.tlog-proof")]
    Prove {
        seq: u64,
        /// Only the proof, in the form of C2SP `tlog-proof`.
        #[arg(long)]
        tlog_proof: bool,
    },
    /// Reads what an agent sent or was answered, as one record refers to it. Who reads it, and why, is recorded.
    #[command(after_help = "Examples:\n  remit ledger read 17 --reason \"complaint 4711\"")]
    Read {
        seq: u64,
        /// Why you read it, in a sentence.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Which records; every part that is given must fit.
#[derive(Debug, Clone, Args)]
pub struct Query {
    /// The kind of event, such as `ActionDenied`.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// `connector/tool`
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    #[arg(long, value_name = "APPROVAL")]
    approval: Option<String>,
    #[arg(long, value_name = "OUTCOME", value_parser = ["allowed", "denied", "asked", "succeeded", "tool_error", "input_required", "not_sent", "failed", "unknown"])]
    outcome: Option<String>,
    /// Words that all occur.
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    /// Not before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    limit: usize,
}

/// What to verify, and what to hold it against.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// A data directory, if it is not that of `--data`.
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The ledger's key as you know it, in signed-note form. Without it the directory only agrees with itself.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Where the last checkpoint is kept apart; where `remit up` keeps it if left out.
    #[arg(long, value_name = "DIR")]
    anchors: Option<PathBuf>,
}

pub async fn run(command: LedgerCommand, global: &Global, output: &Output) -> Result<(), Failure> {
    match command {
        LedgerCommand::Tail { from, agent } => {
            let address = with_query("/v1/stream", &[("from", from.map(|from| from.to_string())), ("agent", agent)]);
            let show =
                |event: &Value| output.line(&if output.is_json() { event.to_string() } else { summary::line(event) });
            Client::open(global)?.follow(&address, show).await
        }
        LedgerCommand::Query(arguments) => query(arguments, &Client::open(global)?, output).await,
        LedgerCommand::Verify(arguments) => verify(&arguments, global, output),
        LedgerCommand::Prove { seq, tlog_proof } => {
            let proof = Client::open(global)?.get(&path(&["records", &seq.to_string(), "proof"])).await?;
            if tlog_proof {
                let text = proof.get("tlog_proof").and_then(Value::as_str).unwrap_or_default();
                output.line(text.trim_end());
            } else {
                output.card(&proof, &[("record", "/index"), ("of", "/size"), ("root", "/root"), ("entry", "/entry")]);
                output.note("`--tlog-proof` prints the proof itself; any C2SP verifier reads it");
            }
            Ok(())
        }
        LedgerCommand::Read { seq, reason } => read(seq, &reason, &Client::open(global)?, output).await,
    }
}

/// The members of events that refer to content, and what that is.
const REFERRING: &[(&str, &str)] = &[("arguments", "arguments"), ("beside", "beside them"), ("result", "result")];

async fn read(seq: u64, reason: &str, client: &Client, output: &Output) -> Result<(), Failure> {
    let record = client.get(&path(&["records", &seq.to_string()])).await?;
    let event = record.pointer("/record/event").unwrap_or(&Value::Null);
    let task = event.get("task").and_then(Value::as_str);
    let mut read = Vec::new();
    for (member, what) in REFERRING {
        let content = event.get(*member).and_then(|content| content.get("commitment"));
        let (Some(task), Some(content)) = (task, content) else { continue };
        let asked = json!({"content": content, "reason": reason});
        let answer = client.post(&path(&["tasks", task, "contents"]), asked).await?;
        let value = answer.get("value").unwrap_or(&Value::Null);
        if !output.is_json() {
            output.line(&format!("{what}\n{value:#}"));
        }
        read.push(json!({"what": member, "content": content, "value": value}));
    }
    if read.is_empty() {
        return Err(Refusal::new("not_found", format!("the record {seq} refers to no content"))
            .help("records of calls, questions and outcomes do")
            .into());
    }
    if output.is_json() {
        output.document(&json!({"items": read}));
    }
    output.note("that you read this, and why, is on record");
    Ok(())
}

async fn query(query: Query, client: &Client, output: &Output) -> Result<(), Failure> {
    let (mut found, mut after) = (Vec::new(), None);
    while found.len() < query.limit {
        let rows = (query.limit - found.len()).min(PAGE_ROWS);
        let address = with_query(
            "/v1/records",
            &[
                ("kind", query.kind.clone()),
                ("agent", query.agent.clone()),
                ("task", query.task.clone()),
                ("person", query.person.clone()),
                ("operation", query.operation.clone()),
                ("action", query.action.clone()),
                ("approval", query.approval.clone()),
                ("outcome", query.outcome.clone()),
                ("text", query.text.clone()),
                ("since", query.since.clone()),
                ("until", query.until.clone()),
                ("limit", Some(rows.to_string())),
                ("after", after),
            ],
        );
        let page = client.get(&address).await?;
        found.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
        after = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    if output.is_json() {
        output.document(&json!({"items": found, "next": after}));
    } else if found.is_empty() {
        output.line("no record fits");
    } else {
        found.iter().for_each(|record| output.line(&summary::line(record)));
    }
    Ok(())
}

fn verify(arguments: &Verify, global: &Global, output: &Output) -> Result<(), Failure> {
    let directory = arguments.directory.as_ref().unwrap_or(&global.data);
    let usual = crate::server::default_anchors();
    let anchors = arguments.anchors.as_deref().or_else(|| usual.is_dir().then_some(usual.as_path()));
    let report = remit_engine::verify_directory(directory, anchors, arguments.key.as_deref())
        .map_err(|error| Failure::fault(error.to_string(), error.help()))?;
    let shown = json!(report);
    output.card(
        &shown,
        &[
            ("ledger", "/origin"),
            ("records", "/entries"),
            ("commits", "/commits"),
            ("segments", "/segments"),
            ("agents", "/agents"),
            ("answers signed", "/answers_signed"),
            ("answers not signed", "/answers_unsigned"),
            ("root", "/root"),
            ("published", "/published"),
            ("anchored", "/anchored"),
        ],
    );
    if report.faults.is_empty() {
        let trust = if arguments.key.is_some() {
            "signed by the key that you trust"
        } else {
            "signed by its own key; `--key` names one that you trust"
        };
        output.note(&format!("intact: every record is accounted for, {trust}"));
        return Ok(());
    }
    report.faults.iter().for_each(|fault| output.note(&format!("fault: {fault}")));
    let count = report.faults.len();
    Err(Refusal::new("ledger_damaged", format!("the ledger is not intact: {count} faults"))
        .help("keep this directory as evidence and compare it with a copy")
        .into())
}
