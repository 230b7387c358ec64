//! People and agents: who reaches through an agent what it reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::{Agent, PersonId, State, limits};

/// Why a person reaches something through an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// They own it, and so start its tasks.
    Owner,
    /// They approve its grants, and its actions where a rule asks for the role.
    Approver,
    /// They started a live task of it.
    Started,
    /// A live task of it acts for them.
    ActsFor,
}

/// A person who reaches something through an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    pub person: PersonId,
    pub ties: BTreeSet<Tie>,
}

/// Who reaches through `agent` what it reaches, at most [`limits::WHO_PEOPLE_MAX`]; and whether there are more.
pub fn people_through(state: &State, agent: &Agent) -> (Vec<Through>, bool) {
    let mut found: BTreeMap<PersonId, BTreeSet<Tie>> = BTreeMap::new();
    let owner = agent.profile.owner.map(|owner| (owner, Tie::Owner));
    let approvers = agent.profile.approvers.iter().map(|approver| (*approver, Tie::Approver));
    let started = state.live_tasks_of(agent.id).filter_map(|task| Some((task.started_by?, Tie::Started)));
    let for_whom = state.live_tasks_of(agent.id).filter_map(|task| Some((task.acting_for?, Tie::ActsFor)));
    for (person, tie) in owner.into_iter().chain(approvers).chain(started).chain(for_whom) {
        found.entry(person).or_default().insert(tie);
    }
    let more = found.len() > limits::WHO_PEOPLE_MAX;
    let people = found.into_iter().take(limits::WHO_PEOPLE_MAX);
    (people.map(|(person, ties)| Through { person, ties }).collect(), more)
}

/// The active agents through which `person` reaches what they reach, by name.
pub(super) fn agents_of(state: &State, person: PersonId) -> Vec<&Arc<Agent>> {
    let concerned = |of: Option<PersonId>| of == Some(person);
    let at_work: BTreeSet<_> = state
        .live_tasks()
        .filter(|task| concerned(task.started_by) || concerned(task.acting_for))
        .map(|task| task.agent)
        .collect();
    let is_tied = |agent: &&Arc<Agent>| {
        concerned(agent.profile.owner) || agent.profile.approvers.contains(&person) || at_work.contains(&agent.id)
    };
    let active = |agent: &&Arc<Agent>| agent.must_be_active().is_ok();
    let mut agents: Vec<_> = state.agents.values().filter(is_tied).filter(active).collect();
    agents.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    agents
}
