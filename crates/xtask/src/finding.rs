//! What a check found, and what to do about it.

use std::process::ExitCode;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A path from the workspace's root, with a line where there is one, or the name of a crate.
    pub place: String,
    pub what: String,
    /// What to do about it, as an instruction.
    pub remedy: String,
}

impl Finding {
    pub fn new(place: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { place: place.into(), what: what.into(), remedy: remedy.into() }
    }
}

/// All that one check has to say.
#[derive(Debug)]
pub struct Report {
    check: &'static str,
    findings: Vec<Finding>,
    /// Worth knowing, not wrong.
    notes: Vec<String>,
    summary: String,
}

impl Report {
    pub fn new(check: &'static str, findings: Vec<Finding>, notes: Vec<String>, summary: String) -> Report {
        Report { check, findings, notes, summary }
    }

    /// Prints everything; the exit status is 1 when anything is to be done.
    pub fn print(&self) -> ExitCode {
        for note in &self.notes {
            println!("note: {note}");
        }
        for finding in &self.findings {
            println!("{}: {}\n    help: {}", finding.place, finding.what, finding.remedy);
        }
        if self.findings.is_empty() {
            println!("{}: ok, {}", self.check, self.summary);
            return ExitCode::SUCCESS;
        }
        println!("{}: {} to repair, {}", self.check, self.findings.len(), self.summary);
        ExitCode::FAILURE
    }
}
