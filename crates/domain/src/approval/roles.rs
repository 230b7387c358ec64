//! Who answers: the roles that people have where an action is concerned, and whether those are enough.

use super::{Approval, Ask, Vote};
use crate::{
    ADMINISTRATORS, ActionFacts, Agent, AgentId, DataClass, OperationName, Person, PersonId, Refusal, State, Task,
    Timestamp, task,
};

#[cfg(test)]
mod tests;

/// The roles that `person` has where `agent` is concerned.
pub(crate) fn roles_of(person: &Person, agent: &Agent) -> Vec<String> {
    let mut roles = person.groups.clone();
    if agent.profile.owner == Some(person.id) {
        roles.push("owner".to_owned());
    }
    if agent.profile.approvers.contains(&person.id) {
        roles.push("approver".to_owned());
    }
    roles
}

/// The roles that `person` has where `task` is concerned. What was passed on from agent to agent concerns all of them: `owner`
/// and `approver` count only for who is that of each, so that nobody gets round their own approvers by choosing a delegate.
fn own_roles(state: &State, person: &Person, task: &Task, named: Option<AgentId>) -> Result<Vec<String>, Refusal> {
    let mut roles = roles_of(person, state.agent(task.agent)?);
    let above = task::lineage(state, task).map(|above| above.agent).chain(named);
    for above in above.filter(|above| *above != task.agent) {
        let there = roles_of(person, state.agent(above)?);
        roles.retain(|role| there.contains(role));
    }
    Ok(roles)
}

/// The roles that `person` has here, their own and those of whoever is absent and named them; and who that is. Who may not answer
/// themselves, or has answered, gives nobody the right to: what one person may say counts once.
pub(super) fn roles_for(
    state: &State,
    person: &Person,
    task: &Task,
    approval: &Approval,
    now: Timestamp,
) -> Result<(Vec<String>, Vec<PersonId>), Refusal> {
    let facts = &approval.facts;
    let mut roles = own_roles(state, person, task, facts.named)?;
    let mut deputy_of = Vec::new();
    for absent in state.absent_for(person.id, now) {
        if must_be_independent(state, facts, absent.id).is_err() || approval.has_answer_of(absent.id) {
            continue;
        }
        let theirs = own_roles(state, absent, task, facts.named)?;
        let further: Vec<String> = theirs.into_iter().filter(|role| !roles.contains(role)).collect();
        if !further.is_empty() {
            deputy_of.push(absent.id);
            roles.extend(further);
        }
    }
    Ok((roles, deputy_of))
}

/// Nobody answers for what they asked for, or for what is done in their own name.
pub(super) fn must_be_independent(state: &State, facts: &ActionFacts, person: PersonId) -> Result<(), Refusal> {
    if facts.acting_for == Some(person) {
        return Err(Refusal::new("approver_is_acted_for", "you cannot approve what is done in your own name")
            .help("somebody else has to answer"));
    }
    let started_by = state.tasks.get(&facts.task).and_then(|task| task.started_by);
    if started_by == Some(person) {
        return Err(Refusal::new("self_approval", "you cannot approve what you asked for: you started this task")
            .help("somebody else has to answer"));
    }
    Ok(())
}

/// Whether enough people exist who could say yes: a question that nobody can answer is refused at once, with what to do.
///
/// Deputies are not counted: whom they answer for is.
pub(crate) fn somebody_can_answer(state: &State, task: &Task, facts: &ActionFacts, ask: &Ask) -> Result<(), Refusal> {
    let able = state
        .people
        .values()
        .filter(|person| facts.acting_for != Some(person.id) && task.started_by != Some(person.id))
        .map(|person| own_roles(state, person, task, facts.named))
        .filter(|roles| roles.as_ref().map_or(true, |roles| ask.is_of(roles)))
        .collect::<Result<Vec<_>, _>>()?;
    let quorum = ask.quorum.max(1);
    if ask.is_met_by(able.iter()) {
        return Ok(());
    }
    let sentence =
        format!("this needs {quorum} of {} to approve, and there are not enough independent people", ask.in_words());
    Err(Refusal::new("no_approver", sentence)
        .help("add a person with `remit person add NAME --group GROUP`, or name another approver of this agent"))
}

/// How confidential what `operation` touches is; what nobody classified is restricted.
fn data_of(state: &State, operation: &OperationName) -> DataClass {
    state.operations.get(operation).map_or(DataClass::D3, |operation| operation.data)
}

/// The question as it is put: where data is confidential, whoever owns the agent does not answer alone for what is their own. Then one
/// person more is needed, who approves for the agent or administers the realm.
///
/// INVARIANT: an agent's sponsor alone never approves at D2 and above (the access patterns say `never`).
pub(crate) fn with_somebody_else(
    state: &State,
    task: &Task,
    named: Option<AgentId>,
    operation: &OperationName,
    ask: Ask,
) -> Ask {
    if data_of(state, operation) < DataClass::D2 {
        return ask;
    }
    let owner = state.agents.get(&task.agent).and_then(|agent| agent.profile.owner);
    let owner = owner.and_then(|owner| state.people.get(&owner));
    let roles = owner.and_then(|owner| own_roles(state, owner, task, named).ok());
    if !roles.is_some_and(|roles| ask.is_met_by(std::iter::once(&roles))) {
        return ask;
    }
    let within_seconds = ask.within_seconds;
    let somebody = vec!["approver".to_owned(), ADMINISTRATORS.to_owned()];
    ask.and(Ask { policies: Vec::new(), approvers: vec![somebody], quorums: Vec::new(), quorum: 2, within_seconds })
}

/// Whether these votes are all that is needed; where data is confidential, the owner's own is never all. Who became what is asked
/// for only after the question was put counts like anybody.
pub(super) fn are_enough(state: &State, approval: &Approval, votes: &[Vote]) -> bool {
    let owner = state.agents.get(&approval.facts.agent).and_then(|agent| agent.profile.owner);
    let somebody_else = votes.iter().any(|vote| Some(vote.person) != owner);
    approval.ask.is_met_by(votes.iter().map(|vote| &vote.roles))
        && (somebody_else || data_of(state, &approval.facts.operation) < DataClass::D2)
}
