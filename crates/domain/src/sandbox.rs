//! The sandbox: connectors for experiments, and the built-in agent in whose name a caller without a token may try them.
//!
//! INVARIANT: a sandbox and the rest never mix. What is marked as sandbox is reached only by agents of that environment, and the
//! built-in agent reaches nothing else, whatever grants and policies say.

use std::sync::Arc;

use crate::agent::AgentRegistered;
use crate::task::{TaskStarted, end_tree, within_budget};
use crate::{
    Actor, Agent, AgentId, AgentProfile, AgentStatus, Budget, Class, DataClass, EndReason, Environment, Event, Moment,
    Operation, PersonId, Refusal, State, Task, Timestamp, limits,
};

#[cfg(test)]
mod tests;

/// The name of the built-in agent. No person registers an agent of this name.
pub const SANDBOX: &str = "sandbox";
/// The name of the starter policy that permits in the sandbox without grants.
const POLICY: &str = "sandbox";
/// The rule in it that permits.
const RULE: &str = "sandbox-permits-sandbox";
const PURPOSE: &str = "experiments and outside test suites";

impl State {
    /// The live task of the built-in agent, under which a caller without a token acts. Its time may be over:
    /// [`OpenSandbox`](crate::Command::OpenSandbox) renews it.
    pub fn sandbox_task(&self) -> Option<&Arc<Task>> {
        let agent = self.agents_by_name.get(SANDBOX)?;
        // An agent of this name from before the name was reserved may have tasks of its own.
        let own = |task: &&Arc<Task>| {
            task.purpose == PURPOSE && task.started_by.is_none() && task.acting_for.is_none() && task.key.is_none()
        };
        self.live_tasks_of(*agent).filter(own).max_by_key(|task| (task.expires_at, task.id))
    }

    /// Whether the starter policy is active that lets agents of the sandbox use what is marked as sandbox. Without it, and
    /// without grants, every such call is denied; `remit policy propose` adds it to a realm that is older than it.
    pub fn has_sandbox_policy(&self) -> bool {
        self.policies.sources.contains_key(POLICY)
    }

    /// The rule by which `agent` may use what is marked as sandbox without a grant, if there is one for it. Other rules may
    /// still narrow what it permits.
    pub fn sandbox_permit(&self, agent: &Agent) -> Option<&'static str> {
        let rule = self.compiled().set.as_ref()?.rule(RULE)?;
        let is_there = agent.profile.environment == Some(Environment::Sandbox);
        (is_there && rule.effect == remit_policy::Effect::Permit).then_some(RULE)
    }
}

/// Refuses what would cross the border of the sandbox, in either direction.
pub(crate) fn must_not_cross(state: &State, agent: &Agent, operation: &Operation) -> Result<(), Refusal> {
    let marked = state.is_sandbox(operation.name.connector());
    if marked && agent.profile.environment != Some(Environment::Sandbox) {
        let sentence = format!("the connector of `{}` is only for agents of the environment `sandbox`", operation.name);
        return Err(Refusal::new("sandbox_only", sentence).help("register an agent whose environment is `sandbox`"));
    }
    if !marked && agent.name == SANDBOX {
        let sentence = format!("the agent `{SANDBOX}` reaches only connectors that are marked as sandbox");
        return Err(Refusal::new("sandbox_only", sentence)
            .help("add the connector with `--sandbox`, or run an agent of your own with `remit run`"));
    }
    Ok(())
}

/// Refuses what would make the built-in agent somebody's own: tasks, tokens and keys for it are Remit's alone.
pub(crate) fn must_not_be_built_in(agent: &Agent) -> Result<(), Refusal> {
    if agent.name != SANDBOX {
        return Ok(());
    }
    Err(Refusal::new(
        "built_in_agent",
        format!("the agent `{SANDBOX}` is Remit's own and gets no tasks, tokens or keys"),
    )
    .help("register an agent of your own, in the environment `sandbox`"))
}

