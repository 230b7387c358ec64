//! What is expected to be refused, told so that the person reading it can act.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;

#[cfg(test)]
mod tests;

/// A refusal is an answer, not a fault: a stable code for programs, a sentence and a next step for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Stable, snake case; clients may match on it.
    pub code: String,
    /// Lower case, no full stop, input in backticks.
    pub sentence: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Field by field, where the input was a form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldProblem>,
}

/// What is wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldProblem {
    pub field: String,
    pub sentence: String,
}

impl Refusal {
    /// A sentence may repeat input that an agent chose, and is recorded and shown on terminals: it is cut at
    /// [`limits::SENTENCE_CHARS_MAX`], and control characters in it are replaced.
    pub fn new(code: &str, sentence: impl Into<String>) -> Self {
        let mut sentence: String = sentence.into();
        if sentence.len() > limits::SENTENCE_CHARS_MAX {
            sentence = sentence.chars().take(limits::SENTENCE_CHARS_MAX).collect();
        }
        if sentence.contains(is_unsafe_to_show) {
            sentence = sentence.replace(is_unsafe_to_show, "\u{fffd}");
        }
        Self { code: code.to_owned(), sentence, help: None, fields: Vec::new() }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn fields(mut self, fields: Vec<FieldProblem>) -> Self {
        self.fields = fields;
        self
    }

    /// Something that was named does not exist (or no longer does).
    pub fn unknown(what: &str, name: impl std::fmt::Display) -> Self {
        Self::new("not_found", format!("there is no {what} `{name}`"))
            .help(format!("`remit {what} list` shows what there is"))
    }
}

/// Whether `character` could make a page or a terminal show something else than what was written: control characters, and
/// those that turn the direction of writing (Unicode Standard Annex 9, "Directional Formatting Characters").
pub(crate) fn is_unsafe_to_show(character: char) -> bool {
    let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || character.is_control() && character != '\n'
}

impl FieldProblem {
    pub fn new(field: &str, sentence: impl Into<String>) -> Self {
        Self { field: field.to_owned(), sentence: sentence.into() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)?;
        for field in &self.fields {
            write!(f, "; {}: {}", field.field, field.sentence)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
