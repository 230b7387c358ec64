//! What an agent reaches, and what a person reaches only through agents.

use std::sync::Arc;

use super::held::Held;
use super::inquiry::{Inquiry, Subject};
use super::people::agents_of;
use super::{Reached, Walk};
use crate::{AgentId, Operation, OperationName, OperationPattern, PersonId, Refusal, State, Timestamp, limits};

/// Every operation, one after the other by name: reached, or nothing where it is not.
#[derive(Debug)]
pub struct Reaches<'a> {
    inquiry: Inquiry<'a>,
    /// Nobody where the agent is not active, and so can call nothing.
    subject: Option<(Subject<'a>, Held<'a>)>,
    operations: std::vec::IntoIter<&'a Arc<Operation>>,
    total: usize,
    place: Option<&'a str>,
}

/// What `agent` reaches, from the operation after the name `after` on. An agent that is not active reaches nothing.
///
/// # Errors
/// If there is no such agent, or nothing can be decided.
pub fn what_agent_reaches<'a>(
    state: &'a State,
    agent: AgentId,
    after: Option<&str>,
    now: Timestamp,
) -> Result<Reaches<'a>, Refusal> {
    let agent = state.agent(agent)?;
    let inquiry = Inquiry::of(state, now)?;
    let subject = agent.must_be_active().is_ok().then(|| (inquiry.subject(agent), Held::by(state, agent.id, now)));
    let operations = available(state, after, |_| true);
    Ok(Reaches { inquiry, subject, total: operations.len(), operations: operations.into_iter(), place: None })
}

/// The operations that can be called at all, by name.
pub(super) fn available<'a>(
    state: &'a State,
    after: Option<&str>,
    wanted: impl Fn(&OperationName) -> bool,
) -> Vec<&'a Arc<Operation>> {
    let all = state.operations.values().filter(|operation| operation.withdrawn.is_none());
    let after = all.filter(|operation| after.is_none_or(|after| operation.name.as_str() > after));
    let mut found: Vec<_> = after.filter(|operation| wanted(&operation.name)).collect();
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    found
}

impl Walk for Reaches<'_> {
    type Found = Reached;

    fn step(&mut self) -> Option<Option<Reached>> {
        let operation = self.operations.next()?;
        self.place = Some(operation.name.as_str());
        let Some((subject, held)) = &mut self.subject else { return Some(None) };
        let mut target = self.inquiry.target(operation);
        Some(self.inquiry.reached(subject, &mut target, held.covering(&operation.name)))
    }

    fn place(&self) -> Option<&str> {
        self.place
    }

    fn total(&self) -> usize {
        self.total
    }
}

/// An operation that a person reaches through agents and not directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beyond {
    pub operation: OperationName,
    /// The first few agents that reach it, by name.
    pub through: Vec<(AgentId, Reached)>,
    /// How many agents of theirs reach it.
    pub agents: usize,
}

/// Every operation that a person may not use directly, one after the other by name.
#[derive(Debug)]
pub struct BeyondReaches<'a> {
    inquiry: Inquiry<'a>,
    entitlements: Option<&'a [OperationPattern]>,
    agents: Vec<(Subject<'a>, Held<'a>)>,
    operations: std::vec::IntoIter<&'a Arc<Operation>>,
    total: usize,
    place: Option<&'a str>,
}

/// What `person` reaches through agents that they cannot reach directly, from the operation after the name `after` on.
///
/// # Errors
/// If there is no such person, or nothing can be decided.
pub fn what_person_reaches<'a>(
    state: &'a State,
    person: PersonId,
    after: Option<&str>,
    now: Timestamp,
) -> Result<BeyondReaches<'a>, Refusal> {
    let person = state.person(person)?;
    let inquiry = Inquiry::of(state, now)?;
    let agents = agents_of(state, person.id);
    let agents = agents.into_iter().map(|agent| (inquiry.subject(agent), Held::by(state, agent.id, now))).collect();
    let operations = available(state, after, |operation| person.is_entitled(operation) != Some(true));
    let entitlements = person.entitlements.as_deref();
    Ok(BeyondReaches {
        inquiry,
        entitlements,
        agents,
        total: operations.len(),
        operations: operations.into_iter(),
        place: None,
    })
}

impl BeyondReaches<'_> {
    /// What the person may use directly; nothing if that is not on record, so that everything counts as beyond them.
    pub fn entitlements(&self) -> Option<&[OperationPattern]> {
        self.entitlements
    }

    /// How many active agents the person reaches anything through.
    pub fn agents(&self) -> usize {
        self.agents.len()
    }
}

impl Walk for BeyondReaches<'_> {
    type Found = Beyond;

    fn step(&mut self) -> Option<Option<Beyond>> {
        let operation = self.operations.next()?;
        self.place = Some(operation.name.as_str());
        let mut target = self.inquiry.target(operation);
        let mut beyond = Beyond { operation: operation.name.clone(), through: Vec::new(), agents: 0 };
        for (subject, held) in &mut self.agents {
            if let Some(reached) = self.inquiry.reached(subject, &mut target, held.covering(&operation.name)) {
                beyond.agents += 1;
                if beyond.through.len() < limits::WHO_EXAMPLES {
                    beyond.through.push((subject.agent.id, reached));
                }
            }
        }
        Some((beyond.agents > 0).then_some(beyond))
    }

    fn place(&self) -> Option<&str> {
        self.place
    }

    fn total(&self) -> usize {
        self.total
    }
}
