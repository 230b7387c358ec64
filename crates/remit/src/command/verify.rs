//! `remit verify`: an evidence pack, offline, with nothing but the pack.

use std::path::PathBuf;

use clap::Args;
use remit_domain::Refusal;
use serde_json::{Value, json};

use super::output::Column;
use super::{Failure, Output};

/// Faults that are named before the rest is only counted.
const FAULTS_SHOWN: usize = 20;

const ROWS: &[Column] = &[
    ("ledger", "/origin"),
    ("of size", "/size"),
    ("records", "/records"),
    ("agents", "/agents"),
    ("allowed", "/allowed"),
    ("denied", "/denied"),
    ("asked", "/asked"),
    ("approvals used", "/approvals_used"),
    ("answers signed", "/answers_signed"),
    ("answers not signed", "/answers_unsigned"),
    ("documents shown", "/documents_shown"),
    ("outcomes", "/outcomes"),
    ("without outcome", "/without_outcome"),
    ("contents", "/contents"),
    ("key trusted", "/trusted"),
];

/// Which pack, by whose key.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  remit verify triage.remit.json\n  remit verify triage.remit.json --key realm+1a2b3c4d+AbC"
)]
pub struct VerifyArgs {
    #[arg(value_name = "PACK")]
    pack: PathBuf,
    /// The ledger's key as you know it, in signed-note form. Without it the pack only agrees with itself.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub fn run(arguments: &VerifyArgs, output: &Output) -> Result<(), Failure> {
    let path = &arguments.pack;
    let bytes = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let pack: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::new("not_a_pack", format!("`{}` is not JSON: {error}", path.display())))?;
    let faults = match remit_engine::verify_pack(&pack, arguments.key.as_deref()) {
        Ok(report) => {
            output.card(&json!(report), ROWS);
            let trust = if report.trusted {
                "the key that you trust"
            } else {
                "the pack's own key; `--key` names one that you trust"
            };
            output.note(&format!("verified: every record is in the ledger, signed by {trust}"));
            return Ok(());
        }
        Err(faults) => faults,
    };
    let count = faults.len();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    if output.is_json() {
        output.document(&json!({"verified": false, "faults": told}));
    } else {
        told.iter().take(FAULTS_SHOWN).for_each(|fault| output.note(&format!("fault: {fault}")));
    }
    let help = "do not rely on this pack; ask for it again, and compare checkpoints";
    Err(Refusal::new("pack_faulty", format!("the pack does not verify: {count} faults")).help(help).into())
}
