//! What it costs to compile a set, to change one text of it, and to approve one operation more.

use remit_policy::{PolicySet, Schema};
use serde::Serialize;

use super::estate::{Estate, operations, told};
use super::processor;
use crate::command::bench::PolicyArgs;

const AGENTS: usize = 100_000;
const OPERATIONS: usize = 1_000;

/// A set of so many policies, in milliseconds of processor time.
#[derive(Debug, Serialize)]
pub struct Row {
    pub policies: usize,
    pub texts: usize,
    pub anew_ms: f64,
    /// The same texts once more.
    pub unchanged_ms: f64,
    /// One text is another.
    pub one_text_ms: f64,
    /// The same texts, with one operation more.
    pub one_operation_ms: f64,
}

/// Measures with `policies`.
///
/// # Errors
/// If they do not compile.
pub fn measure(policies: usize, _: &PolicyArgs) -> anyhow::Result<Row> {
    let Estate { mut sources, schema, set, .. } = Estate::of(policies, AGENTS, OPERATIONS)?;
    let millis = |work: &mut dyn FnMut() -> Result<PolicySet, Vec<remit_policy::Problem>>| {
        let (took, set) = processor::of(work);
        set.map(|_| took.as_secs_f64() * 1_000.0).map_err(|problems| told(&problems))
    };
    let anew_ms = millis(&mut || PolicySet::compile(&sources, &schema))?;
    let unchanged_ms = millis(&mut || set.recompile(&sources, &schema))?;
    let more = Schema::generate(operations(OPERATIONS + 1)?.iter())?;
    let one_operation_ms = millis(&mut || set.recompile(&sources, &more))?;
    let middle = sources.len() / 2;
    if let Some(source) = sources.get_mut(middle) {
        source.text.push_str(
            "@id(\"another\") forbid(principal == Agent::\"agent-1\", action, resource) when { resource.risk > 1 };\n",
        );
    }
    let one_text_ms = millis(&mut || set.recompile(&sources, &schema))?;
    Ok(Row { policies: set.rules().len(), texts: sources.len(), anew_ms, unchanged_ms, one_text_ms, one_operation_ms })
}
