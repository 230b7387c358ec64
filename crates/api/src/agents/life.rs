//! The life of an agent: activation, suspension, resumption, the end, and the keys it proves itself with.

use axum::extract::{Path, State};
use remit_domain::{AgentId, Command, Digest, Event};
use remit_identity::enrol::EnrolmentCode;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, view};
use crate::auth::SignedIn;
use crate::input::Body;
use crate::receipts::{made, recorded};
use crate::{Api, Problem, limits, names};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    #[serde(default)]
    reason: String,
}

async fn submit(api: &Api, by: SignedIn, agent: &str, command: impl FnOnce(AgentId) -> Command) -> Answer {
    let id = api.engine.read(|state| names::agent(state, agent).map(|agent| agent.id))?;
    let receipt = api.submit(by.actor(), command(id)).await?;
    Ok(recorded(api.engine.read(|state| state.agent(id).map(|agent| view(state, agent)))?, &receipt))
}

pub(crate) async fn activate(State(api): State<Api>, by: SignedIn, Path(agent): Path<String>) -> Answer {
    submit(&api, by, &agent, |agent| Command::ActivateAgent { agent }).await
}

/// Ends everything that the agent has under way; it can be resumed.
pub(crate) async fn suspend(
    State(api): State<Api>,
    by: SignedIn,
    Path(agent): Path<String>,
    Body(Why { reason }): Body<Why>,
) -> Answer {
    submit(&api, by, &agent, |agent| Command::SuspendAgent { agent, reason }).await
}

pub(crate) async fn resume(State(api): State<Api>, by: SignedIn, Path(agent): Path<String>) -> Answer {
    submit(&api, by, &agent, |agent| Command::ResumeAgent { agent }).await
}

/// Ends the agent for good.
pub(crate) async fn decommission(
    State(api): State<Api>,
    by: SignedIn,
    Path(agent): Path<String>,
    Body(Why { reason }): Body<Why>,
) -> Answer {
    submit(&api, by, &agent, |agent| Command::DecommissionAgent { agent, reason }).await
}

pub(crate) async fn revoke_key(
    State(api): State<Api>,
    by: SignedIn,
    Path((agent, thumbprint)): Path<(String, String)>,
) -> Answer {
    submit(&api, by, &agent, |agent| Command::RevokeKey { agent, thumbprint }).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offer {
    ttl_seconds: Option<u64>,
}

/// Makes a one-time code with which the agent's own machine enrols a key. It is shown once, here; only its digest is kept.
pub(crate) async fn offer_enrolment(
    State(api): State<Api>,
    by: SignedIn,
    Path(agent): Path<String>,
    Body(Offer { ttl_seconds }): Body<Offer>,
) -> Answer {
    let state = api.engine.state();
    let agent = names::agent(&state, &agent)?;
    let code = EnrolmentCode::generate().map_err(|_| Problem::fault("make a code"))?;
    let ttl_seconds = ttl_seconds.unwrap_or(limits::ENROLMENT_SECONDS_DEFAULT);
    let command = Command::OfferEnrolment { agent: agent.id, code: Digest::from_bytes(code.digest()), ttl_seconds };
    let receipt = api.submit(by.actor(), command).await?;
    let expires_at = made(&receipt, |event| match event {
        Event::EnrolmentOffered { expires_at, .. } => Some(*expires_at),
        _ => None,
    })?;
    let body = json!({
        "agent": {"id": agent.id, "name": agent.name},
        "issuer": state.realm.as_ref().map(|realm| &realm.issuer),
        "code": code.expose(),
        "expires_at": expires_at.to_string(),
    });
    Ok(recorded(body, &receipt))
}
