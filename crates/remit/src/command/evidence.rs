//! `remit evidence`: packs that anyone verifies offline.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Client, Failure, Output};

/// What to do with evidence.
#[derive(Debug, Clone, Subcommand)]
pub enum EvidenceCommand {
    /// Exports a pack: records with their proofs, in one file.
    #[command(
        after_help = "Examples:\n  remit evidence export --output year.remit.json\n  remit evidence export --agent triage --since 2026-01-01T00:00:00Z --contents --reason \"case 7\" --output triage.remit.json"
    )]
    Export(Export),
}

/// What goes into a pack.
#[derive(Debug, Clone, Args)]
pub struct Export {
    /// Only this agent's records, with what everybody shares.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Not before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// With prompts, arguments and results, where they are kept.
    #[arg(long, requires = "reason")]
    contents: bool,
    /// What the contents are for; recorded.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// A new file; standard output if left out.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub async fn run(command: EvidenceCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    let EvidenceCommand::Export(export) = command;
    let (agent, reason) = (export.agent, export.reason.unwrap_or_default());
    let body = json!({
        "agent": agent, "since": export.since, "until": export.until, "contents": export.contents, "reason": reason,
    });
    let pack = client.post("/v1/evidence", body).await?;
    let Some(path) = export.output else {
        output.document(&pack);
        return Ok(());
    };
    let bytes = serde_json::to_vec(&pack).unwrap_or_default();
    write(&path, &bytes).map_err(|error| Failure::new_file(&path, &error, "--output"))?;
    let told = json!({"file": path, "bytes": bytes.len()});
    output.done(&told, &format!("wrote {}; `remit verify {}` checks it anywhere", path.display(), path.display()));
    Ok(())
}

/// A new file that only this user reads: a pack may hold what people said.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
