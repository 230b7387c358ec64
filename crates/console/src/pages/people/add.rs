//! A new person, as a form names them.

use axum::extract::State;
use axum::response::Redirect;
use remit_domain::{AddPerson, Command};
use serde::Deserialize;

use super::{onwards, words};
use crate::Console;
use crate::errors::PageError;
use crate::session::SentForm;

#[derive(Debug, Deserialize)]
pub(crate) struct New {
    #[serde(default)]
    name: String,
    #[serde(default)]
    groups: String,
}

pub(crate) async fn add(State(console): State<Console>, sent: SentForm<New>) -> Result<Redirect, PageError> {
    let name = sent.fields.name.trim().to_owned();
    let page = format!("/people/{name}");
    let command = Command::AddPerson(AddPerson { name, groups: words(&sent.fields.groups) });
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(onwards(&receipt, &page))
}
