use serde_json::Value;

use super::*;
use crate::tests::fixtures;

/// Every commitment under a member of `value` with the size of what it is to.
fn commitments(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let (Some(Value::String(commitment)), Some(_)) = (members.get("commitment"), members.get("bytes")) {
                found.push(commitment.clone());
            }
            members.values().for_each(|member| commitments(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| commitments(item, found)),
        _ => {}
    }
}

#[test]
fn whatever_an_event_says_was_sent_or_answered_is_found() {
    let mut seen = 0;
    for (line, event) in fixtures::events() {
        if matches!(event, Event::ApprovalShown(_)) {
            continue;
        }
        let mut written = Vec::new();
        commitments(&serde_json::from_str(line).unwrap(), &mut written);
        let mut found: Vec<String> = referred(&event).iter().map(|one| one.content.commitment.to_string()).collect();
        seen += found.len();
        written.sort();
        found.sort();
        assert_eq!(found, written, "{line}");
    }
    assert!(seen > 4, "the fixtures refer to content");
}
