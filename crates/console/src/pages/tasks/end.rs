//! The end of a task, or of the whole run that it belongs to, by somebody who says why.

use axum::extract::{Path, State};
use axum::response::Redirect;
use remit_domain::{Command, TaskId};
use serde::Deserialize;

use super::parse;
use crate::Console;
use crate::errors::PageError;
use crate::pages::control::written;
use crate::session::SentForm;

#[derive(Debug, Deserialize)]
pub(crate) struct Why {
    #[serde(default)]
    reason: String,
}

/// Back to the task, with the receipt of its end.
fn receipt_of(task: TaskId) -> Redirect {
    Redirect::to(&format!("/tasks/{task}?receipt=yes"))
}

/// Ends a task and everything under it.
pub(crate) async fn end(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Why>,
) -> Result<Redirect, PageError> {
    let task = parse(&id)?;
    let command = Command::EndTask { task, note: written(&sent.fields.reason) };
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(receipt_of(task))
}

/// Ends every task of its run.
pub(crate) async fn end_run(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Why>,
) -> Result<Redirect, PageError> {
    let task = parse(&id)?;
    let run = console.engine.read(|state| state.task(task).map(|task| task.run))?;
    let command = Command::RevokeRun { run, reason: written(&sent.fields.reason) };
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(receipt_of(task))
}
