//! `/v1/agents/{agent}/workloads`: which running programs are an agent.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Agent, AgentStatus, Command, WorkloadIdentity};
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::Body;
use crate::receipts::recorded;
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

fn items(state: &remit_domain::State, agent: &Agent) -> Value {
    json!({"agent": {"id": agent.id, "name": agent.name}, "items": state.workloads_of(agent.id)})
}

/// Who vouched for an agent that arrived by itself, as long as nobody answers for it.
pub(crate) fn arrived_from(state: &remit_domain::State, agent: &Agent) -> Option<WorkloadIdentity> {
    if agent.status != AgentStatus::Quarantined {
        return None;
    }
    let mut workloads = state.workloads_of(agent.id).into_iter();
    workloads.find(|workload| matches!(workload, WorkloadIdentity::Foreign { .. }))
}

pub(crate) async fn list(State(api): State<Api>, _: SignedIn, Path(agent): Path<String>) -> Answer {
    Ok(Json(api.engine.read(|state| names::agent(state, &agent).map(|agent| items(state, agent)))?))
}

/// Says that a running program is this agent.
pub(crate) async fn bind(
    State(api): State<Api>,
    by: SignedIn,
    Path(agent): Path<String>,
    Body(workload): Body<WorkloadIdentity>,
) -> Answer {
    let agent = api.engine.read(|state| names::agent(state, &agent).map(|agent| agent.id))?;
    let receipt = api.submit(by.actor(), Command::BindWorkload { agent, workload }).await?;
    Ok(recorded(api.engine.read(|state| state.agent(agent).map(|agent| items(state, agent)))?, &receipt))
}

/// Takes a running program from this agent.
pub(crate) async fn unbind(
    State(api): State<Api>,
    by: SignedIn,
    Path(agent): Path<String>,
    Body(workload): Body<WorkloadIdentity>,
) -> Answer {
    let agent = api.engine.read(|state| names::agent(state, &agent).map(|agent| agent.id))?;
    let receipt = api.submit(by.actor(), Command::UnbindWorkload { agent, workload }).await?;
    Ok(recorded(api.engine.read(|state| state.agent(agent).map(|agent| items(state, agent)))?, &receipt))
}
