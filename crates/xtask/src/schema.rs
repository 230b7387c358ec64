//! Generated documents: the program writes them, they are checked in, and they may not differ.

#[cfg(test)]
mod tests;

use std::fs;

use anyhow::{Context, Result};

use crate::crates::Workspace;
use crate::finding::{Finding, Report};

const FOLDER: &str = "schema";

/// Each document and the command of the program that prints it.
const DOCUMENTS: [(&str, &[&str]); 3] = [
    ("events.json", &["schema", "events"]),
    ("config.json", &["schema", "config"]),
    ("openapi.json", &["schema", "openapi"]),
];

/// Writes every document anew.
pub fn write(workspace: &Workspace) -> Result<Report> {
    for (name, arguments) in DOCUMENTS {
        let path = format!("{FOLDER}/{name}");
        fs::write(workspace.path(&path), generated(workspace, arguments)?)
            .with_context(|| format!("`{path}` cannot be written"))?;
    }
    Ok(Report::new("schema", Vec::new(), Vec::new(), format!("{} documents written", DOCUMENTS.len())))
}

/// Findings for every document that is not what the program prints, and for every one that nothing prints.
pub fn check(workspace: &Workspace) -> Result<Report> {
    let mut findings = Vec::new();
    for (name, arguments) in DOCUMENTS {
        let path = format!("{FOLDER}/{name}");
        let expected = generated(workspace, arguments)?;
        let found = if workspace.exists(&path) { Some(workspace.read(&path)?) } else { None };
        findings.extend(compare(&path, &expected, found.as_deref()));
    }
    for path in workspace.files(FOLDER, "json")? {
        if !DOCUMENTS.iter().any(|(name, _)| path == format!("{FOLDER}/{name}")) {
            findings.push(Finding::new(path, "nothing generates it", "remove it, or add its command to the table"));
        }
    }
    Ok(Report::new("schema", findings, Vec::new(), format!("{} documents compared", DOCUMENTS.len())))
}

/// What the program prints, which must be one JSON document.
fn generated(workspace: &Workspace, arguments: &[&str]) -> Result<String> {
    let mut text = workspace.remit(arguments)?;
    let is_json: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&text);
    is_json.with_context(|| format!("`remit {}` printed something that is not JSON", arguments.join(" ")))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn compare(path: &str, expected: &str, found: Option<&str>) -> Option<Finding> {
    let remedy = "run `cargo xtask schema`, read the difference, and commit it with the change that caused it";
    let Some(found) = found else {
        return Some(Finding::new(path, "is missing", remedy));
    };
    if expected == found {
        return None;
    }
    let same = expected.lines().zip(found.lines()).take_while(|(expected, found)| expected == found).count();
    Some(Finding::new(format!("{path}:{}", same + 1), "is not what the program prints, from this line on", remedy))
}
