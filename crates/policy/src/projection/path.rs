//! Where a projection reads: members separated by dots, `[]` for each item of a list.

use std::fmt;
use std::str::FromStr;

use super::ProjectionError;
use crate::limits;

/// A path into arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into the member of this name.
    Member(String),
    /// Into each item.
    Items,
}

impl Path {
    /// The path as far as its step `index`, that step included.
    pub(super) fn up_to(&self, index: usize) -> String {
        Self(self.0.iter().take(index + 1).cloned().collect()).to_string()
    }

    /// The path as far as its step `index`, with the member `name` in place of that step.
    pub(super) fn with_last(&self, index: usize, name: &str) -> String {
        let before = self.0.iter().take(index).cloned();
        Self(before.chain([Step::Member(name.to_owned())]).collect()).to_string()
    }
}

impl FromStr for Path {
    type Err = ProjectionError;

    fn from_str(text: &str) -> Result<Self, ProjectionError> {
        let malformed = || ProjectionError::Path { path: text.to_owned() };
        let mut steps = Vec::new();
        for part in text.split('.') {
            let name = part.trim_end_matches("[]");
            let unwanted = |letter: char| matches!(letter, '[' | ']' | '(' | ')' | '=') || letter.is_control();
            if name.is_empty() || name.trim() != name || name.contains(unwanted) {
                return Err(malformed());
            }
            steps.push(Step::Member(name.to_owned()));
            steps.extend((0..(part.len() - name.len()) / 2).map(|_| Step::Items));
        }
        if steps.len() > limits::PROJECTION_STEPS_MAX { Err(malformed()) } else { Ok(Self(steps)) }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for step in &self.0 {
            match step {
                Step::Member(name) => write!(f, "{separator}{name}")?,
                Step::Items => f.write_str("[]")?,
            }
            separator = ".";
        }
        Ok(())
    }
}
