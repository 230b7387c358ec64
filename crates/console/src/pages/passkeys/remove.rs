//! The end of a passkey.

use axum::extract::State;
use axum::response::Redirect;
use remit_domain::Command;
use serde::Deserialize;

use crate::Console;
use crate::errors::PageError;
use crate::session::SentForm;

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    credential: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn remove(State(console): State<Console>, sent: SentForm<Which>) -> Result<Redirect, PageError> {
    let actor = sent.viewer.actor();
    let Which { credential, reason } = sent.fields;
    let reason = reason.trim().to_owned();
    console.engine.submit(actor, Command::RemovePasskey { credential, reason }).await?;
    Ok(Redirect::to("/passkeys"))
}
