//! A change as a file: edits by names, with texts that stand in files beside it.

use std::path::{Path, PathBuf};

use remit_domain::Refusal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::command::{Failure, configuration_file};

#[cfg(test)]
mod tests;

/// What is proposed, as the API takes it.
#[derive(Debug)]
pub struct Proposal {
    pub reason: Option<String>,
    pub edits: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    reason: Option<String>,
    #[serde(default)]
    edit: Vec<Map<String, Value>>,
}

/// Reads a change. What an edit may say is for the API to judge; here only what stands in other files is filled in.
///
/// # Errors
/// If the file, or one that it names, cannot be read or used.
pub fn read(path: &Path) -> Result<Proposal, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    let written: Written = toml::from_str(&text).map_err(|error| {
        Refusal::new("bad_file", format!("`{}` cannot be used: {}", path.display(), error.to_string().trim_end()))
            .help("`remit change propose --help` shows such a file")
    })?;
    if written.edit.is_empty() {
        let refusal = Refusal::new("bad_file", format!("`{}` has no edit", path.display()));
        return Err(refusal.help("write each one as `[[edit]]`").into());
    }
    let beside = path.parent().unwrap_or(Path::new(""));
    let edits = written.edit.into_iter().map(|edit| filled(edit, beside)).collect::<Result<_, _>>()?;
    Ok(Proposal { reason: written.reason, edits })
}

fn filled(mut edit: Map<String, Value>, beside: &Path) -> Result<Value, Failure> {
    let artefact = edit.get("artefact").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut file_of = |name: &str| edit.remove(name).and_then(|file| file.as_str().map(PathBuf::from));
    match artefact.as_str() {
        "policy" => {
            if let Some(file) = file_of("file") {
                let file = beside.join(file);
                let text = std::fs::read_to_string(&file).map_err(|error| Failure::file("read", &file, &error))?;
                edit.insert("text".to_owned(), text.into());
            }
        }
        "configuration" => {
            if let Some(file) = file_of("file") {
                edit.insert("configuration".to_owned(), json!(configuration_file::read(&beside.join(file))?));
            }
        }
        _ => {}
    }
    Ok(Value::Object(edit))
}
