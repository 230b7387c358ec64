//! Small things: how long a file of code may be.
//!
//! Functions are measured by clippy (`too_many_lines`); tests stand beside the code and are not measured.

#[cfg(test)]
mod tests;

use crate::crates::RustFile;
use crate::finding::Finding;
use crate::source;

/// More lines of code than this and nobody reads the file to its end.
const CODE_LINES_MAX: usize = 600;
/// Nearly every file is shorter than this; one that is not is listed, so that it is noticed while it grows.
const CODE_LINES_NOTED: usize = 350;

/// Findings for files that are too long, notes for files that are getting there.
pub fn check(files: &[RustFile]) -> (Vec<Finding>, Vec<String>) {
    let mut findings = Vec::new();
    let mut notes = Vec::new();
    for file in files.iter().filter(|file| file.path.contains("/src/") && !file.is_test()) {
        let lines = code_lines(&file.text);
        if lines > CODE_LINES_MAX {
            let what = format!("{lines} lines of code, more than {CODE_LINES_MAX}");
            findings.push(Finding::new(&file.path, what, "split it: one noun per folder, one verb per file"));
        } else if lines > CODE_LINES_NOTED {
            notes.push(format!("{} has {lines} lines of code", file.path));
        }
    }
    (findings, notes)
}

/// Lines that hold code: neither blank nor only comment.
fn code_lines(text: &str) -> usize {
    source::code(text).lines().filter(|line| !line.trim().is_empty()).count()
}
