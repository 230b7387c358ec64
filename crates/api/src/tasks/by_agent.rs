//! `/v1/agent/tasks`: an enrolled agent starts and ends its own tasks, with its own key and nobody's session.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Actor, Command, Refusal, TaskId};

use super::start::{Life, Start, started, token_of};
use super::{Answer, Note, view};
use crate::auth::EnrolledAgent;
use crate::input::Body;
use crate::receipts::recorded;
use crate::{Api, Problem, names};

/// Starts a task whose tokens are bound to the key that the agent has just proved.
pub(crate) async fn start(State(api): State<Api>, by: EnrolledAgent, Body(start): Body<Start>) -> Answer {
    if let Some(named) = start.agent() {
        let same = api.engine.read(|state| names::agent(state, named).is_ok_and(|agent| agent.id == by.agent));
        if !same {
            return Err(Refusal::new("not_permitted", "an agent starts only its own tasks").into());
        }
    }
    let life = start.life();
    let command = start.command(&api, by.agent, Some(by.key))?;
    // A sub-task is started under its parent, and only the parent's own agent may do so.
    let actor = Actor::Agent { agent: by.agent, task: command.parent };
    started(&api, actor, command, life, by.certificate).await
}

/// The task, if it is the agent's own and bound to the key that it has just proved.
fn own(api: &Api, by: &EnrolledAgent, task: &str) -> Result<TaskId, Problem> {
    let id: TaskId = names::id("task", task)?;
    let own = api.engine.read(|state| {
        state.task(id).is_ok_and(|task| task.agent == by.agent && task.key.as_deref() == Some(by.key.as_str()))
    });
    // Another's task and one that does not exist answer alike.
    if own { Ok(id) } else { Err(Refusal::unknown("task", id).into()) }
}

pub(crate) async fn token(
    State(api): State<Api>,
    by: EnrolledAgent,
    Path(task): Path<String>,
    Body(life): Body<Life>,
) -> Answer {
    let task = own(&api, &by, &task)?;
    Ok(Json(token_of(&api, Actor::Agent { agent: by.agent, task: Some(task) }, task, life, by.certificate).await?))
}

pub(crate) async fn end(
    State(api): State<Api>,
    by: EnrolledAgent,
    Path(task): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Answer {
    let task = own(&api, &by, &task)?;
    let actor = Actor::Agent { agent: by.agent, task: Some(task) };
    let receipt = api.submit(actor, Command::EndTask { task, note }).await?;
    Ok(recorded(api.engine.read(|state| state.task(task).map(|task| view(state, task)))?, &receipt))
}
