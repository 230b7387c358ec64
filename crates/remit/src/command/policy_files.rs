//! Policy files: `NAME.cedar`, with tables of cases in `NAME.cases.toml` beside them.

use std::fs;
use std::path::{Path, PathBuf};

use remit_domain::Refusal;
use remit_policy::cases::{CaseResult, Table};
use remit_policy::{OperationShape, PolicySource};
use serde_json::{Value, json};

use super::Failure;

const POLICY: &str = ".cedar";
const CASES: &str = ".cases.toml";

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Files {
    pub sources: Vec<PolicySource>,
    /// Name and text of each table.
    pub tables: Vec<(String, String)>,
}

/// Reads one file, or every policy and table directly in a folder, in the order of their names.
pub fn read(path: &Path) -> Result<Files, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::file("read", path, error);
    let mut paths: Vec<PathBuf> = if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| failed(&error))?;
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(|error| failed(&error))?
    } else {
        vec![path.to_owned()]
    };
    paths.sort();
    let mut files = Files::default();
    for path in &paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let read = || fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error));
        if let Some(stem) = name.strip_suffix(POLICY) {
            files.sources.push(PolicySource { name: stem.to_owned(), text: read()? });
        } else if let Some(stem) = name.strip_suffix(CASES) {
            files.tables.push((stem.to_owned(), read()?));
        }
    }
    if files.sources.is_empty() {
        return Err(Failure::Usage(format!("`{}` holds no policy; policies are files `*.cedar`", path.display())));
    }
    Ok(files)
}

/// The files as edits.
pub fn edits(files: &Files) -> Vec<Value> {
    files.sources.iter().map(|source| json!({"name": source.name, "text": source.text})).collect()
}

/// The files that differ from what is `active`, as edits.
pub fn changed(files: &Files, active: &Value) -> Vec<Value> {
    let active = active.get("sources").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut edits = edits(files);
    edits.retain(|edit| {
        !active.iter().any(|source| source.get("name") == edit.get("name") && source.get("text") == edit.get("text"))
    });
    edits
}

/// Runs every table by all policies; each result with the name of its table.
pub fn run_tables(files: &Files, known: &[OperationShape]) -> Result<Vec<(String, CaseResult)>, Refusal> {
    let mut results = Vec::new();
    for (name, text) in &files.tables {
        let table = Table::parse(text).and_then(|table| table.run(&files.sources, known));
        let table = table.map_err(|error| {
            Refusal::new("bad_cases", format!("`{name}{CASES}`: {error}"))
                .help("`remit policy check` shows what is wrong with policies")
        })?;
        results.extend(table.into_iter().map(|result| (name.clone(), result)));
    }
    Ok(results)
}
