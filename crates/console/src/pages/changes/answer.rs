//! A person's answer to a change, as a form sends it.

use axum::extract::{Path, State};
use axum::response::Redirect;
use remit_domain::{ChangeId, ChangeKind, Command, Event, Refusal};
use serde::Deserialize;

use super::parse;
use crate::Console;
use crate::errors::PageError;
use crate::session::{Nothing, SentForm};

/// A note, and for reviews whether it was right.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    note: String,
    #[serde(default)]
    upheld: String,
}

impl Answer {
    /// Browsers write line ends as two characters, of which the record keeps one.
    fn note(&self) -> String {
        self.note.trim().replace("\r\n", "\n")
    }
}

fn back(change: ChangeId) -> Redirect {
    Redirect::to(&format!("/changes/{change}"))
}

/// Says yes: what the page showed is active with the next call.
pub(crate) async fn approve(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Nothing>,
) -> Result<Redirect, PageError> {
    let change = parse(&id)?;
    console.engine.submit(sent.viewer.actor(), Command::ApproveChange { change }).await?;
    Ok(back(change))
}

pub(crate) async fn reject(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Answer>,
) -> Result<Redirect, PageError> {
    let change = parse(&id)?;
    let command = Command::RejectChange { change, note: sent.fields.note() };
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(back(change))
}

pub(crate) async fn review(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Answer>,
) -> Result<Redirect, PageError> {
    let change = parse(&id)?;
    let upheld = match sent.fields.upheld.as_str() {
        "yes" => true,
        "no" => false,
        _ => {
            let refusal = Refusal::new("bad_form", "the form does not say whether the change was right");
            return Err(refusal.help("reload the page and answer again").into());
        }
    };
    let command = Command::ReviewChange { change, upheld, note: sent.fields.note() };
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(back(change))
}

/// Proposes that everything becomes what it was before the change.
pub(crate) async fn revert(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Answer>,
) -> Result<Redirect, PageError> {
    let id = parse(&id)?;
    let known = console.engine.change(id).await?.ok_or_else(|| Refusal::unknown("change", id))?;
    if known.active_seq.is_none() {
        let refusal =
            Refusal::new("change_not_active", "this change never became active, so there is nothing to revert");
        return Err(refusal.into());
    }
    let before = console.engine.before_change(&known).await.map_err(|error| error.refusal())?;
    let undoing = remit_review::undo(&known.change, &before, &console.engine.state());
    if undoing.edits.is_empty() {
        let sentence = format!("nothing that `{id}` edited can become what it was: it is so already, or was not there");
        return Err(Refusal::new("nothing_changes", sentence).help("what was added is removed by hand").into());
    }
    let said = sent.fields.note();
    let reason = if said.is_empty() { format!("revert: {}", known.change.reason) } else { said };
    let command = Command::ProposeChange { edits: undoing.edits, reason, revert_of: Some(id) };
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    let proposed = receipt.events.iter().find_map(|event| match event {
        Event::ChangeProposed(proposed) if matches!(proposed.kind, ChangeKind::Revert { .. }) => Some(proposed.change),
        _ => None,
    });
    // While there is nobody else, it is done, and this page shows it.
    Ok(back(proposed.unwrap_or(id)))
}
