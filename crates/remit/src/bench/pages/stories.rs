//! What fills the ledger: tasks with their calls, over the thirty days before now, hour by hour.

use std::sync::Arc;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use remit_domain::{
    ActionId, Actor, ApprovalId, Approve, AttemptAction, Budget, Command, Deny, Event, OperationName, Outcome,
    RecordOutcome, SignInMethod, StartTask, TaskId, Timestamp, Verdict, limits,
};
use remit_engine::ManualClock;
use serde_json::json;

use super::estate::{Estate, Held, PLACES, TOOLS, connector_name, one, scattered};

/// How long ago the first story begins.
pub const PAST_HOURS: u64 = 30 * 24;
const HOUR_SECONDS: u64 = 3_600;
/// Calls of one story, each two records if it is allowed.
const CALLS: usize = 14;
/// Records of one story, nearly.
const STORY_RECORDS: u64 = 29;
/// One call of so many is of something that was not granted; one of so many asks for a person.
const DENIED_SHARE: usize = 31;
const ASKED_SHARE: usize = 97;
/// Stories that are told at the same time.
const AT_A_TIME: usize = 256;

/// What became of a call.
#[derive(Debug, Clone, Copy)]
pub enum Called {
    Allowed(ActionId),
    Denied,
    Asked(ApprovalId),
}

/// Tells stories until the ledger of `estate` has about `records` records, while `clock` goes from where it is to `now`.
///
/// # Errors
/// What is refused.
pub async fn tell(estate: &Arc<Estate>, clock: &ManualClock, now: Timestamp, records: u64) -> anyhow::Result<()> {
    let stories = records.saturating_sub(estate.engine.head()).div_ceil(STORY_RECORDS);
    for hour in 0..PAST_HOURS {
        let numbers = (stories * hour / PAST_HOURS)..(stories * (hour + 1) / PAST_HOURS);
        let telling = numbers.map(|number| {
            let estate = Arc::clone(estate);
            async move { tokio::spawn(async move { story(&estate, usize::try_from(number)?).await }).await? }
        });
        stream::iter(telling).buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
        // Time stands still within an hour: what waits for an answer must not become late by how fast stories are told.
        let end = now.minus_seconds(HOUR_SECONDS * (PAST_HOURS - hour - 1));
        clock.advance_seconds(end.millis_since(estate.engine.now()) / 1_000);
    }
    Ok(())
}

/// One task from its beginning to its end.
async fn story(estate: &Estate, number: usize) -> anyhow::Result<()> {
    let held = estate.agent(number)?;
    let task = start(estate, held, number, None, 4 * HOUR_SECONDS).await?;
    for call in 0..CALLS {
        let number = number * CALLS + call;
        let (connector, tool) = match () {
            () if number % DENIED_SHARE == 5 => (held.connector + 7, 1),
            () if number % ASKED_SHARE == 11 => (held.connector, TOOLS - 1),
            () => (held.connector, scattered(number) % (TOOLS - 1)),
        };
        match self::call(estate, held, task, connector, tool, number).await? {
            Called::Allowed(action) => succeed(estate, action).await?,
            Called::Denied => {}
            Called::Asked(approval) => answer(estate, held, approval, number).await?,
        }
    }
    let end = Command::EndTask { task, note: format!("done with order {}", scattered(number) % 100_000) };
    estate.submit(held.owner, end).await?;
    Ok(())
}

/// Has the administrator start a task of `held`, or the agent itself a sub-task under `parent`. Who started a task, or is acted for,
/// answers no question about it, so what the administrator owns starts its own.
///
/// # Errors
/// If it is refused.
pub async fn start(
    estate: &Estate,
    held: Held,
    number: usize,
    parent: Option<TaskId>,
    ttl_seconds: u64,
) -> anyhow::Result<TaskId> {
    let order = scattered(number) % 100_000;
    let by_itself = parent.is_some() || held.owner == estate.root;
    let acting_for = Some(estate.person(number / 2)?).filter(|person| !by_itself && *person != held.owner);
    let start = StartTask {
        configuration: None,
        agent: held.id,
        purpose: format!("{} order {order} for {}", one(ERRANDS, number), one(PLACES, number / 5)),
        acting_for,
        scope: Vec::new(),
        ttl_seconds: Some(ttl_seconds),
        budget: parent.is_none().then_some(Budget { calls_max: limits::TASK_CALLS_DEFAULT }),
        parent,
        key: None,
        authority: Vec::new(),
        delegation: None,
    };
    let actor = match by_itself {
        true => Actor::Agent { agent: held.id, task: parent },
        false => Actor::Person { person: estate.root, method: SignInMethod::LocalSocket },
    };
    let receipt = estate.engine.submit(actor, Command::StartTask(Box::new(start))).await?;
    super::super::world::started(&receipt).context("no task was started")
}

/// One call under `task`, decided by the starter policies, its arguments kept.
///
/// # Errors
/// If it cannot be decided.
pub async fn call(
    estate: &Estate,
    held: Held,
    task: TaskId,
    connector: usize,
    tool: usize,
    number: usize,
) -> anyhow::Result<Called> {
    let arguments = json!({"key": format!("order-{}", scattered(number) % 100_000)});
    let canonical = serde_json::to_vec(&arguments)?;
    let (content, sealed) = estate.engine.commitment(task, "arguments", canonical).await?;
    let operation = OperationName::new(&connector_name(connector), &format!("tool-{tool}"));
    let attempt = AttemptAction::new(task, operation, Arc::new(arguments), content);
    let actor = Actor::Agent { agent: held.id, task: Some(task) };
    let command = Command::AttemptAction(Box::new(attempt));
    let receipt = estate.engine.submit_with(actor, command, vec![sealed]).await?;
    Ok(match Verdict::among(&receipt.events) {
        Some(Verdict::Allowed(allowed)) => Called::Allowed(allowed.action),
        Some(Verdict::Asked(asked)) => Called::Asked(asked.approval),
        Some(Verdict::Denied(_)) => Called::Denied,
        None => anyhow::bail!("a call was not decided: {:?}", receipt.events),
    })
}

/// Records that an allowed call went well.
///
/// # Errors
/// If it is refused.
pub async fn succeed(estate: &Estate, action: ActionId) -> anyhow::Result<()> {
    let outcome = RecordOutcome { action, outcome: Outcome::Succeeded, result: None, latency_ms: 7 };
    estate.engine.submit(Actor::Remit, Command::RecordOutcome(Box::new(outcome))).await?;
    Ok(())
}

/// Has the owner of `held` answer, yes or no.
async fn answer(estate: &Estate, held: Held, approval: ApprovalId, number: usize) -> anyhow::Result<()> {
    let command = match number.is_multiple_of(3) {
        true => deny(approval),
        false => {
            let digest = estate.engine.read(|state| state.approval(approval).map(|approval| approval.digest))?;
            Command::Approve(Approve::unsigned(approval, digest, "as agreed".to_owned()))
        }
    };
    let events: Vec<Event> = estate.submit(held.owner, command).await?;
    anyhow::ensure!(!events.is_empty(), "an answer was not recorded");
    Ok(())
}

/// No to what `approval` asks.
pub fn deny(approval: ApprovalId) -> Command {
    Command::Deny(Deny { approval, note: "not this week".to_owned() })
}

const ERRANDS: &[&str] =
    &["refund", "ship", "reconcile", "cancel", "translate the letter about", "find the invoice of", "call back about"];
