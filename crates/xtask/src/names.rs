//! Names that say nothing, and exceptions without a reason.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::crates::RustFile;
use crate::finding::Finding;
use crate::source::{self, Declaration};

/// Words that name a place to put things rather than a thing.
const EMPTY_WORDS: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"];
/// Empty in a file's name, but a real word in an identifier (an X.509 common name).
const FILE_ONLY_WORDS: [&str; 1] = ["common"];
/// The number is part of the thing's own name, not a second attempt at it.
const NUMBERED_THINGS: [&str; 4] = ["http2", "h2", "oauth2", "sha2"];

const RENAME: &str = "name it after the thing that it is or does";

/// Findings for one file's name, its declarations and its lint exceptions.
pub fn check(files: &[RustFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        findings.extend(path(file));
        let code = source::code(&file.text);
        findings.extend(exceptions(file, &code));
        if !file.is_test() {
            findings.extend(declared(file, &source::declarations(&code)));
        }
    }
    findings
}

fn path(file: &RustFile) -> Option<Finding> {
    let mut parts = file.path.split('/').flat_map(|part| part.trim_end_matches(".rs").split(['_', '-']));
    let word = parts.find(|word| EMPTY_WORDS.contains(word))?;
    Some(Finding::new(&file.path, format!("`{word}` in a file's name says nothing"), RENAME))
}

fn exceptions(file: &RustFile, code: &str) -> Vec<Finding> {
    let lines = code.lines().enumerate();
    let allowing = lines.filter(|(_, line)| line.contains("#[allow(") || line.contains("#![allow("));
    let remedy = "write `#[expect(lint, reason = \"…\")]`, so that it is noticed once it is no longer needed";
    allowing.map(|(line, _)| Finding::new(place(file, line + 1), "an exception that never expires", remedy)).collect()
}

fn declared(file: &RustFile, declarations: &[Declaration]) -> Vec<Finding> {
    let names: BTreeSet<&str> = declarations.iter().map(|each| each.name.as_str()).collect();
    declarations
        .iter()
        .filter_map(|each| wrong(each, &names).map(|(what, remedy)| (each, what, remedy)))
        .map(|(each, what, remedy)| Finding::new(place(file, each.line), what, remedy))
        .collect()
}

fn wrong(each: &Declaration, names: &BTreeSet<&str>) -> Option<(String, &'static str)> {
    let name = &each.name;
    if each.public && each.keyword == "fn" && name.starts_with("get_") {
        return Some((format!("`{name}`: `get_` says nothing"), "name it after what it returns"));
    }
    if let Some(word) = words(name).into_iter().find(|word| is_empty(word)) {
        return Some((format!("`{name}`: `{word}` says nothing"), RENAME));
    }
    let stem = name.strip_suffix(|last: char| last.is_ascii_digit())?;
    let is_thing = NUMBERED_THINGS.contains(&name.to_lowercase().as_str());
    (names.contains(stem) && !is_thing)
        .then(|| (format!("`{name}` stands beside `{stem}`"), "say in words how the two differ"))
}

fn is_empty(word: &str) -> bool {
    EMPTY_WORDS.contains(&word) && !FILE_ONLY_WORDS.contains(&word)
}

/// The words of `snake_case`, `CamelCase` and `SCREAMING_CASE`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for next in name.chars() {
        if next == '_' || (next.is_uppercase() && before_is_lower) {
            words.push(String::new());
        }
        if let (Some(word), true) = (words.last_mut(), next != '_') {
            word.extend(next.to_lowercase());
        }
        before_is_lower = next.is_lowercase();
    }
    words
}

fn place(file: &RustFile, line: usize) -> String {
    format!("{}:{line}", file.path)
}
