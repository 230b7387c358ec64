//! A person's answer to a request, as a form sends it.

use axum::extract::{Path, State};
use axum::response::Redirect;
use remit_domain::Command;
use serde::Deserialize;

use super::parse;
use crate::Console;
use crate::errors::PageError;
use crate::pages::control::written;
use crate::session::{Nothing, SentForm};

/// Says yes: the next call that it covers is allowed, where the policies let it.
pub(crate) async fn approve(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Nothing>,
) -> Result<Redirect, PageError> {
    let grant = parse(&id)?;
    console.engine.submit(sent.viewer.actor(), Command::ApproveGrant { grant }).await?;
    Ok(Redirect::to(&format!("/grants/{grant}")))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Note {
    #[serde(default)]
    note: String,
}

/// Says no, or takes back what one asked for; the note reaches an agent that asked.
pub(crate) async fn deny(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Note>,
) -> Result<Redirect, PageError> {
    let grant = parse(&id)?;
    let command = Command::DenyGrant { grant, note: written(&sent.fields.note) };
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(Redirect::to("/grants"))
}
