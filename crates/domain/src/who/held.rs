//! The live grants of one agent, by what they cover.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{AgentId, Grant, OperationName, OperationPattern, State, Timestamp};

/// Which grant a decision would name for each operation: see [`grant_for`](crate::facts::grant_for).
#[derive(Debug, Default)]
pub(super) struct Held<'a> {
    by_operation: HashMap<&'a str, &'a Arc<Grant>>,
    by_connector: HashMap<&'a str, &'a Arc<Grant>>,
    patterns: Vec<&'a OperationPattern>,
}

impl<'a> Held<'a> {
    pub(super) fn by(state: &'a State, agent: AgentId, now: Timestamp) -> Self {
        let mut held = Self::default();
        for grant in state.grants_of(agent).filter(|grant| now < grant.expires_at) {
            for pattern in &grant.operations {
                held.patterns.push(pattern);
                // The first one that was given counts.
                match pattern.connector() {
                    Some(connector) => held.by_connector.entry(connector).or_insert(grant),
                    None => held.by_operation.entry(pattern.as_str()).or_insert(grant),
                };
            }
        }
        held
    }

    /// The grant that covers `operation`: one that names it before one over all of its connector.
    pub(super) fn covering(&self, operation: &OperationName) -> Option<&'a Grant> {
        let named = self.by_operation.get(operation.as_str());
        let found = named.or_else(|| self.by_connector.get(operation.connector()))?;
        Some(found)
    }

    /// What the grants cover.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &'a OperationPattern> {
        self.patterns.iter().copied()
    }
}
