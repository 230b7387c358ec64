//! What policies tell apart: callers and operations that differ in nothing else are decided alike, so one decision serves all of them.
//!
//! A policy sees an entity by its attributes, by what it belongs to, and by its name only where the policy itself writes that name: Cedar
//! cannot take a name apart. So whoever is not named, and has the same attributes as far as any policy reads them, is the same to it.

use std::collections::HashSet;

use cedar_policy::{ActionConstraint, EntityUid, Policy, ResourceConstraint};

use crate::reads::Reads;
use crate::{Effect, PolicySet, Schema};

#[cfg(test)]
mod tests;

/// What the policies of a set read and name.
#[derive(Debug, Clone, Default)]
pub struct Distinctions {
    reads: Reads,
    agents: HashSet<String>,
    people: HashSet<String>,
    groups: HashSet<String>,
    operations: HashSet<String>,
    connectors: HashSet<String>,
    has_classes: bool,
    by_arguments: bool,
}

impl PolicySet {
    /// What its policies tell apart, or only those of `effect`.
    pub fn distinctions(&self, schema: &Schema, effect: Option<Effect>) -> Distinctions {
        let wanted = |policy: &&Policy| match effect {
            None => true,
            Some(Effect::Permit) => policy.effect() == cedar_policy::Effect::Permit,
            Some(Effect::Forbid) => policy.effect() == cedar_policy::Effect::Forbid,
        };
        let mut found =
            Distinctions { reads: Reads::of(self.cedar().policies().filter(wanted)), ..Distinctions::default() };
        for policy in self.cedar().policies().filter(wanted) {
            policy.entity_literals().iter().for_each(|literal| found.name(literal, schema));
            found.by_arguments |= !names_operations(policy, schema) && reads_arguments(policy);
        }
        found
    }
}

impl Distinctions {
    /// Whether a policy reads or asks for an attribute of this name, of anything.
    pub fn reads(&self, attribute: &str) -> bool {
        self.reads.reads(attribute)
    }

    /// Whether a policy reads this attribute of the record that stands under `record`, or that record as a whole.
    pub fn reads_of(&self, record: &str, attribute: &str) -> bool {
        self.reads.reads_of(record, attribute)
    }

    /// Whether a policy names this agent.
    pub fn names_agent(&self, name: &str) -> bool {
        self.agents.contains(name)
    }

    /// Whether a policy names this person.
    pub fn names_person(&self, id: &str) -> bool {
        self.people.contains(id)
    }

    /// Whether a policy names this group of people.
    pub fn names_group(&self, name: &str) -> bool {
        self.groups.contains(name)
    }

    /// Whether a policy names this operation.
    pub fn names_operation(&self, id: &str) -> bool {
        self.operations.contains(id)
    }

    /// Whether a policy names this connector.
    pub fn names_connector(&self, name: &str) -> bool {
        self.connectors.contains(name)
    }

    /// Whether the class of an agent matters, as an attribute or as what it belongs to.
    pub fn by_class(&self) -> bool {
        self.has_classes || self.reads("class")
    }

    /// Whether a policy that names no operation looks at arguments: then each operation's own shape matters.
    pub fn by_arguments(&self) -> bool {
        self.by_arguments
    }

    fn name(&mut self, literal: &EntityUid, schema: &Schema) {
        let (kinds, kind) = (&schema.kinds, literal.type_name());
        let id = literal.id().unescaped().to_owned();
        if *kind == kinds.agent {
            self.agents.insert(id);
        } else if *kind == kinds.person {
            self.people.insert(id);
        } else if *kind == kinds.group {
            self.groups.insert(id);
        } else if *kind == kinds.connector {
            self.connectors.insert(id);
        } else if *kind == kinds.class {
            self.has_classes = true;
        } else {
            // An operation, or the action of one. Verbs are among the actions and are no operation's name.
            self.operations.insert(id);
        }
    }
}

/// Whether the scope of `policy` is about operations by their names alone, so that no other ever meets it.
fn names_operations(policy: &Policy, schema: &Schema) -> bool {
    let is_operation = |uid: &EntityUid| schema.operation(uid.id().unescaped()).is_some();
    let by_action = match policy.action_constraint() {
        ActionConstraint::Any => false,
        ActionConstraint::Eq(uid) => is_operation(&uid),
        ActionConstraint::In(uids) => uids.iter().all(is_operation),
    };
    by_action || matches!(policy.resource_constraint(), ResourceConstraint::Eq(_))
}

fn reads_arguments(policy: &Policy) -> bool {
    let reads = Reads::of(std::iter::once(policy));
    reads.reads("arguments") || reads.reads("projected")
}
