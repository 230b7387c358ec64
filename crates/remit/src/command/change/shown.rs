//! What a change does to each artefact, for people at a terminal.

use remit_review::{Change, Comparison, Difference};
use serde_json::Value;

use crate::command::Output;
use crate::command::output::plain;

/// The longest value that is shown beside its member, in characters.
const VALUE_CHARACTERS_MAX: usize = 200;

/// Prints the answer of `/v1/changes/{change}/diff`.
pub fn diff(output: &Output, answer: &Value) {
    let items = answer.get("items").cloned().unwrap_or_default();
    match serde_json::from_value::<Vec<Comparison>>(items) {
        Ok(compared) => compared.iter().for_each(|one| comparison(output, one)),
        // A newer server may say more than this program knows.
        Err(_) => output.document(answer),
    }
}

fn comparison(output: &Output, compared: &Comparison) {
    let what = match compared.change {
        None => "stays as it is",
        Some(Change::Added) => "is new",
        Some(Change::Removed) => "is removed",
        Some(Change::Changed) => "changes",
    };
    let part =
        if compared.artefact.starts_with(&compared.part) { String::new() } else { format!(" ({})", compared.part) };
    output.line(&plain(&format!("{}{part} {what}", compared.artefact)));
    if let Some(text) = &compared.text {
        text.lines().for_each(|line| output.line(&format!("  {}", plain(line))));
    }
    compared.differences.iter().for_each(|difference| output.line(&plain(&format!("  {}", in_words(difference)))));
    output.line("");
}

fn in_words(difference: &Difference) -> String {
    let shown = |value: &Option<Value>| value.as_ref().map(short);
    match (shown(&difference.before), shown(&difference.after)) {
        (Some(before), Some(after)) => format!("{}: {before} → {after}", difference.sentence),
        // The sentence names what a list gained or lost.
        _ if difference.sentence.contains(" now has ") || difference.sentence.contains(" no longer ") => {
            difference.sentence.clone()
        }
        (None, Some(after)) => format!("{}: {after}", difference.sentence),
        (Some(before), None) => format!("{}; it was {before}", difference.sentence),
        (None, None) => difference.sentence.clone(),
    }
}

fn short(value: &Value) -> String {
    let whole = match value {
        Value::String(text) => format!("“{text}”"),
        other => other.to_string(),
    };
    match whole.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((at, _)) => format!("{}…", whole.get(..at).unwrap_or_default()),
        None => whole,
    }
}
