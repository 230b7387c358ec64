//! `remit bench policy`: what policies cost as they become more, as agents become more, and as operations become more.
//!
//! The policy crate alone, on one thread, in the processor time of that thread: no disk, no network, no realm. Everything is made from
//! numbers, so that every run asks the same questions.

mod agents;
mod compiling;
mod decisions;
mod estate;
mod listing;
pub mod processor;
mod table;

use serde::Serialize;

use super::Machine;
use super::door::processor::resident_mib;
use crate::command::bench::{PolicyArgs, PolicyPart};

#[derive(Debug, Default, Serialize)]
struct Results {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<decisions::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    agents: Vec<agents::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compiling: Vec<compiling::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listing: Vec<listing::Row>,
}

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    seconds: f64,
    #[serde(flatten)]
    results: Results,
}

/// Measures what `arguments` name, and prints it.
///
/// # Errors
/// If generated policies do not compile, or two ways to decide differ.
pub fn measure(arguments: &PolicyArgs, json: bool) -> anyhow::Result<()> {
    let machine = Machine::now()?;
    let mut results = Results::default();
    let progress = |what: &str| super::progress(json, what);
    if arguments.includes(PolicyPart::Decisions) {
        for policies in &arguments.policies {
            progress(&format!("decisions under {policies} policies"));
            results.decisions.push(decisions::measure(*policies, arguments)?);
        }
    }
    if arguments.includes(PolicyPart::Agents) {
        for agents in &arguments.agents {
            progress(&format!("decisions among {agents} agents"));
            results.agents.push(agents::measure(*agents, arguments)?);
        }
    }
    if arguments.includes(PolicyPart::Compiling) {
        for policies in &arguments.policies {
            progress(&format!("compiling {policies} policies"));
            results.compiling.push(compiling::measure(*policies, arguments)?);
        }
    }
    if arguments.includes(PolicyPart::Listing) {
        for operations in &arguments.operations {
            progress(&format!("listing {operations} operations"));
            results.listing.push(listing::measure(*operations, arguments)?);
        }
    }
    if json {
        let report = Report { machine, seconds: arguments.time.as_secs_f64(), results };
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        table::print(&machine, &results);
        println!("resident at the end: {:.0} MiB", resident_mib("self"));
    }
    Ok(())
}
