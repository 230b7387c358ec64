//! What something under change control came to: it is done, or it waits for somebody else.

use axum::Json;
use http::StatusCode;
use remit_domain::{ChangeId, ChangeKind, Event, State};
use remit_engine::Receipt;
use serde_json::Value;

use super::view;
use crate::receipts::recorded;
use crate::{Api, Problem};

/// 200 if it is done, 202 if it was proposed.
pub(crate) type Settled = Result<(StatusCode, Json<Value>), Problem>;

/// The change that waits, if that is what a command came to.
pub(crate) fn proposed(receipt: &Receipt) -> Option<ChangeId> {
    receipt.events.iter().find_map(|event| match event {
        Event::ChangeProposed(proposed) if proposed.kind != ChangeKind::Emergency => Some(proposed.change),
        _ => None,
    })
}

/// What is there now as `done` shows it; where it was only proposed, the change that waits. `also` names what is there either way.
pub(crate) fn settled(
    api: &Api,
    receipt: &Receipt,
    also: Option<&str>,
    done: impl FnOnce(&State) -> Result<Value, Problem>,
) -> Settled {
    let (state, now) = (api.engine.state(), api.engine.now());
    let Some(id) = proposed(receipt) else {
        return Ok((StatusCode::OK, recorded(done(&state)?, receipt)));
    };
    let waiting = state.changes.get(&id).map(|change| view::whole(&state, change, now));
    let mut body = waiting.unwrap_or_else(|| serde_json::json!({"id": id, "status": "pending"}));
    if let Some(members) = body.as_object_mut() {
        members.insert("change".to_owned(), id.to_string().into());
        if let Some(name) = also {
            members.insert(name.to_owned(), done(&state)?);
        }
    }
    Ok((StatusCode::ACCEPTED, recorded(body, receipt)))
}
