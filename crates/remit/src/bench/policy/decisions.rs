//! One decision as policies become more: by the index, and plainly by Cedar's authorizer over all of them.

use remit_policy::{evaluate, evaluate_plainly};
use serde::Serialize;

use super::estate::{Estate, arguments};
use super::processor::{self, Micros};
use crate::command::bench::PolicyArgs;

/// Operations of the schema.
const OPERATIONS: usize = 1_000;
/// Agents that policies are about.
const AGENTS: usize = 100_000;
/// Plain decisions at the least.
const PLAIN_LEAST: usize = 5;
/// Decisions whose two ways are compared before anything is measured.
const COMPARED: usize = 10;

/// Decisions under so many policies, in microseconds of processor time.
#[derive(Debug, Serialize)]
pub struct Row {
    pub policies: usize,
    pub plain: Micros,
    pub indexed: Micros,
    /// How many times as long the plain one takes, at the middle.
    pub ratio: f64,
    /// Resident memory of this process with the set and what the plain way needs, in MiB.
    pub resident_mib: f64,
}

/// Measures under `policies`.
///
/// # Errors
/// If the policies do not compile, or the two ways differ.
pub fn measure(policies: usize, arguments: &PolicyArgs) -> anyhow::Result<Row> {
    let estate = Estate::of(policies, AGENTS, OPERATIONS)?;
    let (calls, given) = (estate.calls(), self::arguments());
    let request = |number: usize| {
        let (facts, operation) = calls.get(number % calls.len())?;
        estate.request(facts, *operation, &given, number)
    };
    for request in (0..COMPARED).filter_map(request) {
        let (quick, plain) =
            (evaluate(&estate.set, &estate.schema, &request), evaluate_plainly(&estate.set, &estate.schema, &request));
        anyhow::ensure!(quick == plain, "two ways to decide differ: {quick:?} and {plain:?}");
    }
    let indexed = processor::each(arguments.time, 1_000, |number| {
        request(number).map(|request| evaluate(&estate.set, &estate.schema, &request))
    });

    let plain = processor::each(arguments.time, PLAIN_LEAST, |number| {
        request(number).map(|request| evaluate_plainly(&estate.set, &estate.schema, &request))
    });
    let resident_mib = super::resident_mib("self");
    Ok(Row { policies: estate.set.rules().len(), plain, indexed, ratio: plain.p50 / indexed.p50, resident_mib })
}
