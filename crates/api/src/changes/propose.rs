//! Proposing: what somebody else approves, and what cannot wait for that.

use axum::extract::State;
use http::StatusCode;
use remit_domain::{ChangeId, Command, Edit, Event, Refusal};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Settled, settled};
use super::edit::EditInput;
use super::view;
use crate::Api;
use crate::auth::SignedIn;
use crate::input::Body;
use crate::receipts::recorded;

/// Edits, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Propose {
    edits: Vec<EditInput>,
    reason: String,
}

impl Propose {
    fn resolve(self, api: &Api) -> Result<(Vec<Edit>, String), Refusal> {
        let state = api.engine.state();
        let edits = self.edits.into_iter().map(|edit| edit.resolve(&state)).collect::<Result<_, _>>()?;
        Ok((edits, self.reason))
    }
}

/// Proposes a change. Somebody else approves it; while there is nobody else, it is done.
pub(crate) async fn propose(State(api): State<Api>, by: SignedIn, Body(propose): Body<Propose>) -> Settled {
    let (edits, reason) = propose.resolve(&api)?;
    submit(&api, by, edits, reason, None).await
}

/// Proposes `edits`.
pub(crate) async fn submit(
    api: &Api,
    by: SignedIn,
    edits: Vec<Edit>,
    reason: String,
    revert_of: Option<ChangeId>,
) -> Settled {
    let artefacts: Vec<String> = api.engine.read(|state| edits.iter().map(|edit| edit.artefact(state)).collect());
    let receipt = api.submit(by.actor(), Command::ProposeChange { edits, reason, revert_of }).await?;
    settled(api, &receipt, None, |state| {
        Ok(json!({"status": "active", "artefacts": artefacts, "version": state.policies.digest()}))
    })
}

/// Makes a change at once, which two other people look at afterwards.
pub(crate) async fn emergency(State(api): State<Api>, by: SignedIn, Body(propose): Body<Propose>) -> Settled {
    let (edits, reason) = propose.resolve(&api)?;
    let artefacts: Vec<String> = api.engine.read(|state| edits.iter().map(|edit| edit.artefact(state)).collect());
    let receipt = api.submit(by.actor(), Command::EmergencyChange { edits, reason }).await?;
    let made = receipt.events.iter().find_map(|event| match event {
        Event::ChangeProposed(proposed) => Some(proposed.change),
        _ => None,
    });
    let (state, now) = (api.engine.state(), api.engine.now());
    let change = made.and_then(|id| state.changes.get(&id));
    let body = match change {
        Some(change) => view::whole(&state, change, now),
        // While there is nobody else, nobody reviews it either.
        None => json!({"status": "active", "artefacts": artefacts, "version": state.policies.digest()}),
    };
    Ok((StatusCode::OK, recorded(body, &receipt)))
}
