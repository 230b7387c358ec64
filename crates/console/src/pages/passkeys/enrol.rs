//! A new passkey, as the browser made it.

use axum::extract::State;
use axum::response::Redirect;
use remit_people::{PeopleError, registration};
use serde::Deserialize;

use crate::Console;
use crate::errors::PageError;
use crate::session::SentForm;

#[derive(Debug, Deserialize)]
pub(crate) struct New {
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    label: String,
}

pub(crate) async fn enrol(State(console): State<Console>, sent: SentForm<New>) -> Result<Redirect, PageError> {
    let New { ceremony, credential, label } = &sent.fields;
    let new = registration(credential).map_err(PeopleError::from)?;
    let (actor, session) = (sent.viewer.actor(), Some(sent.viewer.session));
    console.people.enrol(actor, session, ceremony, &new, label.trim()).await?;
    Ok(Redirect::to("/passkeys"))
}
