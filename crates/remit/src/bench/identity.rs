//! `remit bench identity`: what identity costs, and how soon its end has taken effect.
//!
//! One process, and for each part a realm of its own on the disk that is measured, with durable records as they are shipped.
//! Nothing but the Workload API's part goes through a socket: what HTTP adds is for `remit bench door` to say.

mod cascade;
mod checks;
mod first_svid;
mod issuing;
mod pace;
pub mod quantiles;
mod revocations;
mod table;
mod work;

use anyhow::Context;
use serde::Serialize;

use super::Machine;
use crate::command::bench::{IdentityArgs, IdentityPart};

#[derive(Debug, Serialize)]
struct Results {
    machine: Machine,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuing: Option<issuing::Issuing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<checks::Checks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_svid: Option<first_svid::FirstSvid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocations: Option<revocations::Revocations>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cascade: Option<cascade::Cascade>,
}

/// Measures what `arguments` name, and prints it.
///
/// # Errors
/// If something cannot be opened, or does not do what is to be measured.
pub async fn measure(arguments: &IdentityArgs, json: bool) -> anyhow::Result<()> {
    let machine = Machine::now()?;
    let directory = tempfile::Builder::new().prefix("remit-bench-").tempdir_in(&arguments.directory)?;
    let (time, data) = (arguments.time, |part: &str| directory.path().join(part));
    let mut results = Results {
        machine,
        seconds: time.as_secs_f64(),
        issuing: None,
        checks: None,
        first_svid: None,
        revocations: None,
        cascade: None,
    };
    if arguments.includes(IdentityPart::Issuing) {
        results.issuing = Some(issuing::measure(&data("issuing"), time, json).await.context("issuing")?);
    }
    if arguments.includes(IdentityPart::Checks) {
        results.checks = Some(checks::measure(&data("checks"), time, json).await.context("checks")?);
    }
    if arguments.includes(IdentityPart::FirstSvid) {
        results.first_svid = Some(first_svid::measure(&data("first-svid"), time, json).await.context("first SVIDs")?);
    }
    if arguments.includes(IdentityPart::Revocations) {
        let measured = revocations::measure(&data("revocations"), arguments.revocations, json).await;
        results.revocations = Some(measured.context("revocations")?);
    }
    if arguments.includes(IdentityPart::Cascade) {
        let measured = cascade::measure(&data("cascade"), arguments.tasks as usize, json).await;
        results.cascade = Some(measured.context("cascade")?);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else {
        table::print(&results);
    }
    Ok(())
}
