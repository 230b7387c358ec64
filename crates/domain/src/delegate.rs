//! Delegation: a task that one agent passes on to another, as a task of the other's own run, with its own key.
//!
//! RFC 8693 says how it is asked for and leaves open what is given; here it is always less than what it comes from. Nothing is
//! inherited by ancestry: who may be a delegate is said when the first task is started.

use crate::authority::{self, Authority};
use crate::person::check_text;
use crate::task::{self, TaskStarted};
use crate::{
    Actor, Agent, AgentId, Budget, Delegation, Digest, Event, Moment, OperationPattern, Refusal, State, Task, TaskId,
    configuration, limits, narrow, sandbox,
};

#[cfg(test)]
mod tests;

/// Begins a task of `delegate` under a task of another agent. The caller has proved that it is the delegate, with the key, and
/// that it holds a token of the parent task.
#[derive(Debug, Clone)]
pub struct DelegateTask {
    pub parent: TaskId,
    pub delegate: AgentId,
    /// Nothing: the parent's.
    pub purpose: Option<String>,
    /// What it may use of what is passed on; empty: all of that.
    pub scope: Vec<OperationPattern>,
    /// Narrowed authority; empty: what is passed on, as it is.
    pub authority: Vec<Authority>,
    pub ttl_seconds: Option<u64>,
    pub calls_max: Option<u64>,
    /// What its tokens are bound to: the delegate's own key, never the parent's. See [`Task::key`].
    pub key: Option<String>,
    /// Digest of the configuration that the delegate runs with, where its own is approved: see [`Task::configuration`].
    pub configuration: Option<Digest>,
}

pub(crate) fn decide_delegate(
    state: &State,
    actor: &Actor,
    ask: &DelegateTask,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    if !matches!(actor, Actor::Agent { agent, task: None } if *agent == ask.delegate) {
        return Err(Refusal::new("not_permitted", "only an agent itself takes over a part of another's task"));
    }
    let parent = state.task(ask.parent)?;
    parent.must_be_alive(at.now)?;
    if parent.agent == ask.delegate {
        return Err(Refusal::new("same_agent", "a task is passed on to another agent, not to its own")
            .help("start a sub-task under it"));
    }
    let delegator = state.agent(parent.agent)?;
    delegator.must_be_active()?;
    let delegate = state.agent(ask.delegate)?;
    delegate.must_be_active()?;
    sandbox::must_not_be_built_in(delegate)?;
    must_be_of_one_environment(delegator, delegate)?;
    task::check_room(state, delegate)?;
    if parent.depth + 1 >= limits::TASK_DEPTH_MAX {
        return Err(narrow::too_deep());
    }
    if task::lineage(state, parent).any(|above| above.agent == ask.delegate) {
        let sentence = format!("`{}` is in the line that this task came down already", delegate.name);
        return Err(Refusal::new("actor_unauthorized", sentence).help("a task is not passed on in a circle"));
    }
    let key = own_key(state, parent, delegate, ask.key.as_deref())?;
    let purpose = ask.purpose.clone().unwrap_or_else(|| parent.purpose.clone());
    check_text("purpose", &purpose)?;
    let passed_on = passed_on(state, parent, delegate)?;
    // After what may be passed on at all: whoever is no delegate learns nothing of its agent's configuration here.
    configuration::must_be_approved(delegate, ask.configuration)?;
    let given = narrowed(parent, passed_on, ask)?;
    let life_seconds = task::life(Some(ask.ttl_seconds.unwrap_or(limits::TASK_SECONDS_MAX)))?;
    let left = parent.budget.calls_max.saturating_sub(parent.calls);
    if ask.calls_max.is_some_and(|calls| calls == 0 || calls > left) {
        return Err(narrow::wider_than_parent("do more"));
    }
    Ok(vec![Event::TaskStarted(Box::new(TaskStarted {
        acting_for: parent.acting_for,
        started_by: parent.started_by,
        scope: given.scope,
        parent: Some(parent.id),
        budget: Budget { calls_max: ask.calls_max.unwrap_or(left) },
        expires_at: at.now.plus_seconds(life_seconds).min(parent.expires_at),
        key: Some(key),
        authority: given.authority,
        delegation: given.delegation,
        configuration: ask.configuration,
        ..TaskStarted::begun(ask.delegate, &purpose, at)
    }))])
}

