//! `client_credentials`: an agent begins a task of its own.

use axum::response::Response;
use remit_domain::{Actor, Command, StartTask};
use serde_json::Map;

use super::{Asked, Given, begun, bound_to};
use crate::Api;
use crate::oauth::client::{self, Proved};
use crate::oauth::details::Meaning;
use crate::oauth::error::OAuthError;
use crate::oauth::form::Form;
use crate::oauth::request::Wanted;
use crate::oauth::target::Target;

/// What such a task is for, if nobody says.
const PURPOSE: &str = "client credentials";

pub(super) async fn grant(api: &Api, asked: &Asked, form: &Form) -> Result<Response, OAuthError> {
    let proved = client::authenticate(api, asked, form).await?.agent()?;
    start(api, asked, form, &proved, PURPOSE).await
}

/// Begins a task of the agent that was proved, for `purpose` if the request names no other.
pub(super) async fn start(
    api: &Api,
    asked: &Asked,
    form: &Form,
    proved: &Proved,
    purpose: &str,
) -> Result<Response, OAuthError> {
    // A run is bounded by its task: with its name nothing wider begins.
    if proved.run.is_some() {
        return Err(OAuthError::unauthorized_client(
            "a run begins no task beside its own; it exchanges its token instead",
        ));
    }
    let wanted = Wanted::read(api, form)?;
    let bound = bound_to(api, asked, proved)?;
    let state = api.engine.state();
    let target = wanted.target.clone().unwrap_or_else(|| Target::whole(api.engine.audience()));
    let meaning = Meaning { state: &state, gateway: api.engine.audience(), target: &target };
    let start = StartTask {
        configuration: wanted.configuration,
        agent: proved.agent,
        purpose: wanted.purpose().unwrap_or_else(|| purpose.to_owned()),
        acting_for: None,
        authority: meaning.of(&wanted.entries)?,
        scope: wanted.scope.clone(),
        ttl_seconds: wanted.ttl_seconds(api.engine.now())?,
        budget: None,
        parent: None,
        key: bound.key,
        delegation: None,
    };
    let actor = Actor::Agent { agent: proved.agent, task: None };
    let receipt = api.engine.submit(actor, Command::StartTask(Box::new(start))).await?;
    let task = begun(&receipt)?;
    let actor = Actor::Agent { agent: proved.agent, task: Some(task) };
    Given { actor, task, target, certificate: bound.certificate, more: Map::new() }.first_answer(api).await
}
