//! `/v1/runs`: what an agent does from start to end, with all its tasks; it ends as one.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Command, RunId, Task, may_read_task};
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::recorded;
use crate::tasks::Why;
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

/// The runs that have live tasks which the caller may read, oldest first.
pub(crate) async fn list(State(api): State<Api>, by: SignedIn, Ask(query): Ask<PageQuery>) -> Answer {
    let state = api.engine.state();
    let mut runs: BTreeMap<RunId, Vec<&Task>> = BTreeMap::new();
    for task in state.live_tasks().filter(|task| may_read_task(&state, by.person, task).is_ok()) {
        runs.entry(task.run).or_default().push(task);
    }
    let rows = runs.into_iter().map(|(run, tasks)| (run.to_string(), (run, tasks))).collect();
    page(rows, &query, |(run, tasks)| {
        let first = tasks.iter().min_by_key(|task| (task.started_at, task.id));
        json!({
            "id": run,
            "agent": first.map(|task| names::of_agent(&state, task.agent)),
            "purpose": first.map(|task| &task.purpose),
            "started_at": first.map(|task| task.started_at.to_string()),
            "tasks": tasks.len(),
        })
    })
}

/// Ends a run: every task of it, and everything below those, in one commit.
pub(crate) async fn revoke(
    State(api): State<Api>,
    by: SignedIn,
    Path(run): Path<String>,
    Body(Why { reason }): Body<Why>,
) -> Answer {
    let run: RunId = names::id("run", &run)?;
    let receipt = api.submit(by.actor(), Command::RevokeRun { run, reason }).await?;
    Ok(recorded(json!({"id": run, "revoked": true}), &receipt))
}
