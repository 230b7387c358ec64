//! Which policies of a set can apply to a call, found by their scopes: a decision costs what applies, not what there is.
//!
//! A policy stands in the row that its scope names: one principal, one action and one resource, or any. A call looks into the few
//! rows that its agent, its operation and what these belong to can stand in. So the candidates are exactly the policies whose scope
//! the call fulfils, and what is left of each is its condition. What they are is written down once, when the set is made; looking
//! allocates for what it finds only.

use std::collections::HashMap;
use std::ops::Range;

use cedar_policy::{ActionConstraint, EntityTypeName, Policy, PrincipalConstraint, ResourceConstraint};
use cedar_policy_core::ast::EntityUID;

use crate::scene::{Member, Scene};
use crate::schema::Kinds;

#[cfg(test)]
mod tests;

/// Stands for "any" in a row's name.
const ANY: u32 = 0;

/// The policies of a set by their scopes.
#[derive(Debug, Default)]
pub(crate) struct Index {
    names: HashMap<EntityUID, Named>,
    /// How many numbers have been given out.
    numbers: u32,
    /// All rows, one after the other, by principal, action and resource; each with the position of one policy.
    rows: Vec<([u32; 3], usize)>,
    /// By the principal's number: which of the rows are its own. Those of one agent lie side by side.
    principals: HashMap<u32, Range<usize>>,
}

/// The numbers under which an entity stands in rows.
#[derive(Debug, Default)]
struct Named {
    /// Of scopes that say `== entity`.
    exact: Option<u32>,
    /// Of scopes that say `in entity`.
    within: Option<u32>,
}

/// What a policy's scope says.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) principal: Constraint,
    pub(crate) action: Constraint,
    pub(crate) resource: Constraint,
}

/// What a scope says of one of its three.
#[derive(Debug)]
pub(crate) enum Constraint {
    Any,
    Exact(EntityUID),
    /// In any of these.
    Within(Vec<EntityUID>),
    /// No agent is a principal of that type, no operation such a resource.
    Never,
}

/// All numbers under which one of the three can stand in a row.
struct Numbers {
    numbers: [u32; 4],
    count: usize,
}

impl Scope {
    pub(crate) fn of(policy: &Policy, kinds: &Kinds) -> Self {
        Self {
            principal: principal(policy.principal_constraint(), &kinds.agent),
            action: action(policy.action_constraint()),
            resource: resource(policy.resource_constraint(), &kinds.operation),
        }
    }
}

impl Index {
    /// The index of policies with these scopes, which stand at the positions 0, 1, …
    pub(crate) fn of<'a>(scopes: impl Iterator<Item = &'a Scope>) -> Self {
        let mut index = Self::default();
        let mut entries = Vec::new();
        for (position, Scope { principal, action, resource }) in scopes.enumerate() {
            let (principals, actions, resources) =
                (index.numbers_of(principal), index.numbers_of(action), index.numbers_of(resource));
            for principal in &principals {
                for action in &actions {
                    entries.extend(resources.iter().map(|resource| ([*principal, *action, *resource], position)));
                }
            }
        }
        entries.sort_unstable();
        let mut from = 0;
        for own in entries.chunk_by(|([one, ..], _), ([other, ..], _)| one == other) {
            if let Some(([principal, ..], _)) = own.first() {
                index.principals.insert(*principal, from..from + own.len());
            }
            from += own.len();
        }
        index.rows = entries;
        index
    }

    /// The positions of the policies whose scope `scene` fulfils, in order.
    pub(crate) fn candidates(&self, scene: &Scene) -> Vec<usize> {
        let (principals, actions, resources) =
            (self.numbers_for(&scene.principal), self.numbers_for(&scene.action), self.numbers_for(&scene.resource));
        let mut found = Vec::new();
        for principal in principals.all() {
            let own = self.principals.get(principal).and_then(|own| self.rows.get(own.clone())).unwrap_or_default();
            for action in actions.all() {
                for resource in resources.all() {
                    let row = [*principal, *action, *resource];
                    let from = own.partition_point(|(key, _)| *key < row);
                    let row = own.iter().skip(from).take_while(|(key, _)| *key == row);
                    found.extend(row.map(|(_, position)| *position));
                }
            }
        }
        found.sort_unstable();
        // A scope may name both an operation and its verb.
        found.dedup();
        found
    }

    fn numbers_of(&mut self, constraint: &Constraint) -> Vec<u32> {
        let Self { names, numbers, .. } = self;
        let mut fresh = || {
            *numbers += 1;
            *numbers
        };
        match constraint {
            Constraint::Any => vec![ANY],
            Constraint::Exact(uid) => vec![*named(names, uid).exact.get_or_insert_with(fresh)],
            Constraint::Within(uids) => {
                uids.iter().map(|uid| *named(names, uid).within.get_or_insert_with(&mut fresh)).collect()
            }
            Constraint::Never => Vec::new(),
        }
    }

    fn numbers_for(&self, member: &Member) -> Numbers {
        let own = self.names.get(&*member.uid);
        let within = self.names.get(&member.parent).and_then(|named| named.within);
        let mut found = Numbers { numbers: [ANY; 4], count: 1 };
        let of = [own.and_then(|named| named.exact), own.and_then(|named| named.within), within];
        for number in of.into_iter().flatten() {
            if let Some(place) = found.numbers.get_mut(found.count) {
                (*place, found.count) = (number, found.count + 1);
            }
        }
        found
    }
}

impl Numbers {
    fn all(&self) -> &[u32] {
        self.numbers.get(..self.count).unwrap_or_default()
    }
}

fn named<'a>(names: &'a mut HashMap<EntityUID, Named>, uid: &EntityUID) -> &'a mut Named {
    names.entry(uid.clone()).or_default()
}

fn principal(constraint: PrincipalConstraint, kind: &EntityTypeName) -> Constraint {
    match constraint {
        PrincipalConstraint::Any => Constraint::Any,
        PrincipalConstraint::Eq(uid) => Constraint::Exact(uid.into()),
        PrincipalConstraint::In(uid) => Constraint::Within(vec![uid.into()]),
        PrincipalConstraint::Is(named) if named == *kind => Constraint::Any,
        PrincipalConstraint::IsIn(named, uid) if named == *kind => Constraint::Within(vec![uid.into()]),
        PrincipalConstraint::Is(_) | PrincipalConstraint::IsIn(..) => Constraint::Never,
    }
}

fn action(constraint: ActionConstraint) -> Constraint {
    match constraint {
        ActionConstraint::Any => Constraint::Any,
        ActionConstraint::Eq(uid) => Constraint::Exact(uid.into()),
        ActionConstraint::In(uids) => Constraint::Within(uids.into_iter().map(EntityUID::from).collect()),
    }
}

fn resource(constraint: ResourceConstraint, kind: &EntityTypeName) -> Constraint {
    match constraint {
        ResourceConstraint::Any => Constraint::Any,
        ResourceConstraint::Eq(uid) => Constraint::Exact(uid.into()),
        ResourceConstraint::In(uid) => Constraint::Within(vec![uid.into()]),
        ResourceConstraint::Is(named) if named == *kind => Constraint::Any,
        ResourceConstraint::IsIn(named, uid) if named == *kind => Constraint::Within(vec![uid.into()]),
        ResourceConstraint::Is(_) | ResourceConstraint::IsIn(..) => Constraint::Never,
    }
}
