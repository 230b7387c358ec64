//! Steps: what was expected, and what happened.

use serde::Serialize;

use crate::command::Failure;

/// One step of the story.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    pub name: &'static str,
    pub expected: String,
    pub happened: String,
    pub ok: bool,
}

/// The steps so far. Printed as they come, or at the end as one document.
#[derive(Debug)]
pub struct Steps {
    json: bool,
    steps: Vec<Step>,
}

impl Steps {
    pub fn new(json: bool) -> Self {
        Self { json, steps: Vec::new() }
    }

    /// Notes a step that went as expected if `ok`.
    pub fn note(&mut self, name: &'static str, expected: &str, happened: impl Into<String>, ok: bool) {
        let step = Step { name, expected: expected.to_owned(), happened: happened.into(), ok };
        if !self.json {
            let mark = if ok { "ok  " } else { "FAIL" };
            println!("{mark}  {:<22} expected  {}", step.name, step.expected);
            println!("      {:<22} happened  {}", "", step.happened);
        }
        self.steps.push(step);
    }

    /// A refusal with `code` was expected.
    pub fn refused<T>(&mut self, name: &'static str, code: &str, answer: Result<T, Failure>) {
        let expected = format!("refused: {code}");
        match answer {
            Err(Failure::Refused(refusal)) => {
                let ok = refusal.code == code;
                self.note(name, &expected, format!("refused: {} ({refusal})", refusal.code), ok);
            }
            Err(failure) => self.note(name, &expected, format!("{failure:?}"), false),
            Ok(_) => self.note(name, &expected, "it was not refused", false),
        }
    }

    pub fn all_as_expected(&self) -> bool {
        self.steps.iter().all(|step| step.ok)
    }

    /// Ends the story: everything as expected, or not.
    pub fn finish(self, told: Result<(), Failure>) -> Result<(), Failure> {
        let differing: Vec<&str> = self.steps.iter().filter(|step| !step.ok).map(|step| step.name).collect();
        let ok = told.is_ok() && differing.is_empty();
        if self.json {
            println!("{}", serde_json::json!({"ok": ok, "steps": self.steps}));
        } else if ok {
            println!("\nall {} steps went as expected", self.steps.len());
        }
        told?;
        match differing.is_empty() {
            true => Ok(()),
            false => Err(remit_domain::Refusal::new(
                "demo_differs",
                format!("not as expected: `{}`", differing.join("`, `")),
            )
            .help("the lines marked FAIL say what happened instead")
            .into()),
        }
    }
}
