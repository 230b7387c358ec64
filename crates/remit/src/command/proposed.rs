//! What came out as a proposal is said to be one, wherever it was asked for.

use serde_json::Value;

use super::output::text_at;
use super::{Client, Failure, Output};

/// Says what came of asking for something that is under change control: `sentence` if it is done.
pub fn told(output: &Output, answer: &Value, sentence: &str) {
    if !is_waiting(answer) {
        return output.done(answer, sentence);
    }
    let change = text_at(answer, "/change");
    output.done(answer, &format!("proposed: {change} waits for another administrator"));
    let approvers = text_at(answer, "/approvers");
    if approvers.is_empty() {
        output.note("nobody else may approve it yet");
    } else {
        output.note(&format!("one of them looks at it with `remit change show {change}` and approves it: {approvers}"));
    }
    let artefacts = text_at(answer, "/artefacts");
    if artefacts.contains("policy:") {
        output.note(&format!(
            "what it would have done to the last week's calls: `remit policy replay {change} --from 7d`"
        ));
    }
}

/// Whether it was only proposed.
pub fn is_waiting(answer: &Value) -> bool {
    answer.get("change").is_some_and(Value::is_string)
}

/// Proposes `edits`, or makes them at once.
pub async fn propose(client: &Client, edits: Vec<Value>, reason: &str, emergency: bool) -> Result<Value, Failure> {
    let address = if emergency { "/v1/changes/emergency" } else { "/v1/changes" };
    client.post(address, serde_json::json!({"edits": edits, "reason": reason})).await
}
