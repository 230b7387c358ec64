//! A person's yes or no, as a form sends it.

use axum::extract::{Path, State};
use axum::response::Redirect;
use remit_domain::{ApprovalId, Command, Deny, Digest, Refusal};
use remit_people::{PeopleError, assertion};
use serde::Deserialize;

use crate::Console;
use crate::errors::PageError;
use crate::session::SentForm;

/// What the page showed, and a note.
#[derive(Debug, Deserialize)]
pub(crate) struct Yes {
    #[serde(default)]
    digest: String,
    /// The commitment to what was shown.
    #[serde(default)]
    shown: String,
    /// The passkey's answer, where its person has one.
    #[serde(default)]
    credential: String,
    #[serde(default)]
    note: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct No {
    #[serde(default)]
    note: String,
}

/// Says yes to what the page showed; the engine refuses it if that is not what waits.
pub(crate) async fn approve(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<Yes>,
) -> Result<Redirect, PageError> {
    let approval = parse(&id)?;
    let Yes { digest, shown, credential, note } = &sent.fields;
    let shown = Some(shown).filter(|shown| !shown.is_empty()).map(|shown| digest_of(shown)).transpose()?;
    let assertion =
        Some(credential).filter(|credential| !credential.is_empty()).map(|credential| assertion(credential));
    let assertion = assertion.transpose().map_err(PeopleError::from)?;
    let (actor, digest, note) = (sent.viewer.actor(), digest_of(digest)?, self::note(note));
    console.people.approve(actor, approval, digest, shown, &note, assertion.as_ref()).await?;
    Ok(Redirect::to(&format!("/approvals/{approval}")))
}

/// Says no; the note reaches the agent.
pub(crate) async fn deny(
    State(console): State<Console>,
    Path(id): Path<String>,
    sent: SentForm<No>,
) -> Result<Redirect, PageError> {
    let approval = parse(&id)?;
    let command = Command::Deny(Deny { approval, note: note(&sent.fields.note) });
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(Redirect::to(&format!("/approvals/{approval}")))
}

fn digest_of(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|_| {
        Refusal::new("bad_digest", "the form does not say what you were shown").help("reload the page and answer again")
    })
}

/// The id in an address, or the refusal for what cannot be one.
pub(super) fn parse(id: &str) -> Result<ApprovalId, Refusal> {
    id.parse().map_err(|_| Refusal::unknown("approval", id.chars().take(64).collect::<String>()))
}

/// Browsers write line ends as two characters, of which the record keeps one.
fn note(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}
