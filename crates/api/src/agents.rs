//! `/v1/agents`: governed non-human identities.

pub(crate) mod card;
pub(crate) mod life;
mod profile;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Agent, AgentStatus, Command, Configuration, Event, RegisterAgent};
use serde::Deserialize;
use serde_json::{Value, json};

use self::profile::ProfileInput;
use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::changes::{Settled, settled};
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::{made, recorded};
use crate::{Api, Problem, names, workloads};

pub(crate) type Answer = Result<Json<Value>, Problem>;

/// An agent with everything that is known of it.
pub(crate) fn view(state: &remit_domain::State, agent: &Agent) -> Value {
    let mut view = row(state, agent);
    if let Some(members) = view.as_object_mut() {
        members.insert("workloads".to_owned(), json!(state.workloads_of(agent.id)));
    }
    view
}

/// What it is approved with, and the digest that its runs present.
fn configuration(configuration: &Configuration) -> Value {
    json!({
        "digest": configuration.digest(),
        "prompt": configuration.prompt,
        "model": configuration.model,
        "tools": configuration.tools,
    })
}

/// An agent as lists show it.
fn row(state: &remit_domain::State, agent: &Agent) -> Value {
    let profile = &agent.profile;
    let approvers: Vec<Value> = profile.approvers.iter().map(|person| names::of_person(state, *person)).collect();
    let keys: Vec<&str> = agent.keys.iter().map(|key| key.thumbprint.as_str()).collect();
    json!({
        "id": agent.id,
        "name": agent.name,
        "status": agent.status,
        "spiffe_id": state.realm.as_ref().map(|realm| agent.spiffe_id(&realm.trust_domain)),
        "owner": names::of_somebody(state, profile.owner),
        "approvers": approvers,
        "purpose": profile.purpose,
        "class": profile.class,
        "autonomy": profile.autonomy,
        "data_classes": profile.data_classes,
        "environment": profile.environment,
        "review_at": profile.review_at.map(|at| at.to_string()),
        "enforcer": profile.enforcer,
        "configuration": agent.configuration.as_ref().map(configuration),
        "keys": keys,
        "live_tasks": state.live_tasks_of(agent.id).count(),
        "arrived_from": workloads::arrived_from(state, agent),
        "registered_at": agent.registered_at.to_string(),
    })
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    status: Option<AgentStatus>,
    /// Id or name of a person.
    owner: Option<String>,
}

pub(crate) async fn list(_: SignedIn, AsOf { state, .. }: AsOf, Ask(query): Ask<ListQuery>) -> Answer {
    let owner = query.owner.as_deref().map(|owner| names::person(&state, owner).map(|person| person.id)).transpose()?;
    let agents = state.agents.values();
    let agents = agents.filter(|agent| query.status.is_none_or(|status| agent.status == status));
    let agents = agents.filter(|agent| owner.is_none() || agent.profile.owner == owner);
    let rows = agents.map(|agent| (agent.name.clone(), agent.clone())).collect();
    page(rows, &query.page, |agent| row(&state, agent))
}

pub(crate) async fn show(_: SignedIn, AsOf { state, .. }: AsOf, Path(agent): Path<String>) -> Answer {
    Ok(Json(names::agent(&state, &agent).map(|agent| view(&state, agent))?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    name: String,
    #[serde(default)]
    profile: ProfileInput,
}

pub(crate) async fn register(State(api): State<Api>, by: SignedIn, Body(register): Body<Register>) -> Answer {
    let (state, now) = (api.engine.state(), api.engine.now());
    let profile = register.profile.over(remit_domain::AgentProfile::default(), &state, now)?;
    let command = RegisterAgent { name: register.name, profile };
    let receipt = api.submit(by.actor(), Command::RegisterAgent(Box::new(command))).await?;
    let id = made(&receipt, |event| match event {
        Event::AgentRegistered(registered) => Some(registered.agent),
        _ => None,
    })?;
    Ok(recorded(api.engine.read(|state| state.agent(id).map(|agent| view(state, agent)))?, &receipt))
}

/// Replaces the record: what is left out is empty afterwards.
pub(crate) async fn replace(
    State(api): State<Api>,
    by: SignedIn,
    Path(agent): Path<String>,
    Body(input): Body<ProfileInput>,
) -> Settled {
    describe(&api, by, &agent, input, false).await
}

/// Changes the record: what is left out stays as it is.
pub(crate) async fn change(
    State(api): State<Api>,
    by: SignedIn,
    Path(agent): Path<String>,
    Body(input): Body<ProfileInput>,
) -> Settled {
    describe(&api, by, &agent, input, true).await
}

async fn describe(api: &Api, by: SignedIn, agent: &str, input: ProfileInput, keep: bool) -> Settled {
    let (state, now) = (api.engine.state(), api.engine.now());
    let agent = names::agent(&state, agent)?;
    let base = if keep { agent.profile.clone() } else { remit_domain::AgentProfile::default() };
    let profile = Box::new(input.over(base, &state, now)?);
    let receipt = api.submit(by.actor(), Command::DescribeAgent { agent: agent.id, profile }).await?;
    settled(api, &receipt, Some("agent"), |state| Ok(view(state, state.agent(agent.id)?)))
}
