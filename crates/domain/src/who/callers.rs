//! Who can call an operation, and who can see a class of data.

use std::collections::HashMap;
use std::sync::Arc;

use super::held::Held;
use super::inquiry::{Inquiry, Subject, Target};
use super::{Reached, Walk};
use crate::{
    Agent, DataClass, Operation, OperationName, OperationPattern, Person, PersonId, Refusal, State, Timestamp, limits,
};

/// An agent that can call what was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub agent: Arc<Agent>,
    /// What it reaches of it: the one operation, or the first few.
    pub reaches: Vec<Reached>,
    /// Whether there may be more of it than was looked for.
    pub more: bool,
}

/// A person who may use some of what was asked about themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitled {
    pub person: PersonId,
    pub name: String,
    /// What of their entitlements covers it.
    pub operations: Vec<OperationPattern>,
}

/// Every agent, one after the other by name: a caller, or nothing where it cannot.
#[derive(Debug)]
pub struct Callers<'a> {
    inquiry: Inquiry<'a>,
    targets: Vec<Target<'a>>,
    by_name: HashMap<&'a str, usize>,
    by_connector: HashMap<&'a str, Vec<usize>>,
    /// What each kind of agent reaches without a grant.
    without_grant: HashMap<u32, Arc<[usize]>>,
    agents: std::vec::IntoIter<&'a Arc<Agent>>,
    total: usize,
    place: Option<&'a str>,
}

/// Who can call `operation`, from the agent after the name `after` on.
///
/// # Errors
/// If there is no such operation, or nothing can be decided.
pub fn who_can_call<'a>(
    state: &'a State,
    operation: &OperationName,
    after: Option<&str>,
    now: Timestamp,
) -> Result<Callers<'a>, Refusal> {
    Callers::of(state, vec![state.operation(operation)?], after, now)
}

/// Who can call an operation that touches data of class `data` or above.
///
/// # Errors
/// If nothing can be decided.
pub fn who_can_see<'a>(
    state: &'a State,
    data: DataClass,
    after: Option<&str>,
    now: Timestamp,
) -> Result<Callers<'a>, Refusal> {
    let touching = |operation: &&Arc<Operation>| operation.withdrawn.is_none() && operation.data >= data;
    let mut operations: Vec<_> = state.operations.values().filter(touching).collect();
    operations.sort_by(|one, other| one.name.cmp(&other.name));
    Callers::of(state, operations, after, now)
}

impl<'a> Callers<'a> {
    fn of(
        state: &'a State,
        operations: Vec<&'a Arc<Operation>>,
        after: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let inquiry = Inquiry::of(state, now)?;
        let wanted = |agent: &&Arc<Agent>| {
            agent.must_be_active().is_ok() && after.is_none_or(|after| agent.name.as_str() > after)
        };
        let mut agents: Vec<_> = state.agents.values().filter(wanted).collect();
        agents.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let (mut by_name, mut by_connector) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        for (place, operation) in operations.iter().enumerate() {
            by_name.insert(operation.name.as_str(), place);
            by_connector.entry(operation.name.connector()).or_default().push(place);
        }
        let targets = operations.into_iter().map(|operation| inquiry.target(operation)).collect();
        let (total, agents, without_grant) = (agents.len(), agents.into_iter(), HashMap::new());
        Ok(Self { inquiry, targets, by_name, by_connector, without_grant, agents, total, place: None })
    }

    /// People who may use some of it themselves, by name. Nobody of whom no entitlements are on record is among them.
    pub fn entitled(&self) -> Vec<Entitled> {
        let covers = |pattern: &&OperationPattern| match pattern.connector() {
            Some(connector) => self.by_connector.contains_key(connector),
            None => self.by_name.contains_key(pattern.as_str()),
        };
        let entitled = |person: &Arc<Person>| {
            let own = person.entitlements.as_deref().unwrap_or_default();
            let operations: Vec<_> = own.iter().filter(covers).cloned().collect();
            (!operations.is_empty()).then(|| Entitled { person: person.id, name: person.name.clone(), operations })
        };
        let mut found: Vec<Entitled> = self.inquiry.state.people.values().filter_map(entitled).collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found
    }

