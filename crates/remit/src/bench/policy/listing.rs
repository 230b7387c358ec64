//! What it costs to say of every operation whether an agent can call it, as operations become more, and to generate their schema.

use remit_policy::{Reach, Schema, outlook, reach};
use serde::Serialize;

use super::estate::{Estate, facts};
use super::processor::{self, Micros};
use crate::command::bench::PolicyArgs;

const AGENTS: usize = 100_000;
const POLICIES: usize = 1_000;

/// A schema of so many operations.
#[derive(Debug, Serialize)]
pub struct Row {
    pub operations: usize,
    /// Generating the schema, in milliseconds.
    pub schema_ms: f64,
    /// Whether one operation can be called, in microseconds.
    pub reach: Micros,
    /// The same with the condition that remains.
    pub outlook: Micros,
    /// Of the operations of one agent: shown, shown with a condition, and hidden.
    pub shown: usize,
    pub conditional: usize,
    pub hidden: usize,
}

/// Measures with `operations`.
///
/// # Errors
/// If the policies do not compile.
pub fn measure(operations: usize, arguments: &PolicyArgs) -> anyhow::Result<Row> {
    let estate = Estate::of(POLICIES, AGENTS, operations)?;
    let (took, schema) = processor::of(|| Schema::generate(estate.operations.iter()));
    let (schema, schema_ms) = (schema?, took.as_secs_f64() * 1_000.0);
    let calls = estate.calls();
    let call = |number: usize| calls.get(number % calls.len()).map(|(facts, _)| facts);
    let reach_us =
        processor::each(arguments.time, 1_000, |number| call(number).map(|facts| reach(&estate.set, &schema, facts)));
    let outlook_us =
        processor::each(arguments.time, 1_000, |number| call(number).map(|facts| outlook(&estate.set, &schema, facts)));
    let (mut shown, mut conditional, mut hidden) = (0, 0, 0);
    let (agent, _) = estate.pair(1);
    for operation in 0..operations {
        match reach(&estate.set, &schema, &facts(agent, operation)) {
            Reach::Always => shown += 1,
            Reach::Depends => conditional += 1,
            Reach::Never => hidden += 1,
        }
    }
    Ok(Row { operations, schema_ms, reach: reach_us, outlook: outlook_us, shown, conditional, hidden })
}
