//! What is under way while pages are looked at: live tasks with sub-tasks, questions and requests that wait, and more calls if asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use remit_domain::{ApprovalId, GrantId, TaskId};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::estate::{Estate, Held, TOOLS, connector_name};
use super::stories::{self, Called};

/// How long a live task may be there for.
const TASK_SECONDS: u64 = 2 * 3_600;
/// One agent of so many has a live task, at most [`TASKS_MAX`].
const TASKS_SHARE: usize = 20;
const TASKS_MIN: usize = 5;
const TASKS_MAX: usize = 500;
/// One live task of so many has two sub-tasks.
const PARENTS_SHARE: usize = 5;
/// One agent of so many has asked something, at most [`ASKED_MAX`].
const ASKED_SHARE: usize = 100;
const ASKED_MIN: usize = 3;
const ASKED_MAX: usize = 100;
/// Requests for grants that wait.
const REQUESTS: usize = 20;

/// What there is to look at.
#[derive(Debug)]
pub struct Present {
    pub agents: usize,
    /// Records in the ledger.
    pub head: u64,
    pub tasks: Vec<TaskId>,
    pub approvals: Vec<ApprovalId>,
    pub requests: Vec<GrantId>,
}

impl Present {
    /// Begins what is under way.
    ///
    /// # Errors
    /// What is refused.
    pub async fn begin(estate: &Estate) -> anyhow::Result<Self> {
        let (mut tasks, mut approvals, mut requests) = (Vec::new(), Vec::new(), Vec::new());
        let agents = estate.agents.len();
        for number in 0..(agents / TASKS_SHARE).clamp(TASKS_MIN, TASKS_MAX) {
            let held = spread(estate, number)?;
            let task = stories::start(estate, held, number, None, TASK_SECONDS).await?;
            work(estate, held, task, number).await?;
            tasks.push(task);
            for child in (0..2).filter(|_| number.is_multiple_of(PARENTS_SHARE)) {
                tasks.push(stories::start(estate, held, number + child, Some(task), TASK_SECONDS / 2).await?);
            }
        }
        for number in 0..(agents / ASKED_SHARE).clamp(ASKED_MIN, ASKED_MAX) {
            let held = spread(estate, number)?;
            let task = stories::start(estate, held, number, None, TASK_SECONDS).await?;
            approvals.push(ask(estate, held, task, number).await?);
        }
        for number in 0..REQUESTS {
            let held = spread(estate, number)?;
            requests
                .push(estate.request(held.id, &format!("{}/tool-2", connector_name(held.connector + 3)), 3_600).await?);
        }
        Ok(Self { agents, head: estate.engine.head(), tasks, approvals, requests })
    }
}

/// Agents that are far apart; one in five is the administrator's.
fn spread(estate: &Estate, number: usize) -> anyhow::Result<Held> {
    let place = 7 + number * 10;
    estate.agents.get(place % estate.agents.len().max(1)).copied().context("there is no agent")
}

async fn work(estate: &Estate, held: Held, task: TaskId, number: usize) -> anyhow::Result<()> {
    for tool in 0..3 {
        if let Called::Allowed(action) = stories::call(estate, held, task, held.connector, tool, number).await? {
            stories::succeed(estate, action).await?;
        }
    }
    Ok(())
}

/// Has `held` try what a person is asked about.
///
/// # Errors
/// If nobody is asked.
pub async fn ask(estate: &Estate, held: Held, task: TaskId, number: usize) -> anyhow::Result<ApprovalId> {
    match stories::call(estate, held, task, held.connector, TOOLS - 1, number).await? {
        Called::Asked(approval) => Ok(approval),
        other => anyhow::bail!("nobody was asked: {other:?}"),
    }
}

/// Calls that go on beside whatever is measured, until this is dropped.
#[derive(Debug)]
pub struct Busy {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
    calling: JoinHandle<anyhow::Result<()>>,
}

impl Busy {
    /// Has `per_second` calls made and their outcomes recorded, each second.
    ///
    /// # Errors
    /// If they cannot begin.
    pub async fn begin(estate: &Arc<Estate>, per_second: u64) -> anyhow::Result<Self> {
        let held = estate.agents.first().copied().context("there is no agent")?;
        let task = stories::start(estate, held, 1, None, TASK_SECONDS).await?;
        let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (estate, stopping, making) = (Arc::clone(estate), Arc::clone(&stop), Arc::clone(&made));
        let mut due = tokio::time::interval(Duration::from_micros(1_000_000 / per_second.max(1)));
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let calling = tokio::spawn(async move {
            while !stopping.load(Ordering::Relaxed) {
                due.tick().await;
                let number = usize::try_from(making.fetch_add(1, Ordering::Relaxed))?;
                let estate = Arc::clone(&estate);
                // Not waited for: calls come whether or not others are answered.
                tokio::spawn(async move {
                    match stories::call(&estate, held, task, held.connector, number % (TOOLS - 1), number).await {
                        Ok(Called::Allowed(action)) => stories::succeed(&estate, action).await,
                        Ok(_) => Ok(()),
                        Err(error) => Err(error),
                    }
                });
            }
            Ok(())
        });
        Ok(Self { stop, made, calling })
    }

    /// Ends it: how many calls were made.
    ///
    /// # Errors
    /// If they have ended by themselves.
    pub async fn end(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.calling.await??;
        Ok(self.made.load(Ordering::Relaxed))
    }
}
