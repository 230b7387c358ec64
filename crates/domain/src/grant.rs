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
    Actor, AgentId, Event, GrantId, Moment, OperationName, OperationPattern, PersonId, Refusal, State, Timestamp,
    limits,
};

#[cfg(test)]
mod tests;

/// An entitlement of one agent to some operations, always with an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    pub id: GrantId,
    pub agent: AgentId,
    pub operations: Vec<OperationPattern>,
    pub reason: String,
    pub requested_by: PersonId,
    pub approved_by: PersonId,
    pub expires_at: Timestamp,
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
    pub requested_by: PersonId,
    pub requested_at: Timestamp,
    pub ttl_seconds: u64,
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
        requested_by,
        requested_at: at.now,
        ttl_seconds: request.ttl_seconds,
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
    if request.requested_by == approved_by {
        return Err(Refusal::new("self_approval", "a grant cannot be approved by the person who asked for it")
            .help("ask the agent's owner or one of its approvers"));
    }
    let agent = state.agent(request.agent)?;
    if !agent.grants_approved_by(approved_by) {
        return Err(Refusal::new(
            "not_an_approver",
            format!("you may not approve grants for the agent `{}`", agent.name),
        )
        .help(format!("`remit agent card {}` lists who may", agent.name)));
    }
    if agent.is_gone() {
        agent.must_be_active()?;
    }
    Ok(vec![Event::GrantGiven(Box::new(Grant {
        id,
        agent: request.agent,
        operations: request.operations.clone(),
        reason: request.reason.clone(),
        requested_by: request.requested_by,
        approved_by,
        expires_at: at.now.plus_seconds(request.ttl_seconds),
    }))])
}

pub(crate) fn decide_deny(state: &State, actor: &Actor, id: GrantId, note: &str) -> Result<Vec<Event>, Refusal> {
    let by = actor.person()?;
    check_note("note", note)?;
    let request = state.grant_requests.get(&id).ok_or_else(|| Refusal::unknown("grant", id))?;
    // Whoever asked may take it back; whoever may approve may refuse.
    if request.requested_by != by && !state.agent(request.agent)?.grants_approved_by(by) {
        actor.administrator(state)?;
    }
    Ok(vec![Event::GrantRequestDenied { grant: id, by, note: note.to_owned() }])
}

/// Ends a grant: felt by the very next decision.
pub(crate) fn decide_revoke(state: &State, actor: &Actor, id: GrantId, reason: &str) -> Result<Vec<Event>, Refusal> {
    check_text("reason", reason)?;
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
    // A request that nobody answered is dropped like anything else that has ended.
    state.forget_later(Ended::Request(request.id), request.requested_at.plus_seconds(7 * 24 * 3600));
}

pub(crate) fn apply_request_denied(state: &mut State, id: GrantId) {
    state.grant_requests.remove(&id);
}

pub(crate) fn apply_given(state: &mut State, grant: &Grant) {
    state.grant_requests.remove(&grant.id);
    state.grants_by_agent.entry(grant.agent).or_default().push_back(grant.id);
    for pattern in &grant.operations {
        state.grants_by_pattern.entry(pattern.clone()).or_default().insert((grant.agent, grant.id));
    }
    state.deadlines.insert((grant.expires_at, Deadline::Grant(grant.id)));
    state.grants.insert(grant.id, Arc::new(grant.clone()));
}

pub(crate) fn apply_ended(state: &mut State, id: GrantId) {
    let Some(grant) = state.grants.remove(&id) else { return };
    state.deadlines.remove(&(grant.expires_at, Deadline::Grant(id)));
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
