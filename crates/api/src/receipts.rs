//! Answers to changes: what the thing is now, and where in the ledger the change stands.

use axum::Json;
use remit_domain::Event;
use remit_engine::Receipt;
use serde_json::Value;

use crate::Problem;

/// `body` with the sequence number of the change's first record.
pub(crate) fn recorded(mut body: Value, receipt: &Receipt) -> Json<Value> {
    if let Some(members) = body.as_object_mut() {
        members.insert("seq".to_owned(), receipt.seq.into());
        // It was so already: the number is not that of a record of this change.
        if receipt.events.is_empty() {
            members.insert("unchanged".to_owned(), true.into());
        }
    }
    Json(body)
}

/// What `pick` finds among the events of a change that always has it.
pub(crate) fn made<T>(receipt: &Receipt, pick: impl Fn(&Event) -> Option<T>) -> Result<T, Problem> {
    receipt.events.iter().find_map(pick).ok_or_else(|| Problem::fault("tell what was recorded"))
}
