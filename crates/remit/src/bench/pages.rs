//! `remit bench pages`: how long the console's pages take in a large realm with a long ledger, and how soon a question is on an open page.
//!
//! The ledger is a real one: thirty days of tasks and calls, each decided and recorded as live ones are, with a clock that is moved by hand;
//! it is verified before it is used. A directory that is kept is measured again without making it again.

mod estate;
mod live;
mod look;
mod places;
mod present;
mod stories;
mod table;
mod visitor;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use remit_engine::{Clock, ManualClock, SystemClock, verify_directory};
use serde::{Deserialize, Serialize};
use url::Url;

use self::estate::Estate;
use self::live::Live;
use self::look::{Assets, Looked, Visitors};
use self::places::PLACES;
use self::present::{Busy, Present};
use self::visitor::Visitor;
use super::door::place::Remit;
use super::door::processor::resident_mib;
use super::{Machine, progress};
use crate::command::bench::PagesArgs;
use crate::config::Config;
use crate::server::Server;

/// What a page that lists or searches may take, in milliseconds, 99 times of 100.
const AIM_MS: f64 = 50.0;
/// Calls each second beside which some pages are looked at again.
const BUSY_CALLS: u64 = 200;
/// What was made in a directory that is kept.
const PLATE: &str = "estate.json";
/// Pages that are looked at again while calls are made.
const BUSY_PAGES: &[&str] =
    &["/", "/agents/{name}, busiest", "/tasks", "/approvals", "/ledger", "/ledger, busiest agent", "/records/{seq}"];

#[derive(Debug, Serialize)]
struct Results {
    machine: Machine,
    agents: usize,
    records: u64,
    live_tasks: usize,
    waiting: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<Made>,
    /// From starting the program until it answers.
    start_seconds: f64,
    resident_mib: f64,
    resident_after_mib: f64,
    pages: Vec<Looked>,
    assets: Assets,
    live: Live,
    busy: BusyResults,
}

#[derive(Debug, Serialize)]
struct Made {
    seconds: f64,
    per_second: f64,
    verified_seconds: f64,
}

#[derive(Debug, Serialize)]
struct BusyResults {
    calls_per_second: f64,
    pages: Vec<Looked>,
    live: Live,
}

/// What a directory holds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Plate {
    agents: usize,
    records: u64,
}

/// Measures what `arguments` name, and prints it.
///
/// # Errors
/// If the realm cannot be made or served, or a page is not there.
pub async fn measure(arguments: &PagesArgs, json: bool) -> anyhow::Result<()> {
    let machine = Machine::now()?;
    let temporary = match &arguments.keep {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("remit-bench-").tempdir_in(&arguments.directory)?),
    };
    let directory = temporary.as_ref().map(tempfile::TempDir::path).or(arguments.keep.as_deref());
    let directory = directory.context("there is no directory")?;
    let plate = Plate { agents: arguments.agents, records: arguments.records };
    let made = make(directory, &plate, json).await?;
    progress(json, "the start");
    let (start_seconds, resident_mib) = start(directory).await?;
    let config = Config::parse(&std::fs::read_to_string(directory.join("remit.toml"))?)?;
    let server = Server::start(&config, &directory.join("data")).await?;
    let looked = look(&server, arguments, json).await;
    server.stop().await;
    let looked = looked?;
    let results = Results {
        machine,
        agents: plate.agents,
        records: looked.present.head,
        live_tasks: looked.present.tasks.len(),
        waiting: looked.present.approvals.len(),
        made,
        start_seconds,
        resident_mib,
        resident_after_mib: looked.resident_mib,
        pages: looked.pages,
        assets: looked.assets,
        live: looked.live,
        busy: looked.busy,
    };
    match json {
        true => println!("{}", serde_json::to_string_pretty(&results)?),
        false => table::print(&results, arguments.markdown),
    }
    Ok(())
}

