//! Grants: who may use which operations, until when, and who said so.
//!
//! A grant is data that people review; policies are rules that people review. A grant alone permits nothing: the starter
//! policy that says "a live grant permits" does, and every other policy may narrow it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::{check_note, check_text};
use crate::state::{Deadline, Ended};
use crate::{
    Actor, Agent, AgentId, Event, GrantId, Moment, OperationName, OperationPattern, PersonId, Refusal, State, TaskId,
    Timestamp, limits,
};

pub(crate) mod access;
#[cfg(test)]
mod tests;

use access::AccessStatus;

/// An entitlement of one agent to some operations, always with an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    pub id: GrantId,
    pub agent: AgentId,
    pub operations: Vec<OperationPattern>,
    pub reason: String,
    /// The person who asked; nobody where the agent itself did, under `task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<PersonId>,
    pub approved_by: PersonId,
    pub expires_at: Timestamp,
    /// The one task for whose calls it counts; nothing: for all that the agent does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
}

impl Grant {
    /// Whether this grant covers `operation` at `now`.
    pub fn covers(&self, operation: &OperationName, now: Timestamp) -> bool {
        now < self.expires_at && self.operations.iter().any(|pattern| pattern.covers(operation))
    }
}

impl Grant {
    /// Whether it names exactly this operation, and not all of its connector.
    pub fn names_exactly(&self, operation: &OperationName) -> bool {
        self.operations.iter().any(|pattern| pattern.as_str() == operation.as_str())
    }
}

/// A grant that waits for somebody who may approve it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GrantRequest {
    /// The id that the grant will have.
    pub id: GrantId,
    pub agent: AgentId,
    pub operations: Vec<OperationPattern>,
    pub reason: String,
    /// The person who asked; nobody where the agent itself did, under `task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<PersonId>,
    pub requested_at: Timestamp,
    pub ttl_seconds: u64,
    /// The one task that it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
}

/// Asks for a grant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestGrant {
    pub agent: AgentId,
    pub operations: Vec<OperationPattern>,
    pub reason: String,
    pub ttl_seconds: u64,
}

pub(crate) fn decide_request(
    state: &State,
    actor: &Actor,
    request: &RequestGrant,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let requested_by = actor.person()?;
    state.person(requested_by)?;
    let agent = state.agent(request.agent)?;
    if agent.is_gone() {
        agent.must_be_active()?;
    }
    check_text("reason", &request.reason)?;
    check_patterns(state, &request.operations)?;
    if request.ttl_seconds == 0 || request.ttl_seconds > limits::GRANT_SECONDS_MAX {
        return Err(Refusal::new("grant_too_long", "a grant always has an end, at most 180 days away")
            .help("ask for less time"));
    }
    Ok(vec![Event::GrantRequested(Box::new(GrantRequest {
        id: at.fresh_id(),
        agent: request.agent,
        operations: request.operations.clone(),
        reason: request.reason.clone(),
        requested_by: Some(requested_by),
        requested_at: at.now,
        ttl_seconds: request.ttl_seconds,
        task: None,
    }))])
}

fn check_patterns(state: &State, patterns: &[OperationPattern]) -> Result<(), Refusal> {
    if patterns.is_empty() || patterns.len() > limits::PATTERNS_MAX {
        return Err(Refusal::new(
            "grant_too_wide",
            format!("a grant names between 1 and {} operations", limits::PATTERNS_MAX),
        ));
    }
    for pattern in patterns {
        let known = state.operations.keys().any(|operation| pattern.covers(operation));
        if !known {
            return Err(Refusal::new(
                "operation_unknown",
                format!("no approved operation is covered by `{}`", pattern.as_str()),
            )
            .help("`remit connector tools` shows what there is"));
        }
    }
    Ok(())
}

pub(crate) fn decide_approve(state: &State, actor: &Actor, id: GrantId, at: &Moment) -> Result<Vec<Event>, Refusal> {
    let approved_by = actor.person()?;
    state.person(approved_by)?;
    let request = state.grant_requests.get(&id).ok_or_else(|| Refusal::unknown("grant", id))?;
    must_be_able_to_answer(state, request, approved_by)?;
    let agent = state.agent(request.agent)?;
    let mut expires_at = at.now.plus_seconds(request.ttl_seconds);
    if let Some(task) = request.task {
        let task = state.task(task)?;
        task.must_be_alive(at.now)?;
        agent.must_be_active()?;
        expires_at = expires_at.min(task.expires_at);
    } else if agent.is_gone() {
        agent.must_be_active()?;
    }
    Ok(vec![Event::GrantGiven(Box::new(Grant {
        id,
        agent: request.agent,
        operations: request.operations.clone(),
        reason: request.reason.clone(),
        requested_by: request.requested_by,
        approved_by,
        expires_at,
        task: request.task,
    }))])
}

