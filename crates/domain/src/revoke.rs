//! Ending single things before their time: one run of an agent with all its tasks, one token of a task.

use crate::person::check_text;
use crate::{Actor, AgentId, EndReason, Event, Refusal, RunId, State, Task, TaskId, Timestamp, limits, task};

/// Longest name of a token, in bytes.
const TOKEN_BYTES_MAX: usize = limits::NAME_BYTES_MAX * 2;

/// Ends a run: every live task of it, and everything below those, in one commit.
pub(crate) fn decide_revoke_run(state: &State, actor: &Actor, run: RunId, reason: &str) -> Result<Vec<Event>, Refusal> {
    check_text("reason", reason)?;
    let mut tasks: Vec<&Task> = state.live_tasks().filter(|task| task.run == run).map(|task| &**task).collect();
    tasks.sort_by_key(|task| task.id);
    let Some(first) = tasks.first() else {
        let known = state.tasks.values().any(|task| task.run == run);
        return if known { Ok(Vec::new()) } else { Err(Refusal::unknown("run", run)) };
    };
    may_end(state, actor, first)?;
    let mut events = vec![Event::RunRevoked { agent: first.agent, run, reason: reason.to_owned() }];
    events.extend(task::end_trees(state, tasks.iter().map(|task| task.id), &EndReason::RunRevoked));
    Ok(events)
}

/// Ends one token of a task. A task of which many tokens had to be revoked is not to be trusted with more: it ends.
pub(crate) fn decide_revoke_token(
    state: &State,
    actor: &Actor,
    id: TaskId,
    token: &str,
    expires_at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let task = state.task(id)?;
    may_end(state, actor, task)?;
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        return Err(Refusal::new("bad_token", "this is not the name of a token"));
    }
    if !task.is_live() || task.is_revoked(token) {
        return Ok(Vec::new());
    }
    let revoked = Event::TokenRevoked { agent: task.agent, task: id, token: token.to_owned(), expires_at };
    let mut events = vec![revoked];
    if task.revoked_tokens.len() >= limits::REVOKED_TOKENS_MAX {
        let note = "too many of its tokens were revoked one by one".to_owned();
        events.extend(task::end_tree(state, id, &EndReason::Ended { note }));
    }
    Ok(events)
}

/// Whoever the work belongs to may end it: the agent itself, who started it or is acted for, its owner, an administrator.
pub(crate) fn may_end(state: &State, actor: &Actor, task: &Task) -> Result<(), Refusal> {
    let of_agent = |agent: &AgentId| *agent == task.agent;
    match actor {
        Actor::Agent { agent, .. } if of_agent(agent) => Ok(()),
        Actor::Agent { .. } => Err(Refusal::new("not_permitted", "an agent ends only its own tasks")),
        Actor::Person { person, .. } if task.started_by == Some(*person) || task.acting_for == Some(*person) => Ok(()),
        Actor::Person { .. } => actor.owner_of(state, task.agent).map(|_| ()),
        Actor::Remit => Ok(()),
    }
}

pub(crate) fn apply_token_revoked(state: &mut State, id: TaskId, token: &str, expires_at: Timestamp, at: Timestamp) {
    task::change(state, id, |task| {
        task.revoked_tokens.retain(|(_, ends)| *ends > at);
        task.revoked_tokens.push((token.to_owned(), expires_at));
    });
}
