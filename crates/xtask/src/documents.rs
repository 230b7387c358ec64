//! Documents stay true: a file of code that one names exists.

#[cfg(test)]
mod tests;

use anyhow::Result;

use crate::crates::Workspace;
use crate::finding::Finding;

/// The map of the house; it must be there.
const ARCHITECTURE: &str = "ARCHITECTURE.md";
/// Read where they are there. Decision records are history and stay as they were written.
const DOCUMENTS: [&str; 4] = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ARCHITECTURE];
const GUIDE: &str = "docs/guide";

/// Findings for every path to a file of code that is not there.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if !workspace.exists(ARCHITECTURE) {
        findings.push(Finding::new(ARCHITECTURE, "the map of the house is missing", "write it"));
    }
    let mut documents: Vec<String> =
        DOCUMENTS.into_iter().filter(|path| workspace.exists(path)).map(str::to_owned).collect();
    if workspace.exists(GUIDE) {
        documents.extend(workspace.files(GUIDE, "md")?);
    }
    for document in documents {
        for (line, path) in code_paths(&workspace.read(&document)?) {
            if !workspace.exists(&path) {
                let what = format!("`{path}` does not exist");
                findings.push(Finding::new(format!("{document}:{line}"), what, "name the file that has its place now"));
            }
        }
    }
    Ok(findings)
}

/// Every backticked path to a file of code, with its line; a line number or an item behind it is cut off.
fn code_paths(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, text) in text.lines().enumerate() {
        // Every second piece between backticks is quoted.
        for quoted in text.split('`').skip(1).step_by(2) {
            let path = quoted.split(':').next().unwrap_or(quoted);
            if path.starts_with("crates/") && path.ends_with(".rs") && !is_pattern(path) {
                found.push((line + 1, path.to_owned()));
            }
        }
    }
    found
}

/// `crates/NOUN/src/*.rs` stands for many files: it has a wildcard, or a part in capitals to fill in.
fn is_pattern(path: &str) -> bool {
    let placeholder = |part: &str| {
        let stem = part.strip_suffix(".rs").unwrap_or(part);
        !stem.is_empty() && stem.chars().all(|next| next.is_ascii_uppercase() || next == '_')
    };
    path.contains(['*', '{', '<', '…', ' ']) || path.split('/').any(placeholder)
}
