//! The life of an agent: activation, suspension, resumption and the end.

use axum::extract::{Path, State};
use axum::response::Redirect;
use remit_domain::{AgentId, Command};
use serde::Deserialize;

use super::{address, id_of};
use crate::Console;
use crate::errors::PageError;
use crate::pages::control::written;
use crate::session::{Nothing, SentForm, Viewer};

#[derive(Debug, Deserialize)]
pub(crate) struct Why {
    #[serde(default)]
    reason: String,
}

/// Submits `command` about the agent and leads to `page` of it.
async fn submit(
    console: &Console,
    viewer: &Viewer,
    name: &str,
    page: &str,
    command: impl FnOnce(AgentId) -> Command,
) -> Result<Redirect, PageError> {
    let agent = id_of(console, name)?;
    console.engine.submit(viewer.actor(), command(agent)).await?;
    let address = console.engine.read(|state| state.agent(agent).map(|agent| address(agent)))?;
    Ok(Redirect::to(&format!("{address}{page}")))
}

pub(crate) async fn activate(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Nothing>,
) -> Result<Redirect, PageError> {
    submit(&console, &sent.viewer, &name, "", |agent| Command::ActivateAgent { agent }).await
}

pub(crate) async fn resume(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Nothing>,
) -> Result<Redirect, PageError> {
    submit(&console, &sent.viewer, &name, "", |agent| Command::ResumeAgent { agent }).await
}

/// Ends everything that it has under way; it can be resumed.
pub(crate) async fn suspend(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Why>,
) -> Result<Redirect, PageError> {
    let reason = written(&sent.fields.reason);
    submit(&console, &sent.viewer, &name, "/receipt", |agent| Command::SuspendAgent { agent, reason }).await
}

/// Ends it for good.
pub(crate) async fn end(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Why>,
) -> Result<Redirect, PageError> {
    let reason = written(&sent.fields.reason);
    submit(&console, &sent.viewer, &name, "/receipt", |agent| Command::DecommissionAgent { agent, reason }).await
}
