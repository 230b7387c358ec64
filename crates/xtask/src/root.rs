//! Each crate has one sentence, and says what is absent from it.

#[cfg(test)]
mod tests;

use crate::crates::{RustFile, Workspace};
use crate::finding::Finding;

/// Findings for each crate's `lib.rs`, or its `main.rs` where it has no library.
pub fn check(workspace: &Workspace, files: &[RustFile]) -> Vec<Finding> {
    let roots = files.iter().filter(|file| {
        let folder = file.crate_folder();
        let library = format!("crates/{folder}/src/lib.rs");
        file.path == library || (file.path == format!("crates/{folder}/src/main.rs") && !workspace.exists(&library))
    });
    roots.flat_map(said).collect()
}

fn said(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !begins_with_sentence(&file.text) {
        let remedy = "begin with `//!` and the crate's one sentence, ended by a full stop";
        findings.push(Finding::new(format!("{}:1", file.path), "the crate does not say what it is", remedy));
    }
    if !file.text.lines().any(|line| line.starts_with("//!") && line.contains("Architecture invariant")) {
        let remedy = "add a line `//! Architecture invariant: …` that says what never happens in this crate";
        findings.push(Finding::new(&file.path, "the crate does not say what is absent from it", remedy));
    }
    findings
}

/// Whether the first paragraph of the crate's documentation is a sentence of a few words.
fn begins_with_sentence(text: &str) -> bool {
    let paragraph: Vec<&str> =
        text.lines().map_while(|line| line.strip_prefix("//! ")).take_while(|line| !line.trim().is_empty()).collect();
    let paragraph = paragraph.join(" ");
    paragraph.contains('.') && paragraph.split_whitespace().count() >= 4
}
