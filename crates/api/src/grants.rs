//! `/v1/grants`: who may use which operations, until when, and who said so.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Command, Event, Grant, GrantId, GrantRequest, OperationPattern, RequestGrant, may_read_grant};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::{made, recorded};
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

pub(crate) fn view(state: &remit_domain::State, grant: &Grant) -> Value {
    json!({
        "id": grant.id,
        "status": "live",
        "agent": names::of_agent(state, grant.agent),
        "operations": grant.operations,
        "reason": grant.reason,
        "task": grant.task,
        "requested_by": names::of_somebody(state, grant.requested_by),
        "approved_by": names::of_person(state, grant.approved_by),
        "expires_at": grant.expires_at.to_string(),
    })
}

pub(crate) fn view_request(state: &remit_domain::State, request: &GrantRequest) -> Value {
    json!({
        "id": request.id,
        "status": "requested",
        "agent": names::of_agent(state, request.agent),
        "operations": request.operations,
        "reason": request.reason,
        "task": request.task,
        "requested_by": names::of_somebody(state, request.requested_by),
        "requested_at": request.requested_at.to_string(),
        "ttl_seconds": request.ttl_seconds,
    })
}

/// A grant or the request for one, by the id that they share.
fn view_either(state: &remit_domain::State, id: GrantId) -> Option<Value> {
    let grant = state.grants.get(&id).map(|grant| view(state, grant));
    grant.or_else(|| state.grant_requests.get(&id).map(|request| view_request(state, request)))
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    /// Id or name of an agent.
    agent: Option<String>,
}

/// Live grants and open requests that the caller may read of, oldest first.
pub(crate) async fn list(by: SignedIn, AsOf { state, today, .. }: AsOf, Ask(query): Ask<ListQuery>) -> Answer {
    let agent = query.agent.as_deref().map(|agent| names::agent(&state, agent).map(|agent| agent.id)).transpose()?;
    let grants = state.grants.values().map(|grant| (grant.id, grant.agent, grant.task));
    let requests = state.grant_requests.values().map(|request| (request.id, request.agent, request.task));
    let wanted = grants.chain(requests).filter(|(_, of, task)| {
        agent.is_none_or(|agent| agent == *of) && may_read_grant(&today, by.person, *of, *task).is_ok()
    });
    let rows = wanted.map(|(id, ..)| (id.to_string(), id)).collect();
    page(rows, &query.page, |id| view_either(&state, *id).unwrap_or_default())
}

pub(crate) async fn show(by: SignedIn, AsOf { state, today, .. }: AsOf, Path(grant): Path<String>) -> Answer {
    let id: GrantId = names::id("grant", &grant)?;
    let of = state.grants.get(&id).map(|grant| (grant.agent, grant.task));
    let of = of.or_else(|| state.grant_requests.get(&id).map(|request| (request.agent, request.task)));
    if let Some((agent, task)) = of {
        may_read_grant(&today, by.person, agent, task)?;
    }
    let found = view_either(&state, id);
    found.map(Json).ok_or_else(|| remit_domain::Refusal::unknown("grant", id).into())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    agent: String,
    operations: Vec<String>,
    reason: String,
    ttl_seconds: u64,
}

pub(crate) async fn request(State(api): State<Api>, by: SignedIn, Body(request): Body<Request>) -> Answer {
    let agent = api.engine.read(|state| names::agent(state, &request.agent).map(|agent| agent.id))?;
    let operations =
        request.operations.iter().map(|text| text.parse()).collect::<Result<Vec<OperationPattern>, _>>()?;
    let command = RequestGrant { agent, operations, reason: request.reason, ttl_seconds: request.ttl_seconds };
    let receipt = api.submit(by.actor(), Command::RequestGrant(command)).await?;
    let id = made(&receipt, |event| match event {
        Event::GrantRequested(request) => Some(request.id),
        _ => None,
    })?;
    Ok(recorded(api.engine.read(|state| view_either(state, id)).unwrap_or_default(), &receipt))
}

pub(crate) async fn approve(State(api): State<Api>, by: SignedIn, Path(grant): Path<String>) -> Answer {
    let id: GrantId = names::id("grant", &grant)?;
    let receipt = api.submit(by.actor(), Command::ApproveGrant { grant: id }).await?;
    Ok(recorded(api.engine.read(|state| view_either(state, id)).unwrap_or_default(), &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    #[serde(default)]
    note: String,
}

pub(crate) async fn deny(
    State(api): State<Api>,
    by: SignedIn,
    Path(grant): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Answer {
    let grant: GrantId = names::id("grant", &grant)?;
    let receipt = api.submit(by.actor(), Command::DenyGrant { grant, note }).await?;
    Ok(recorded(json!({"id": grant, "status": "denied"}), &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    #[serde(default)]
    reason: String,
}

/// Felt by the very next decision.
pub(crate) async fn revoke(
    State(api): State<Api>,
    by: SignedIn,
    Path(grant): Path<String>,
    Body(Why { reason }): Body<Why>,
) -> Answer {
    let grant: GrantId = names::id("grant", &grant)?;
    let receipt = api.submit(by.actor(), Command::RevokeGrant { grant, reason }).await?;
    Ok(recorded(json!({"id": grant, "status": "revoked"}), &receipt))
}
