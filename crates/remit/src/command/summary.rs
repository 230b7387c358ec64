//! One record in one line, in words.

use serde_json::Value;

use super::output::{plain, text_at};

#[cfg(test)]
mod tests;

/// Members of events that say most, in the order in which they are read.
const TELLING: &[&str] = &[
    "name",
    "operation",
    "purpose",
    "agent",
    "person",
    "task",
    "approval",
    "grant",
    "connector",
    "change",
    "outcome",
    "reason",
    "note",
    "summary",
];

/// `17  2026-03-01T12:00:00Z  action denied  helpdesk/refund  …`
pub fn line(record: &Value) -> String {
    let event = record.pointer("/record/event").cloned().unwrap_or_default();
    let mut parts = vec![
        format!("{:>6}", text_at(record, "/seq")),
        text_at(record, "/at"),
        actor(record.pointer("/record/actor").unwrap_or(&Value::Null)),
        words(&text_at(&event, "/type")),
    ];
    parts.extend(TELLING.iter().map(|member| told(&event, member)).filter(|text| !text.is_empty()));
    let refusal = text_at(&event, "/refusal/sentence");
    if !refusal.is_empty() {
        parts.push(format!("({refusal})"));
    }
    plain(&parts.join("  "))
}

/// Kinds of reasons and outcomes are objects that name themselves.
fn told(event: &Value, member: &str) -> String {
    let kind = text_at(event, &format!("/{member}/kind"));
    if kind.is_empty() { text_at(event, &format!("/{member}")) } else { words(&kind) }
}

fn actor(actor: &Value) -> String {
    match text_at(actor, "/kind").as_str() {
        "person" => text_at(actor, "/person"),
        "agent" => text_at(actor, "/agent"),
        _ => "remit".to_owned(),
    }
}

/// `ActionDenied` and `action_denied` as `action denied`.
pub(super) fn words(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character == '_' || (character.is_uppercase() && !words.is_empty()) {
            words.push(' ');
        }
        if character != '_' {
            words.extend(character.to_lowercase());
        }
    }
    words
}
