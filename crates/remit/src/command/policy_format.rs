//! `remit policy format`: one layout for all policies, so that a difference between two files is a difference of meaning.

use std::fs;
use std::path::{Path, PathBuf};

use remit_domain::Refusal;
use serde_json::json;

use super::policy_files::{self, Files};
use super::{Failure, Output};

#[cfg(test)]
mod tests;

/// Lays out one file, or every policy file of a folder; with `check` only says which would change.
pub fn run(path: &Path, check: bool, output: &Output) -> Result<(), Failure> {
    let changed = laid_out(path, &policy_files::read(path)?)?;
    let names: Vec<String> = changed.iter().map(|(file, _)| file.display().to_string()).collect();
    if check && !names.is_empty() {
        let refusal = Refusal::new("not_formatted", format!("`{}` is laid out otherwise", names.join("`, `")));
        return Err(Failure::Refused(refusal.help(format!("run `remit policy format {}`", path.display()))));
    }
    for (file, text) in &changed {
        fs::write(file, text).map_err(|error| Failure::file("write", file, &error))?;
    }
    let sentence = match names.as_slice() {
        [] => "every file is laid out already".to_owned(),
        names => format!("laid out: {}", names.join(", ")),
    };
    output.done(&json!({"changed": names}), &sentence);
    Ok(())
}

/// The files that change, with what they become.
fn laid_out(path: &Path, files: &Files) -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut changed = Vec::new();
    for source in &files.sources {
        let file = if path.is_dir() { path.join(format!("{}.cedar", source.name)) } else { path.to_owned() };
        let text = remit_policy::format(&source.text).map_err(|mut problem| {
            problem.source.clone_from(&source.name);
            Failure::Refused(Refusal::new("policy_invalid", problem.to_string()))
        })?;
        if text != source.text {
            changed.push((file, text));
        }
    }
    Ok(changed)
}
