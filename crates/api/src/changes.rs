//! `/v1/changes`: proposals that wait for somebody else's yes.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Change, ChangeId, Command, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::recorded;
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

pub(crate) fn view(state: &remit_domain::State, change: &Change) -> Value {
    let edits = change
        .edits
        .iter()
        .map(|edit| json!({"name": edit.name, "text": edit.text, "before": state.policies.sources.get(&edit.name)}));
    json!({
        "id": change.id,
        "kind": "policies",
        "author": names::of_person(state, change.author),
        "reason": change.reason,
        "edits": edits.collect::<Vec<_>>(),
        "base": change.base,
        "stale": change.base != state.policies.digest(),
        "proposed_at": change.proposed_at.to_string(),
    })
}

pub(crate) async fn list(State(api): State<Api>, _: SignedIn, Ask(query): Ask<PageQuery>) -> Answer {
    let state = api.engine.state();
    let rows = state.policies.changes.values().map(|change| (change.id.to_string(), change.clone())).collect();
    page(rows, &query, |change| view(&state, change))
}

pub(crate) async fn show(State(api): State<Api>, _: SignedIn, Path(change): Path<String>) -> Answer {
    let id: ChangeId = names::id("change", &change)?;
    let found = api.engine.read(|state| state.policies.changes.get(&id).map(|change| view(state, change)));
    found.map(Json).ok_or_else(|| Refusal::unknown("change", id).into())
}

/// Approves and activates: felt by the very next decision.
pub(crate) async fn approve(State(api): State<Api>, by: SignedIn, Path(change): Path<String>) -> Answer {
    let change: ChangeId = names::id("change", &change)?;
    let receipt = api.submit(by.actor(), Command::ActivatePolicies { change }).await?;
    let version = api.engine.read(|state| state.policies.digest());
    Ok(recorded(json!({"id": change, "status": "active", "version": version}), &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    #[serde(default)]
    note: String,
}

pub(crate) async fn reject(
    State(api): State<Api>,
    by: SignedIn,
    Path(change): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Answer {
    let change: ChangeId = names::id("change", &change)?;
    let receipt = api.submit(by.actor(), Command::RejectPolicies { change, note }).await?;
    Ok(recorded(json!({"id": change, "status": "rejected"}), &receipt))
}
