//! Lists of tools for many different callers: each is decided anew, for that caller alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::Serialize;
use serde::de::IgnoredAny;
use tokio::task::JoinSet;

use super::calls::{Quantiles, micros_each, quantiles};
use super::estate::{Caller, People};
use super::place::{Echo, Remit};
use super::requests::Target;
use super::spread::Spread;
use super::{Plan, load, processor};
use crate::command::bench::Generation;

/// Callers that list at the same time.
const IN_FLIGHT: usize = 4;

/// What lists cost.
#[derive(Debug, Serialize)]
pub struct Lists {
    pub callers: usize,
    pub tools: usize,
    /// A whole list, all pages of it.
    pub milliseconds: Quantiles,
    pub per_second: Spread,
    /// Remit's processor time for one list, and for one tool on it, in microseconds.
    pub own_us: Spread,
    pub own_us_each_tool: f64,
    pub resident_mib: f64,
}

/// The estate that lists and streams share.
#[derive(Debug)]
pub struct Crowd {
    pub remit: Remit,
    pub callers: Vec<Caller>,
    pub tools: usize,
    echo: Echo,
}

impl Crowd {
    /// Callers with an agent, a grant and a task each, and two connectors with half of the tools each: one connector has no
    /// room for all.
    ///
    /// # Errors
    /// If something cannot be started or built.
    pub async fn gather(plan: &Plan, directory: &std::path::Path) -> anyhow::Result<Self> {
        let half = plan.tools / 2;
        let echo = Echo::start(half).await?;
        let remit = Remit::start(directory.join("crowd")).await?;
        let people = People::gather(&remit).await?;
        for name in ["one", "two"] {
            people.connect(name, &echo.url, half).await?;
        }
        plan.progress(&format!("{} callers with a grant and a task each", plan.callers));
        let callers = people.callers(plan.callers, &["one/*", "two/*"]).await?;
        Ok(Self { remit, callers, tools: half * 2, echo })
    }

    /// The joined address, for nobody yet.
    ///
    /// # Errors
    /// If its name is not known.
    pub async fn target(&self, generation: Generation) -> anyhow::Result<Target> {
        let target = Target::at("remit", &self.remit.mcp_url, generation, None).await?;
        Ok(target.of_processes(&[self.remit.pid], &[self.echo.pid]))
    }
}

/// Each caller of `crowd` lists once in each run.
///
/// # Errors
/// If a list is not whole.
pub async fn measure(plan: &Plan, crowd: &Crowd) -> anyhow::Result<Lists> {
    let target = crowd.target(Generation::Modern).await?;
    let targets: Arc<Vec<Target>> = Arc::new(crowd.callers.iter().map(|one| target.with_token(&one.token)).collect());
    let (mut latencies, mut per_second, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.runs {
        plan.progress(&format!("{} callers list {} tools", crowd.callers.len(), crowd.tools));
        let (targets, tools) = (Arc::clone(&targets), crowd.tools);
        let (begun, before) = (Instant::now(), processor::used(&target.own));
        let mut nanoseconds = load::on_own_thread(move || list_all(targets, tools)).await?;
        let used = processor::used(&target.own).saturating_sub(before);
        nanoseconds.sort_unstable();
        per_second.push(nanoseconds.len() as f64 / begun.elapsed().as_secs_f64());
        own.push(micros_each(used, nanoseconds.len() as u64));
        latencies.push(nanoseconds);
    }
    let own_us = Spread::of(own);
    Ok(Lists {
        callers: crowd.callers.len(),
        tools: crowd.tools,
        milliseconds: quantiles(&latencies),
        per_second: Spread::of(per_second),
        own_us,
        own_us_each_tool: own_us.median / crowd.tools as f64,
        resident_mib: processor::resident_mib(crowd.remit.pid),
    })
}

/// How long each caller's list took, in nanoseconds.
async fn list_all(targets: Arc<Vec<Target>>, tools: usize) -> anyhow::Result<Vec<u64>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut listing = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (targets, next) = (Arc::clone(&targets), Arc::clone(&next));
        listing.spawn(async move {
            let mut nanoseconds = Vec::new();
            while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                let begun = Instant::now();
                let listed = list(target).await?;
                nanoseconds.push(u64::try_from(begun.elapsed().as_nanos())?);
                anyhow::ensure!(listed == tools, "a caller was shown {listed} tools instead of {tools}");
            }
            anyhow::Ok(nanoseconds)
        });
    }
    let mut nanoseconds = Vec::new();
    while let Some(listed) = listing.join_next().await {
        nanoseconds.extend(listed??);
    }
    Ok(nanoseconds)
}

#[derive(Deserialize)]
struct Page {
    result: Tools,
}

#[derive(Deserialize)]
struct Tools {
    tools: Vec<IgnoredAny>,
    #[serde(rename = "nextCursor")]
    next: Option<String>,
}

/// Lists all pages over a connection of its own. How many tools there were.
async fn list(target: &Target) -> anyhow::Result<usize> {
    let (mut wire, mut cursor, mut listed) = (target.connect().await?, None, 0);
    loop {
        let request = target.list(cursor.as_deref());
        let answer = wire.ask(&request).await?;
        if answer.status != 200 {
            bail!("the tools are not listed: {}", answer.shown());
        }
        let page: Page = serde_json::from_slice(answer.body).with_context(|| format!("no list: {}", answer.shown()))?;
        listed += page.result.tools.len();
        match page.result.next {
            Some(next) => cursor = Some(next),
            None => return Ok(listed),
        }
    }
}
