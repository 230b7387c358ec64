//! `/v1/clients`: the OAuth clients that an administrator has registered. Clients with a document of their own need not be.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Client, ClientId, Command, Event, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::{made, recorded};
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

fn view(state: &remit_domain::State, client: &Client) -> Value {
    let id = client.id.to_string();
    json!({
        "id": client.id,
        "name": client.name,
        "redirect_uris": client.redirect_uris,
        "registered_by": names::of_person(state, client.registered_by),
        "registered_at": client.registered_at.to_string(),
        "live_tasks": state.live_tasks().filter(|task| task.client.as_deref() == Some(id.as_str())).count(),
    })
}

pub(crate) async fn list(State(api): State<Api>, _: SignedIn, Ask(query): Ask<PageQuery>) -> Answer {
    let state = api.engine.state();
    let rows = state.clients.values().map(|client| (client.name.clone(), client.clone())).collect();
    page(rows, &query, |client| view(&state, client))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    name: String,
    /// Where it has people sent back to.
    redirect_uris: Vec<String>,
}

/// Registers a public client: it has no secret, and uses PKCE.
pub(crate) async fn add(State(api): State<Api>, by: SignedIn, Body(add): Body<Add>) -> Answer {
    let command = Command::RegisterClient { name: add.name, redirect_uris: add.redirect_uris };
    let receipt = api.submit(by.actor(), command).await?;
    let id = made(&receipt, |event| match event {
        Event::ClientRegistered(registered) => Some(registered.client),
        _ => None,
    })?;
    let state = api.engine.state();
    let client = state.clients.get(&id).ok_or_else(|| Problem::fault("tell what was recorded"))?;
    Ok(recorded(view(&state, client), &receipt))
}

/// Removes a client, by id or name; the tasks that people let it have end.
pub(crate) async fn remove(State(api): State<Api>, by: SignedIn, Path(client): Path<String>) -> Answer {
    let state = api.engine.state();
    let id: Option<ClientId> = client.parse().ok();
    let mut all = state.clients.values();
    let found = all.find(|one| Some(one.id) == id || one.name == client).map(|one| one.id);
    let id = found.ok_or_else(|| {
        let shown: String = client.chars().take(crate::limits::ECHO_CHARACTERS_MAX).collect();
        Refusal::unknown("client", shown)
    })?;
    let receipt = api.submit(by.actor(), Command::RemoveClient { client: id }).await?;
    Ok(recorded(json!({"id": id, "removed": true}), &receipt))
}
