//! What Remit proposes for a tool that nobody has approved yet. A person decides; this only saves typing.
//!
//! A server's annotations are hints and not to be trusted (MCP, "Tool annotations"), so a proposal errs on the side that
//! asks for more care.

use remit_domain::{DataClass, Verb};
use serde_json::Value;

#[cfg(test)]
mod tests;

const READING: &[&str] =
    &["get", "list", "search", "find", "read", "fetch", "show", "describe", "lookup", "query", "count"];
const SENDING: &[&str] =
    &["send", "email", "mail", "message", "notify", "post", "publish", "reply", "forward", "share"];
const RUNNING: &[&str] = &["run", "exec", "execute", "eval", "shell", "bash", "invoke", "spawn", "start"];
const DESTROYING: &[&str] = &["delete", "remove", "drop", "destroy", "purge", "refund", "pay", "transfer", "cancel"];

/// What a tool probably does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// Its effect.
    pub verb: Verb,
    /// 0 (none) to 3 (high).
    pub risk: u8,
    /// Highest class of data that it reads or discloses.
    pub data: DataClass,
    /// Whether it reaches outside the organisation.
    pub external: bool,
}

/// Reads a proposal off a tool's name and annotations.
pub fn propose(definition: &Value) -> Proposal {
    let name = definition.get("name").and_then(Value::as_str).unwrap_or_default();
    let hint = |hint: &str| definition.pointer(&format!("/annotations/{hint}")).and_then(Value::as_bool);
    let words = words(name);
    let says = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let first_says = |list: &[&str]| words.first().is_some_and(|word| list.contains(&word.as_str()));
    let destroys = hint("destructiveHint") == Some(true) || says(DESTROYING);
    let verb = if says(RUNNING) && !first_says(READING) {
        Verb::Execute
    } else if says(SENDING) && !first_says(READING) {
        Verb::Send
    } else if !destroys
        && (hint("readOnlyHint") == Some(true) || (hint("readOnlyHint").is_none() && first_says(READING)))
    {
        Verb::Read
    } else {
        Verb::Write
    };
    let risk = match verb {
        Verb::Execute => 3,
        _ if destroys => 3,
        Verb::Send => 2,
        Verb::Write => 1 + u8::from(hint("destructiveHint") != Some(false)),
        Verb::Read => 0,
    };
    let external = hint("openWorldHint") == Some(true) || verb == Verb::Send;
    // What a tool reads is not in its definition; internal is the least that anything behind a connector is.
    Proposal { verb, risk, data: DataClass::D1, external }
}

/// The words of `snake_case`, `kebab-case` and `camelCase`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for next in name.chars() {
        let parts = !next.is_alphanumeric();
        if parts || (next.is_uppercase() && before_is_lower) {
            words.push(String::new());
        }
        if let (Some(word), false) = (words.last_mut(), parts) {
            word.extend(next.to_lowercase());
        }
        before_is_lower = next.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