    fn ask(&mut self, agent: &'a Arc<Agent>) -> Option<Caller> {
        let mut subject = self.inquiry.subject(agent);
        let held = self.held(agent);
        let mut reaches = Vec::new();
        let more = self.by_grants(&mut subject, &held, &mut reaches) || self.by_none(&mut subject, &held, &mut reaches);
        (!reaches.is_empty()).then(|| Caller { agent: Arc::clone(agent), reaches, more })
    }

    /// The grants that `agent` holds, as far as they can matter.
    fn held(&self, agent: &'a Agent) -> Held<'a> {
        let (state, now) = (self.inquiry.state, self.inquiry.now);
        match self.targets.as_slice() {
            // Few agents hold one for any particular operation, and the index knows which.
            [only] if !state.may_hold_grant(agent.id, &only.operation.name) => Held::default(),
            _ => Held::by(state, agent.id, now),
        }
    }

    /// Adds what is reached by grants; whether it stopped before the end.
    fn by_grants(&mut self, subject: &mut Subject<'a>, held: &Held<'a>, reaches: &mut Vec<Reached>) -> bool {
        let mut places: Vec<usize> = held
            .patterns()
            .flat_map(|pattern| match pattern.connector() {
                Some(connector) => self.by_connector.get(connector).map(Vec::as_slice).unwrap_or_default().to_vec(),
                None => self.by_name.get(pattern.as_str()).copied().into_iter().collect(),
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().any(|place| {
            let Some(target) = self.targets.get_mut(place) else { return false };
            let grant = held.covering(&target.operation.name);
            reaches.extend(self.inquiry.reached(subject, target, grant));
            self.by_name.len() > 1 && reaches.len() >= limits::WHO_EXAMPLES
        })
    }

    /// Adds what is reached without a grant; whether it stopped before the end.
    fn by_none(&mut self, subject: &mut Subject<'a>, held: &Held<'a>, reaches: &mut Vec<Reached>) -> bool {
        let places = self.without_grant(subject);
        places.iter().any(|place| {
            let Some(target) = self.targets.get_mut(*place) else { return false };
            if held.covering(&target.operation.name).is_none() {
                reaches.extend(self.inquiry.reached(subject, target, None));
            }
            self.by_name.len() > 1 && reaches.len() >= limits::WHO_EXAMPLES
        })
    }

    /// The places of the targets that agents of this kind reach without a grant, as far as policies go.
    fn without_grant(&mut self, subject: &mut Subject<'a>) -> Arc<[usize]> {
        let Self { inquiry, targets, without_grant, .. } = self;
        // Most agents are permitted nothing without a grant, which the permits alone say.
        let mut places = |kind: u32, wanted: &mut dyn FnMut(&mut Target<'a>) -> bool| {
            let make = || {
                targets.iter_mut().enumerate().filter_map(|(place, target)| wanted(target).then_some(place)).collect()
            };
            Arc::clone(without_grant.entry(kind).or_insert_with(make))
        };
        let by_permits = inquiry.kind_by_permits(subject) * 2;
        let permitted = places(by_permits, &mut |target| inquiry.is_permitted(subject, target, None));
        if permitted.is_empty() {
            return permitted;
        }
        let by_all = inquiry.kind_by_all(subject) * 2 + 1;
        places(by_all, &mut |target| inquiry.may_reach(subject, target))
    }
}

impl Walk for Callers<'_> {
    type Found = Caller;

    fn step(&mut self) -> Option<Option<Caller>> {
        let agent = self.agents.next()?;
        self.place = Some(&agent.name);
        Some(self.ask(agent))
    }

    fn place(&self) -> Option<&str> {
        self.place
    }

    fn total(&self) -> usize {
        self.total
    }
}
