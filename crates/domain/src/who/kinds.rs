//! Kinds: what of agents, operations and grants a set of policies tells apart.
//!
//! INVARIANT: two agents of one kind, with operations of one kind and grants of one kind, differ in nothing that a policy of the set reads or
//! names. Facts are taken apart member by member, so that a new fact has to be thought about here.

use std::collections::HashMap;
use std::hash::Hash;

use remit_policy::{AgentFacts, Attribution, Distinctions, GrantFacts, OperationFacts, PersonFacts, TaskFacts, Verb};

/// What is known of an agent before it calls anything.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) agent: AgentFacts,
    pub(super) owner: PersonFacts,
    pub(super) task: TaskFacts,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct AgentKind {
    name: Option<String>,
    class: Option<String>,
    environment: Option<String>,
    autonomy: Option<u8>,
    data: Option<u8>,
    attribution: Option<Attribution>,
    owner: Option<OwnerKind>,
    purpose: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OwnerKind {
    id: Option<String>,
    groups: Vec<String>,
}

impl AgentKind {
    pub(super) fn of(who: &Who, told: &Distinctions) -> Self {
        let AgentFacts { name, class, environment, autonomy, data, attribution } = &who.agent;
        // A new task is like every other new task, but for its purpose.
        let TaskFacts { id: _, purpose, labels: _, calls: _, approved_data: _, data: _, chain: _, names: _ } =
            &who.task;
        Self {
            name: told.names_agent(name).then(|| name.clone()),
            class: told.by_class().then(|| class.clone()),
            environment: told.reads("environment").then(|| environment.clone()),
            autonomy: told.reads("autonomy").then_some(*autonomy),
            data: told.reads("data").then_some(*data),
            attribution: told.reads("attribution").then_some(*attribution),
            owner: told.reads("owner").then(|| OwnerKind::of(&who.owner, told)),
            purpose: told.reads_of("task", "purpose").then(|| purpose.clone()),
        }
    }
}

impl OwnerKind {
    fn of(owner: &PersonFacts, told: &Distinctions) -> Self {
        let PersonFacts { id, groups } = owner;
        // Whether the owner is among the approvers is not known yet, so that a condition may name them.
        let is_told = told.reads_of("approval", "approvers") || told.names_person(id);
        let mut groups: Vec<String> = groups.iter().filter(|group| told.names_group(group)).cloned().collect();
        groups.sort();
        Self { id: is_told.then(|| id.clone()), groups }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OperationKind {
    id: Option<String>,
    connector: Option<String>,
    verb: Verb,
    risk: u8,
    data: Option<u8>,
    external: bool,
    sandbox: bool,
    irreversible: bool,
}

impl OperationKind {
    pub(super) fn of(operation: &OperationFacts, told: &Distinctions) -> Self {
        let OperationFacts { id, connector, verb, risk, data, external, sandbox, irreversible } = operation;
        // Two operations whose arguments a policy looks at may have different ones.
        let is_told = told.by_arguments() || told.names_operation(id);
        Self {
            id: is_told.then(|| id.clone()),
            connector: (told.names_connector(connector) || told.reads("connector")).then(|| connector.clone()),
            verb: *verb,
            risk: *risk,
            data: told.reads("data").then_some(*data),
            external: *external,
            sandbox: *sandbox,
            irreversible: *irreversible,
        }
    }
}

/// Nothing, or what is told apart of a grant that covers the operation.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct GrantKind(Option<Told>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Told {
    id: Option<String>,
    reason: Option<String>,
    expires_at_ms: Option<i64>,
    exact: bool,
}

impl GrantKind {
    pub(super) fn of(grant: Option<&GrantFacts>, told: &Distinctions) -> Self {
        Self(grant.map(|GrantFacts { id, reason, expires_at_ms, exact }| Told {
            id: told.reads_of("grant", "id").then(|| id.clone()),
            reason: told.reads_of("grant", "reason").then(|| reason.clone()),
            expires_at_ms: told.reads_of("grant", "expires_at").then_some(*expires_at_ms),
            exact: *exact,
        }))
    }
}

/// Numbers for kinds, in the order in which they come.
#[derive(Debug)]
pub(super) struct Numbers<K>(HashMap<K, u32>);

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Numbers<K> {
    pub(super) fn of(&mut self, kind: K) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(kind).or_insert(next)
    }
}
