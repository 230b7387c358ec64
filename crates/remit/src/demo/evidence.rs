//! The record of the story: exported, verified, and found out when it is changed.

use std::path::Path;

use serde_json::{Value, json};

use super::people::People;
use super::step::Steps;
use super::{Broken, Story};
use crate::command::Failure;

const PACK: &str = "support.remit.json";

/// Exports the evidence pack while the server runs.
pub async fn export(story: &Story<'_>, people: &People, steps: &mut Steps) -> Result<(), Failure> {
    let wanted = json!({"agent": "support", "contents": true, "reason": "the record of this story"});
    let pack = people.mia.post("/v1/evidence", wanted).await?;
    let path = story.data.with_file_name(PACK);
    let bytes = serde_json::to_vec(&pack).unwrap_or_default();
    std::fs::write(&path, &bytes).map_err(|error| Failure::file("write", &path, &error))?;
    steps.note(
        "evidence pack",
        "one file with records, proofs and contents",
        format!("{} KiB", bytes.len() / 1024),
        !bytes.is_empty(),
    );
    Ok(())
}

/// Verifies what was left behind, with the server gone.
pub fn at_rest(steps: &mut Steps, directory: &Path, broken: Broken) -> Result<(), Failure> {
    let data = directory.join("data");
    if broken == Broken::Ledger {
        flip(&data)?;
    }
    let report = remit_engine::verify_directory(&data, Some(&directory.join("anchors")), None)
        .map_err(|error| Failure::fault(error.to_string(), error.help()))?;
    let happened = match report.faults.first() {
        None => format!("{} records in {} commits, intact", report.entries, report.commits),
        Some(fault) => fault.clone(),
    };
    steps.note("ledger verify", "every byte of the ledger is accounted for", happened, report.faults.is_empty());
    pack(steps, &directory.join(PACK))
}

fn pack(steps: &mut Steps, path: &Path) -> Result<(), Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let whole: Value = serde_json::from_slice(&bytes).map_err(|error| Failure::file("read", path, &error))?;
    let (ok, happened) = match remit_engine::verify_pack(&whole, None) {
        Ok(report) => {
            let ok = report.approvals_used == 1 && report.without_outcome == 0;
            (
                ok,
                format!(
                    "{} records, {} allowed, {} denied, 1 approval used once",
                    report.records, report.allowed, report.denied
                ),
            )
        }
        Err(faults) => (false, faults.first().map(ToString::to_string).unwrap_or_default()),
    };
    steps.note("verify the pack", "it proves offline what was allowed, denied and approved", happened, ok);
    let changed = String::from_utf8_lossy(&bytes).replacen("18900", "18901", 1);
    let changed: Value = serde_json::from_str(&changed).map_err(|error| Failure::file("read", path, &error))?;
    let found = remit_engine::verify_pack(&changed, None);
    let happened = found
        .as_ref()
        .err()
        .and_then(|faults| faults.first())
        .map_or_else(|| "not noticed".to_owned(), ToString::to_string);
    steps.note("changed pack", "one changed digit is found", happened, found.is_err());
    Ok(())
}

/// Flips a byte in the middle of what is written of the first segment.
fn flip(data: &Path) -> Result<(), Failure> {
    let path = data.join("segments").join("00000000000000000000.seg");
    let mut bytes = std::fs::read(&path).map_err(|error| Failure::file("read", &path, &error))?;
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap_or_default();
    if let Some(byte) = bytes.get_mut(written / 2) {
        *byte ^= 1;
    }
    std::fs::write(&path, bytes).map_err(|error| Failure::file("write", &path, &error))
}
