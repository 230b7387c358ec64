//! `/v1/tasks`: bounded pieces of work, and the tokens that are carried for them.

pub(crate) mod by_agent;
pub(crate) mod lease;
pub(crate) mod start;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{AgentId, Command, Task, TaskId, may_read_task};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::recorded;
use crate::{Api, Problem, names};

pub(crate) type Answer = Result<Json<Value>, Problem>;

pub(crate) fn view(state: &remit_domain::State, task: &Task) -> Value {
    json!({
        "id": task.id,
        "run": task.run,
        "agent": names::of_agent(state, task.agent),
        "status": if task.is_live() { "live" } else { "ended" },
        "purpose": task.purpose,
        "acting_for": names::of_somebody(state, task.acting_for),
        "started_by": names::of_somebody(state, task.started_by),
        "scope": task.scope,
        "parent": task.parent,
        "calls": task.calls,
        "calls_max": task.budget.calls_max,
        "attribution": task.attribution(),
        "key": task.key,
        "authority": task.authority,
        "delegation": task.delegation,
        "client": task.client,
        "started_at": task.started_at.to_string(),
        "expires_at": task.expires_at.to_string(),
        "ended_at": task.ended.as_ref().map(|(at, _)| at.to_string()),
        "end_reason": task.ended.as_ref().map(|(_, reason)| reason),
    })
}

/// Which tasks a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[default]
    Live,
    Ended,
    All,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    /// Id or name of an agent.
    agent: Option<String>,
    #[serde(default)]
    status: Status,
}

/// Tasks that the caller may read, oldest first; those that are live if nobody says otherwise.
pub(crate) async fn list(State(api): State<Api>, by: SignedIn, Ask(query): Ask<ListQuery>) -> Answer {
    let state = api.engine.state();
    let agent: Option<AgentId> =
        query.agent.as_deref().map(|agent| names::agent(&state, agent).map(|agent| agent.id)).transpose()?;
    let wanted = |task: &Task| {
        let by_status = query.status == Status::All || task.is_live() == (query.status == Status::Live);
        let by_agent = agent.is_none_or(|agent| agent == task.agent);
        by_status && by_agent && may_read_task(&state, by.person, task).is_ok()
    };
    let tasks = state.tasks.values().filter(|task| wanted(task));
    let rows = tasks.map(|task| (task.id.to_string(), task.clone())).collect();
    page(rows, &query.page, |task| view(&state, task))
}

pub(crate) async fn show(State(api): State<Api>, by: SignedIn, Path(task): Path<String>) -> Answer {
    let id: TaskId = names::id("task", &task)?;
    let shown = api.engine.read(|state| {
        let task = state.task(id)?;
        may_read_task(state, by.person, task)?;
        Ok::<_, remit_domain::Refusal>(view(state, task))
    });
    Ok(Json(shown?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    #[serde(default)]
    pub(crate) note: String,
}

/// Ends a task and everything under it.
pub(crate) async fn end(
    State(api): State<Api>,
    by: SignedIn,
    Path(task): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Answer {
    let id: TaskId = names::id("task", &task)?;
    let receipt = api.submit(by.actor(), Command::EndTask { task: id, note }).await?;
    Ok(recorded(api.engine.read(|state| state.task(id).map(|task| view(state, task)))?, &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    #[serde(default)]
    pub(crate) reason: String,
}

/// Erases the prompts, arguments and results of a task. What the ledger proves about them stands.
pub(crate) async fn erase(
    State(api): State<Api>,
    by: SignedIn,
    Path(task): Path<String>,
    Body(Why { reason }): Body<Why>,
) -> Answer {
    let id: TaskId = names::id("task", &task)?;
    let receipt = api.engine.erase(by.actor(), id, reason).await?;
    Ok(recorded(json!({"task": id, "erased": true}), &receipt))
}
