//! Which policies of a set can apply to a call, found by their scopes: a decision costs what applies, not what there is.
//!
//! A policy stands in the row that its scope names: one principal, one action and one resource, or any. A call looks into the few
//! rows that its agent, its operation and what these belong to can stand in. So the candidates are exactly the policies whose scope
//! the call fulfils, and what is left of each is its condition.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{ActionConstraint, EntityTypeName, Policy, PrincipalConstraint, ResourceConstraint};
use cedar_policy_core::ast::{EntityUID, Expr};

use crate::scene::{Member, Scene};
use crate::schema::Kinds;

#[cfg(test)]
mod tests;

/// Stands for "any" in a row's name.
const ANY: u32 = 0;

/// The policies of a set by their scopes, and the condition of each.
#[derive(Debug, Default)]
pub(crate) struct Index {
    names: HashMap<EntityUID, Named>,
    /// How many numbers have been given out.
    numbers: u32,
    rows: HashMap<[u32; 3], Vec<usize>>,
    /// By the policy's position; nothing where the scope is all.
    conditions: Vec<Option<Arc<Expr>>>,
}

/// The numbers under which an entity stands in rows.
#[derive(Debug, Default)]
struct Named {
    /// Of scopes that say `== entity`.
    exact: Option<u32>,
    /// Of scopes that say `in entity`.
    within: Option<u32>,
}

/// What a scope says of one of its three.
enum Constraint {
    Any,
    Exact(EntityUID),
    /// In any of these.
    Within(Vec<EntityUID>),
    /// No agent is a principal of that type, no operation such a resource.
    Never,
}

impl Index {
    /// Adds the policy at the next position.
    pub(crate) fn add(&mut self, policy: &Policy, kinds: &Kinds) {
        let position = self.conditions.len();
        let core: &cedar_policy_core::ast::Policy = policy.as_ref();
        self.conditions.push(core.non_scope_constraints_arc().cloned());
        let principals = self.numbers_of(principal(policy.principal_constraint(), &kinds.agent));
        let actions = self.numbers_of(action(policy.action_constraint()));
        let resources = self.numbers_of(resource(policy.resource_constraint(), &kinds.operation));
        for principal in &principals {
            for action in &actions {
                for resource in &resources {
                    self.rows.entry([*principal, *action, *resource]).or_default().push(position);
                }
            }
        }
    }

    /// The positions of the policies whose scope `scene` fulfils, in order.
    pub(crate) fn candidates(&self, scene: &Scene) -> Vec<usize> {
        let resources = self.numbers_for(&scene.resource);
        let actions = self.numbers_for(&scene.action);
        let mut found = Vec::new();
        for principal in self.numbers_for(&scene.principal) {
            for action in &actions {
                let rows = resources.iter().filter_map(|resource| self.rows.get(&[principal, *action, *resource]));
                found.extend(rows.flatten().copied());
            }
        }
        found.sort_unstable();
        // A scope may name both an operation and its verb.
        found.dedup();
        found
    }

    /// What is left to be asked of the policy at `position` once its scope is fulfilled.
    pub(crate) fn condition(&self, position: usize) -> Option<&Expr> {
        self.conditions.get(position)?.as_deref()
    }

    fn numbers_of(&mut self, constraint: Constraint) -> Vec<u32> {
        let Self { names, numbers, .. } = self;
        let mut fresh = || {
            *numbers += 1;
            *numbers
        };
        match constraint {
            Constraint::Any => vec![ANY],
            Constraint::Exact(uid) => vec![*names.entry(uid).or_default().exact.get_or_insert_with(fresh)],
            Constraint::Within(uids) => uids
                .into_iter()
                .map(|uid| *names.entry(uid).or_default().within.get_or_insert_with(&mut fresh))
                .collect(),
            Constraint::Never => Vec::new(),
        }
    }

    /// All numbers under which `member` can stand in a row.
    fn numbers_for(&self, member: &Member) -> Vec<u32> {
        let own = self.names.get(&*member.uid).map(|named| [named.exact, named.within]);
        let parent = self.names.get(&member.parent).and_then(|named| named.within);
        [Some(ANY), parent].into_iter().chain(own.into_iter().flatten()).flatten().collect()
    }
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