/// Makes the realm below `directory`, unless it is there; nothing then.
async fn make(directory: &Path, plate: &Plate, json: bool) -> anyhow::Result<Option<Made>> {
    let path = directory.join(PLATE);
    if let Ok(kept) = std::fs::read(&path) {
        let kept: Plate = serde_json::from_slice(&kept)?;
        ensure!(kept == *plate, "`{}` holds another realm: {kept:?}", directory.display());
        return Ok(None);
    }
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make `{}`", directory.display()))?;
    progress(json, &format!("{} agents and a ledger of {} records are made", plate.agents, plate.records));
    let (began, now) = (Instant::now(), SystemClock.now());
    let clock = Arc::new(ManualClock::at(now.minus_seconds(stories::PAST_HOURS * 3_600)));
    let estate =
        Estate::make(estate::open(directory, Arc::clone(&clock) as Arc<dyn Clock>).await?, plate.agents).await?;
    let estate = Arc::new(estate);
    stories::tell(&estate, &clock, now, plate.records).await?;
    let records = estate.engine.head();
    estate.engine.close().await;
    let seconds = began.elapsed().as_secs_f64();
    progress(json, &format!("its {records} records are verified"));
    let began = Instant::now();
    let (data, anchors) = (directory.join("data"), directory.join("anchors"));
    let verified = tokio::task::spawn_blocking(move || verify_directory(&data, Some(&anchors), None)).await??;
    ensure!(verified.entries == records, "the ledger does not hold what was recorded: {verified:?}");
    std::fs::write(&path, serde_json::to_vec(plate)?)?;
    Ok(Some(Made { seconds, per_second: records as f64 / seconds, verified_seconds: began.elapsed().as_secs_f64() }))
}

/// Starts Remit as it is shipped: how long that takes, and its memory then.
async fn start(directory: &Path) -> anyhow::Result<(f64, f64)> {
    let began = Instant::now();
    let remit = Remit::start(directory.to_owned()).await?;
    let seconds = began.elapsed().as_secs_f64();
    let resident_mib = resident_mib(remit.pid);
    remit.stop().await?;
    Ok((seconds, resident_mib))
}

struct AllLooked {
    present: Present,
    pages: Vec<Looked>,
    assets: Assets,
    live: Live,
    busy: BusyResults,
    resident_mib: f64,
}

async fn look(server: &Server, arguments: &PagesArgs, json: bool) -> anyhow::Result<AllLooked> {
    let estate = Arc::new(Estate::find(server.engine.clone(), arguments.agents)?);
    progress(json, "tasks, questions and requests begin");
    let present = Present::begin(&estate).await?;
    let address = address(&server.addresses.control)?;
    let owner = estate.agents.first().context("there is no agent")?.owner;
    let mut visitors = Visitors {
        administrator: Visitor::sign_in(&estate, address, estate.root).await?,
        owner: Visitor::sign_in(&estate, address, owner).await?,
    };
    let (mut pages, wanted) = (Vec::new(), arguments.only.as_deref().unwrap_or_default());
    for place in PLACES.iter().filter(|place| place.what.starts_with(wanted)) {
        progress(json, place.what);
        pages.push(visitors.look(place, &present, arguments.times).await?);
    }
    let assets = visitors.fetch_assets().await?;
    progress(json, "questions on an open page");
    let live = live::measure(&estate, &visitors.administrator, arguments.questions).await?;
    progress(json, "the same while calls are made");
    let busy = busy(&estate, &mut visitors, &present, arguments).await?;
    Ok(AllLooked { present, pages, assets, live, busy, resident_mib: resident_mib("self") })
}

/// The pages that people have open while agents work, and questions, beside calls.
async fn busy(
    estate: &Arc<Estate>,
    visitors: &mut Visitors,
    present: &Present,
    arguments: &PagesArgs,
) -> anyhow::Result<BusyResults> {
    let (began, calls) = (Instant::now(), Busy::begin(estate, BUSY_CALLS).await?);
    let mut pages = Vec::new();
    for place in PLACES.iter().filter(|place| BUSY_PAGES.contains(&place.what)) {
        pages.push(visitors.look(place, present, arguments.times).await?);
    }
    let live = live::measure(estate, &visitors.administrator, arguments.questions).await?;
    let made = calls.end().await?;
    Ok(BusyResults { calls_per_second: made as f64 / began.elapsed().as_secs_f64(), pages, live })
}

/// Where the control plane listens.
fn address(control: &str) -> anyhow::Result<SocketAddr> {
    let url = Url::parse(control)?;
    let port = url.port_or_known_default().context("the control plane has no port")?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}
