//! What is said about an agent, and who answers and approves for it.

use super::{Agent, AgentProfile, AgentStatus, check_profile, complete};
use crate::{Actor, AgentId, Edit, Event, Moment, PersonId, Refusal, State, change};

/// Changes the record of an agent. What would widen an active agent needs an administrator; its owner keeps the rest current.
pub(crate) fn decide_describe(
    state: &State,
    actor: &Actor,
    id: AgentId,
    profile: &AgentProfile,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    let agent = state.agent(id)?;
    if agent.is_gone() {
        agent.must_be_active()?;
    }
    check_profile(state, profile)?;
    if agent.status == AgentStatus::Quarantined {
        // Nobody answers for it yet: who shall is for an administrator to say, as often as it takes.
        actor.administrator(state)?;
    } else if agent.status != AgentStatus::Draft {
        complete(profile, at.now)?;
        if profile.reaches_further_than(&agent.profile) {
            actor.administrator(state).map_err(|_| {
                Refusal::new(
                    "widens_agent",
                    format!("this would let the agent `{}` do more than it was activated for", agent.name),
                )
                .help("class, environment, a higher autonomy, a higher class of data and asking for others need an administrator")
            })?;
        }
        if names_others(&agent.profile, profile) && !(state.is_founding() && actor.administrator(state).is_ok()) {
            return described_but_for_approvers(state, actor, agent, profile, at);
        }
    }
    Ok(vec![Event::AgentDescribed { agent: id, profile: Box::new(profile.clone()) }])
}

/// Whether somebody would answer or approve for the agent who does not do so now.
fn names_others(before: &AgentProfile, after: &AgentProfile) -> bool {
    after.owner != before.owner || after.approvers.iter().any(|person| !before.approvers.contains(person))
}

/// Who answers and approves for an active agent is for somebody else to agree to; the rest of the description is done.
fn described_but_for_approvers(
    state: &State,
    actor: &Actor,
    agent: &Agent,
    profile: &AgentProfile,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let Some(owner) = profile.owner else { return Err(Refusal::new("no_owner", "an active agent has an owner")) };
    let kept =
        AgentProfile { owner: agent.profile.owner, approvers: agent.profile.approvers.clone(), ..profile.clone() };
    let mut events = Vec::new();
    if kept != agent.profile {
        events.push(Event::AgentDescribed { agent: agent.id, profile: Box::new(kept) });
    }
    let edit = Edit::Approvers { agent: agent.id, owner, approvers: profile.approvers.clone() };
    let reason = format!("change who answers and approves for the agent `{}`", agent.name);
    events.extend(change::settle(state, actor, vec![edit], &reason, at)?);
    Ok(events)
}

/// What happens if these people answer and approve for an agent.
pub(crate) fn approvers_set(
    state: &State,
    id: AgentId,
    owner: PersonId,
    approvers: &[PersonId],
) -> Result<Event, Refusal> {
    let agent = state.agent(id)?;
    if agent.is_gone() {
        agent.must_be_active()?;
    }
    let profile = AgentProfile { owner: Some(owner), approvers: approvers.to_vec(), ..agent.profile.clone() };
    check_profile(state, &profile)?;
    Ok(Event::AgentDescribed { agent: id, profile: Box::new(profile) })
}
