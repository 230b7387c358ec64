//! `remit bench door`: what a call costs through Remit, beside the same call made directly.
//!
//! Three processes: Remit and the echo server are children of this one, which makes the calls. So the processor time of each
//! can be read apart from the others'. Remit runs as it is shipped, with durable records, on a directory of its own; its estate
//! is made through the control plane, and callers carry tokens as any client does.

mod calls;
mod decisions;
mod estate;
mod lists;
mod load;
pub mod place;
pub mod processor;
mod requests;
mod spread;
mod streams;
mod table;
pub mod wire;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use super::{Machine, bare, progress, world};
use crate::command::bench::{DoorArgs, DoorPart, Generation};
use requests::Target;

/// How often and how long, in which sizes.
#[derive(Debug)]
struct Plan {
    time: Duration,
    runs: u16,
    callers: usize,
    tools: usize,
    streams: usize,
    quiet: bool,
}

impl Plan {
    fn progress(&self, what: &str) {
        progress(self.quiet, what);
    }
}

#[derive(Debug, Serialize)]
struct Results {
    machine: Machine,
    runs: u16,
    seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<calls::Calls>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<decisions::Decisions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lists: Option<lists::Lists>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    streams: Vec<streams::Streams>,
}

/// Measures what `arguments` name, and prints it.
///
/// # Errors
/// If something cannot be started, built or reached.
pub async fn measure(arguments: &DoorArgs, json: bool) -> anyhow::Result<()> {
    raise_file_limit();
    let plan = Plan {
        time: Duration::from_secs(arguments.time),
        runs: arguments.runs,
        callers: arguments.callers as usize,
        tools: arguments.tools as usize,
        streams: arguments.streams as usize,
        quiet: json,
    };
    let machine = Machine::now()?;
    let directory = tempfile::Builder::new().prefix("remit-bench-").tempdir_in(&arguments.directory)?;
    let mut results = Results {
        machine,
        runs: plan.runs,
        seconds: arguments.time,
        calls: None,
        policies: Vec::new(),
        lists: None,
        streams: Vec::new(),
    };
    match other(arguments).await? {
        Some(target) => results.calls = Some(calls::measure_only(&plan, target).await?),
        None => parts(arguments, &plan, directory.path(), &mut results).await?,
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else {
        table::print(&results, arguments.markdown);
    }
    Ok(())
}

async fn parts(arguments: &DoorArgs, plan: &Plan, directory: &Path, results: &mut Results) -> anyhow::Result<()> {
    if arguments.includes(DoorPart::Calls) {
        results.calls = Some(calls::measure(plan, directory).await.context("calls")?);
    }
    if arguments.includes(DoorPart::Policies) {
        for wanted in &arguments.policies {
            results.policies.push(decisions::measure(plan, directory, *wanted).await.context("policies")?);
        }
    }
    if arguments.includes(DoorPart::Lists) || arguments.includes(DoorPart::Streams) {
        let crowd = lists::Crowd::gather(plan, directory).await.context("callers")?;
        if arguments.includes(DoorPart::Lists) {
            results.lists = Some(lists::measure(plan, &crowd).await.context("lists")?);
        }
        if arguments.includes(DoorPart::Streams) {
            for generation in [Generation::Modern, Generation::Handshake] {
                results.streams.push(streams::measure(plan, &crowd, generation).await.context("streams")?);
            }
        }
        crowd.remit.stop().await?;
    }
    Ok(())
}

/// The other server that is to be measured, if one is named.
async fn other(arguments: &DoorArgs) -> anyhow::Result<Option<Target>> {
    let other = &arguments.other;
    let Some(url) = &other.only_target else { return Ok(None) };
    let token = match &other.token_variable {
        Some(name) => Some(std::env::var(name).with_context(|| format!("the variable `{name}` is not set"))?),
        None => None,
    };
    let target = Target::at("other", url, other.generation, token).await?;
    Ok(Some(target.calling(&other.tool).of_processes(&other.pids, &[])))
}

/// Every stream is an open file here, too.
fn raise_file_limit() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit on open files stays as it is");
    }
}
