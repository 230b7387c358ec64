//! Every dependency stands in one place, with the reason for it behind it.

#[cfg(test)]
mod tests;

use anyhow::{Context, Result};

use crate::crates::Workspace;
use crate::finding::Finding;

/// Findings for the workspace's manifest and for those of its crates.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = reasons("Cargo.toml", &workspace.read("Cargo.toml")?);
    for path in workspace.files("crates", "toml")?.into_iter().filter(|path| path.ends_with("/Cargo.toml")) {
        findings.extend(inherited(&path, &workspace.read(&path)?)?);
    }
    Ok(findings)
}

/// Findings for dependencies of others in `[workspace.dependencies]` that have no `# reason` behind them.
fn reasons(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut entry = Entry::default();
    let mut inside = false;
    for (line, text) in text.lines().enumerate() {
        if entry.depth == 0 && text.starts_with('[') {
            inside = text.trim() == "[workspace.dependencies]";
        }
        if !inside || !entry.read(line + 1, text) {
            continue;
        }
        let entry = std::mem::take(&mut entry);
        if !entry.has_reason && !entry.is_ours {
            let what = format!("`{}` is here without a reason", entry.name);
            findings.push(Finding::new(format!("{path}:{}", entry.line), what, "say why behind it: `# why`"));
        }
    }
    findings
}

/// One dependency, which may be written over several lines.
#[derive(Debug, Default)]
struct Entry {
    name: String,
    line: usize,
    has_reason: bool,
    is_ours: bool,
    /// Brackets that are still open.
    depth: usize,
}

impl Entry {
    /// Takes in one line; whether the entry is complete with it.
    fn read(&mut self, line: usize, text: &str) -> bool {
        let (code, comment) = split_comment(text);
        if self.depth == 0 {
            let Some((name, _)) = code.split_once('=') else { return false };
            *self = Entry { name: name.trim().to_owned(), line, ..Entry::default() };
        }
        self.has_reason |= !comment.trim_matches(['#', ' ']).is_empty();
        self.is_ours |= code.contains("path = \"crates/");
        self.depth += code.matches(['{', '[']).count();
        self.depth = self.depth.saturating_sub(code.matches(['}', ']']).count());
        self.depth == 0
    }
}

/// A line of TOML and the comment behind it; a `#` in a string begins none.
fn split_comment(line: &str) -> (&str, &str) {
    let mut in_string = false;
    let comment = line.char_indices().find(|(_, next)| {
        in_string ^= *next == '"';
        *next == '#' && !in_string
    });
    comment.and_then(|(at, _)| line.split_at_checked(at)).unwrap_or((line, ""))
}

/// Findings for dependencies of one crate that do not come from the workspace's list.
fn inherited(path: &str, text: &str) -> Result<Vec<Finding>> {
    let manifest: toml::Table = toml::from_str(text).with_context(|| format!("`{path}` is not TOML"))?;
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = sections.into_iter().filter_map(|section| manifest.get(section)?.as_table());
    let is_inherited = |value: &toml::Value| value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
    let own = tables.flatten().filter(|(_, value)| !is_inherited(value));
    let remedy = "put it into [workspace.dependencies] with its reason, and write `workspace = true` here";
    Ok(own.map(|(name, _)| Finding::new(path, format!("`{name}` does not come from the list"), remedy)).collect())
}
