//! One decision as agents become more: their facts are found by name in a map of all of them, as in a realm, and each has ten grants.

use std::collections::HashMap;

use remit_policy::{Facts, evaluate};
use serde::Serialize;

use super::estate::{Estate, arguments, drawn, facts};
use super::processor::{self, Micros};
use crate::command::bench::PolicyArgs;

const POLICIES: usize = 1_000;
const OPERATIONS: usize = 1_000;
/// Grants of each agent.
const GRANTS: usize = 10;

/// Decisions among so many agents, in microseconds of processor time.
#[derive(Debug, Serialize)]
pub struct Row {
    pub agents: usize,
    pub grants: usize,
    pub decision: Micros,
    pub resident_mib: f64,
}

/// Measures among `agents`.
///
/// # Errors
/// If the policies do not compile.
pub fn measure(agents: usize, arguments: &PolicyArgs) -> anyhow::Result<Row> {
    let estate = Estate::of(POLICIES, agents.min(100_000), OPERATIONS)?;
    let given = self::arguments();
    let known: HashMap<usize, Facts> = (0..agents).map(|agent| (agent, facts(agent, agent % OPERATIONS))).collect();
    // By agent and operation: when the grant ends.
    let grants: HashMap<(usize, usize), i64> = (0..agents)
        .flat_map(|agent| (0..GRANTS).map(move |grant| ((agent, drawn(agent, 30 + grant) % OPERATIONS), i64::MAX)))
        .collect();
    let decision = processor::each(arguments.time, 1_000, |number| {
        let (agent, operation) = (drawn(number, 40) % agents, drawn(number, 41) % OPERATIONS);
        let mut facts = known.get(&agent)?.clone();
        facts.operation = self::facts(0, operation).operation;
        facts.grant = facts.grant.filter(|_| grants.contains_key(&(agent, operation)));
        let request = estate.request(&facts, operation, &given, number)?;
        Some(evaluate(&estate.set, &estate.schema, &request))
    });
    Ok(Row { agents, grants: grants.len(), decision, resident_mib: super::resident_mib("self") })
}