/// A delegate proves itself with a key of its own: whoever steals the delegator's key must not become its delegates too.
fn own_key(state: &State, parent: &Task, delegate: &Agent, key: Option<&str>) -> Result<String, Refusal> {
    let Some(key) = key else {
        return Err(Refusal::new("key_needed", "what is passed on is bound to the delegate's own key")
            .help("send a `DPoP` proof made with it, or call with the delegate's own certificate"));
    };
    if task::lineage(state, parent).any(|above| above.key.as_deref() == Some(key)) {
        return Err(Refusal::new("key_shared", "this key is the delegator's, and every agent has its own")
            .help("prove the delegate's own key"));
    }
    task::must_hold(state, delegate, key)?;
    Ok(key.to_owned())
}

/// Identities of different environments never mix, not by delegation either.
fn must_be_of_one_environment(delegator: &Agent, delegate: &Agent) -> Result<(), Refusal> {
    if delegator.profile.environment == delegate.profile.environment {
        return Ok(());
    }
    let sentence = format!("`{}` and `{}` are of different environments", delegator.name, delegate.name);
    Err(Refusal::new("token_environment", sentence).help("delegate within one environment"))
}

/// The parts of the parent's authority that this delegate may take over; one without operations bounds nothing.
fn passed_on(state: &State, parent: &Task, delegate: &Agent) -> Result<Vec<Authority>, Refusal> {
    let domain = state.realm.as_ref().map(|realm| realm.trust_domain.as_str()).unwrap_or_default();
    let id = delegate.spiffe_id(domain);
    let allowed = |authority: &&Authority| {
        authority.delegation.as_ref().is_some_and(|delegation| delegation.allows(&delegate.name, &id))
    };
    let whole = parent.whole();
    let parts = if parent.authority.is_empty() { std::slice::from_ref(&whole) } else { &parent.authority[..] };
    let parts: Vec<Authority> = parts.iter().filter(allowed).map(Authority::for_delegate).collect();
    if parts.is_empty() {
        let sentence = format!("nothing of the task `{}` may be passed on to `{}`", parent.id, delegate.name);
        return Err(Refusal::new("actor_unauthorized", sentence)
            .help("name the delegate when the first task is started: `--delegate NAME`"));
    }
    Ok(parts)
}

/// What the delegate's task will have.
struct Given {
    scope: Vec<OperationPattern>,
    authority: Vec<Authority>,
    delegation: Option<Delegation>,
}

fn narrowed(parent: &Task, passed_on: Vec<Authority>, ask: &DelegateTask) -> Result<Given, Refusal> {
    task::check_scope(&ask.scope)?;
    authority::check(&ask.authority)?;
    let in_scope =
        |pattern: &OperationPattern| parent.scope.is_empty() || parent.scope.iter().any(|own| own.contains(pattern));
    if !ask.scope.iter().all(in_scope) {
        return Err(narrow::wider_than_parent("reach further"));
    }
    let scope = if ask.scope.is_empty() { parent.scope.clone() } else { ask.scope.clone() };
    // A task without parts of authority is one whole, bounded by its scope alone.
    let whole = parent.authority.is_empty();
    if whole && ask.authority.is_empty() {
        let delegation = passed_on.into_iter().find_map(|authority| authority.delegation);
        return Ok(Given { scope, authority: Vec::new(), delegation });
    }
    if ask.authority.is_empty() {
        return Ok(Given { scope, authority: passed_on, delegation: None });
    }
    for own in &ask.authority {
        if whole && !own.operations.iter().all(in_scope) {
            return Err(narrow::wider_than_parent("reach further"));
        }
        let fits = |part: &Authority| if whole { part.delegation_holds(own) } else { own.within(part) };
        let refusals: Vec<String> = passed_on.iter().filter_map(|part| fits(part).err()).collect();
        if refusals.len() == passed_on.len() {
            let why = refusals.join("; ");
            return Err(Refusal::new(
                "wider_than_parent",
                format!("the authority asked for is wider than what is passed on: {why}"),
            )
            .help("ask for no more than the parent task has, with all its bounds"));
        }
    }
    Ok(Given { scope, authority: ask.authority.clone(), delegation: None })
}
