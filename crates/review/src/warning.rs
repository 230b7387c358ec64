//! What in a definition should make a person look twice: said to whom, at which place, in which words.
//!
//! A definition goes to the model as if the user had said it. What is found here is no proof of malice, and nothing found is
//! no proof of honesty; it is what a hurried reader would miss.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use remit_domain::Feature;

use crate::letters::visible;
use crate::limits;
use crate::neighbours::Neighbours;

mod address;
mod names;
mod places;
mod secrets;
mod seen;
#[cfg(test)]
mod tests;

use places::Place;

/// How sure one may be that something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No honest definition needs this. Such a tool is approved only by its name.
    Serious,
    /// Honest definitions have this too; a person should have read it.
    Notice,
}

/// What is pointed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// Characters that cannot be seen.
    Unseen,
    /// Words written with letters of two alphabets.
    Lookalike,
    /// The text speaks to the model rather than about the tool.
    AddressesModel,
    /// Markup that a model may take for the frame around it.
    Markup,
    /// Text that is not for people's eyes: comments, encoded blocks, blanks that push it out of sight.
    Hidden,
    /// An address.
    Link,
    /// Another tool is named.
    NamesTool,
    /// Keys, passwords, or files that hold them.
    Secrets,
    /// The tool's name is that of another one, or could be taken for it.
    Shadows,
    /// Too large to be looked through.
    TooLarge,
}

/// Something to look at before approving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub severity: Severity,
    pub kind: WarningKind,
    /// JSON pointer (RFC 6901) into the definition.
    pub place: String,
    pub sentence: String,
    /// What stands there, on one line, with what cannot be seen written out.
    pub text: String,
}

impl Warning {
    fn new(severity: Severity, kind: WarningKind, place: &str, sentence: impl Into<String>, text: &str) -> Self {
        Self { severity, kind, place: place.to_owned(), sentence: sentence.into(), text: excerpt(text, 0) }
    }

    /// As [`Warning::new`], with what stands around the byte `at` of `text`.
    fn at(severity: Severity, kind: WarningKind, place: &Place, sentence: impl Into<String>, at: usize) -> Self {
        let sentence = sentence.into();
        let sentence = if place.is_name { format!("{sentence}, in a member's name") } else { sentence };
        Self { severity, kind, place: place.pointer.clone(), sentence, text: excerpt(&place.text, at) }
    }
}

/// What stands around the byte `at` of `text`, visibly.
fn excerpt(text: &str, at: usize) -> String {
    let before = text.get(..at).map_or(0, |before| before.chars().count());
    let count = text.chars().count();
    let start = before.saturating_sub(limits::EXCERPT_CHARS_MAX / 4);
    let shown: String = text.chars().skip(start).take(limits::EXCERPT_CHARS_MAX).collect();
    let (head, tail) =
        (if start > 0 { "…" } else { "" }, if start + limits::EXCERPT_CHARS_MAX < count { "…" } else { "" });
    format!("{head}{}{tail}", visible(&shown))
}

/// What to point out about a tool's definition: every text in it, its members' names too. The gravest first.
pub fn examine(definition: &Value, neighbours: &Neighbours) -> Vec<Warning> {
    let tool = definition.get("name").and_then(Value::as_str).unwrap_or_default();
    // What Remit wrote itself is not looked at; what only pretends to be that is.
    if Feature::of_tool(tool).is_some_and(|feature| feature.definition().document == *definition) {
        return Vec::new();
    }
    let mut warnings = names::shadows(tool, neighbours);
    let (places, is_whole) = places::of(definition);
    if !is_whole {
        let sentence = "the definition is too large to be looked through as a whole";
        warnings.push(Warning::new(Severity::Serious, WarningKind::TooLarge, "", sentence, ""));
    }
    for place in &places {
        look_at(place, &mut warnings);
    }
    warnings.extend(names::named(tool, &places, neighbours));
    sorted(warnings)
}

/// What to point out about the instructions that a server gives for all of its tools.
pub fn examine_instructions(instructions: &str, neighbours: &Neighbours) -> Vec<Warning> {
    let place = Place::prose("/instructions", instructions);
    let mut warnings = Vec::new();
    look_at(&place, &mut warnings);
    warnings.extend(names::named("", std::slice::from_ref(&place), neighbours));
    sorted(warnings)
}

fn look_at(place: &Place, warnings: &mut Vec<Warning>) {
    seen::look(place, warnings);
    address::look(place, warnings);
    secrets::look(place, warnings);
}

fn sorted(mut warnings: Vec<Warning>) -> Vec<Warning> {
    warnings.sort_by_key(|warning| warning.severity);
    warnings.dedup_by(|one, other| one == other);
    warnings.truncate(limits::WARNINGS_MAX);
    warnings
}