/// Makes sure that the built-in agent is there and active, and that it has one live task. `owner` answers for it: the
/// administrator who started Remit with a sandbox. Nothing happens if all is as it should be.
pub(crate) fn decide_open(state: &State, actor: &Actor, owner: PersonId, at: &Moment) -> Result<Vec<Event>, Refusal> {
    if *actor != Actor::Remit {
        return Err(Refusal::new("not_permitted", "only Remit itself opens its sandbox").help("start it with `--dev`"));
    }
    if !state.person(owner)?.is_administrator() {
        return Err(Refusal::new("not_permitted", "only an administrator answers for the sandbox"));
    }
    let Some(agent) = state.agents_by_name.get(SANDBOX).and_then(|id| state.agents.get(id)) else {
        let agent = at.fresh_id();
        let registered = AgentRegistered { agent, name: SANDBOX.to_owned(), profile: profile(owner, at.now) };
        return Ok(vec![
            Event::AgentRegistered(Box::new(registered)),
            Event::AgentActivated { agent },
            begin(agent, at),
        ]);
    };
    let mut events = awaken(agent, at.now)?;
    if let Some(task) = state.sandbox_task()
        && task.must_be_alive(at.now).is_ok()
        && within_budget(state, task).is_ok()
    {
        return Ok(events);
    }
    let over: Vec<_> = state.live_tasks_of(agent.id).map(|task| task.id).collect();
    events.extend(over.into_iter().flat_map(|task| end_tree(state, task, &EndReason::Expired)));
    events.push(begin(agent.id, at));
    Ok(events)
}

/// What keeps the agent active, or makes it so again where only time stopped it. Where a person did, a person has to say so.
fn awaken(agent: &Agent, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    // Remit's own is never a draft, has no keys and stays in its environment.
    let changed = agent.profile.environment != Some(Environment::Sandbox) || !agent.keys.is_empty();
    if changed || agent.status == AgentStatus::Draft {
        let sentence = format!("the agent `{SANDBOX}` is not the built-in one: a person has registered or changed it");
        return Err(Refusal::new("name_taken", sentence)
            .help("activate it in the environment `sandbox` and without keys, or start Remit without `--dev`"));
    }
    let overdue = agent.profile.review_at.is_none_or(|review_at| review_at <= now);
    if agent.is_gone() || !overdue {
        return agent.must_be_active().map(|()| Vec::new());
    }
    let profile = AgentProfile { review_at: Some(review_at(now)), ..agent.profile.clone() };
    let mut events = vec![Event::AgentDescribed { agent: agent.id, profile: Box::new(profile) }];
    if agent.status == AgentStatus::Suspended {
        events.push(Event::AgentResumed { agent: agent.id });
    }
    Ok(events)
}

/// An ordinary acting agent, as far as the starter policies go, that never touches confidential data.
fn profile(owner: PersonId, now: Timestamp) -> AgentProfile {
    AgentProfile {
        owner: Some(owner),
        approvers: Vec::new(),
        purpose: PURPOSE.to_owned(),
        class: Some(Class::Act),
        autonomy: Some(3),
        data_classes: vec![DataClass::D0, DataClass::D1],
        environment: Some(Environment::Sandbox),
        review_at: Some(review_at(now)),
        enforcer: false,
    }
}

fn review_at(now: Timestamp) -> Timestamp {
    now.plus_seconds(limits::SANDBOX_REVIEW_SECONDS)
}

/// Nobody is named as having started it, so that the owner may answer for what it asks.
fn begin(agent: AgentId, at: &Moment) -> Event {
    Event::TaskStarted(Box::new(TaskStarted {
        budget: Budget { calls_max: limits::TASK_CALLS_MAX },
        expires_at: at.now.plus_seconds(limits::TASK_SECONDS_MAX),
        ..TaskStarted::begun(agent, PURPOSE, at)
    }))
}