/// Whether `person` may say yes to `request`: somebody else than who asked, who approves for the agent; where a task asks, for every agent
/// that passed it on too, and it is neither theirs nor in their name.
///
/// # Errors
/// `self_approval`, `approver_is_acted_for` or `not_an_approver`, each with who may instead.
pub fn must_be_able_to_answer(state: &State, request: &GrantRequest, person: PersonId) -> Result<(), Refusal> {
    if request.requested_by == Some(person) {
        return Err(Refusal::new("self_approval", "a grant cannot be approved by the person who asked for it")
            .help("ask the agent's owner or one of its approvers"));
    }
    must_approve_for(state.agent(request.agent)?, person)?;
    match request.task {
        Some(task) => access::must_be_able_to_answer(state, state.task(task)?, person),
        None => Ok(()),
    }
}

fn must_approve_for(agent: &Agent, person: PersonId) -> Result<(), Refusal> {
    if agent.grants_approved_by(person) {
        return Ok(());
    }
    Err(Refusal::new("not_an_approver", format!("you may not approve grants for the agent `{}`", agent.name))
        .help(format!("`remit agent card {}` lists who may", agent.name)))
}

pub(crate) fn decide_deny(state: &State, actor: &Actor, id: GrantId, note: &str) -> Result<Vec<Event>, Refusal> {
    let by = actor.person()?;
    check_note("note", note)?;
    let request = state.grant_requests.get(&id).ok_or_else(|| Refusal::unknown("grant", id))?;
    // Whoever asked may take it back; whoever may approve, or is concerned by the task, may refuse: saying no is never dangerous.
    let task = request.task.and_then(|task| state.tasks.get(&task));
    let is_theirs = task.is_some_and(|task| task.started_by == Some(by) || task.acting_for == Some(by));
    if request.requested_by != Some(by) && !is_theirs && !state.agent(request.agent)?.grants_approved_by(by) {
        actor.administrator(state)?;
    }
    Ok(vec![Event::GrantRequestDenied { grant: id, by, note: note.to_owned() }])
}

/// Ends a grant: felt by the very next decision.
pub(crate) fn decide_revoke(state: &State, actor: &Actor, id: GrantId, reason: &str) -> Result<Vec<Event>, Refusal> {
    check_text("reason", reason)?;
    if reason == access::TASK_ENDED {
        // A receipt knows by these words what ended with a task.
        return Err(Refusal::new("reason_reserved", format!("`{reason}` is what Remit itself writes"))
            .help("say in your own words why it is taken away"));
    }
    // Revoking what has ended is not an error: whoever asked wants it gone, and it is.
    let Some(grant) = state.grants.get(&id) else { return Ok(Vec::new()) };
    let person = actor.person()?;
    if !state.agent(grant.agent)?.grants_approved_by(person) {
        actor.administrator(state)?;
    }
    Ok(vec![Event::GrantRevoked { agent: grant.agent, grant: id, reason: reason.to_owned() }])
}

pub(crate) fn apply_requested(state: &mut State, request: &GrantRequest) {
    state.grant_requests.insert(request.id, Arc::new(request.clone()));
    match request.task {
        Some(_) => access::apply_requested(state, request),
        // A request that nobody answered is dropped like anything else that has ended; that of a task ends with it.
        None => state.forget_later(Ended::Request(request.id), request.requested_at.plus_seconds(7 * 24 * 3600)),
    }
}

pub(crate) fn apply_request_denied(state: &mut State, id: GrantId, by: PersonId, note: &str) {
    let Some(request) = state.grant_requests.remove(&id) else { return };
    access::apply_denied(state, &request, note);
    if let Some(task) = request.task {
        access::apply_status(state, task, id, AccessStatus::Denied { by, note: note.to_owned() });
    }
}

/// A grant of one task is found by that task alone: who asks what the agent may do in general does not meet it.
pub(crate) fn apply_given(state: &mut State, grant: &Grant) {
    state.grant_requests.remove(&grant.id);
    match grant.task {
        Some(task) => {
            let given = AccessStatus::Given { by: grant.approved_by, until: grant.expires_at };
            access::apply_status(state, task, grant.id, given);
        }
        None => {
            state.grants_by_agent.entry(grant.agent).or_default().push_back(grant.id);
            for pattern in &grant.operations {
                state.grants_by_pattern.entry(pattern.clone()).or_default().insert((grant.agent, grant.id));
            }
        }
    }
    state.deadlines.insert((grant.expires_at, Deadline::Grant(grant.id)));
    state.grants.insert(grant.id, Arc::new(grant.clone()));
}

pub(crate) fn apply_ended(state: &mut State, id: GrantId) {
    let Some(grant) = state.grants.remove(&id) else { return };
    state.deadlines.remove(&(grant.expires_at, Deadline::Grant(id)));
    if let Some(task) = grant.task {
        access::apply_status(state, task, id, AccessStatus::Ended);
        return;
    }
    if let Some(own) = state.grants_by_agent.get_mut(&grant.agent) {
        own.retain(|other| *other != id);
        if own.is_empty() {
            state.grants_by_agent.remove(&grant.agent);
        }
    }
    for pattern in &grant.operations {
        if let Some(holders) = state.grants_by_pattern.get_mut(pattern) {
            holders.remove(&(grant.agent, id));
            if holders.is_empty() {
                state.grants_by_pattern.remove(pattern);
            }
        }
    }
}
