//! The end of a person in the realm, with everything in their name.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::Command;
use serde::Deserialize;

use super::{About, find};
use crate::errors::PageError;
use crate::pages::control;
use crate::parts::text::shown;
use crate::session::SentForm;
use crate::{Console, layout};

pub(super) fn action(about: &About<'_>) -> Markup {
    let usable = control::may(about.state, about.viewer, &Command::RemovePerson { person: about.person.id }, about.now);
    html! {
        details name="action" {
            summary .danger { "Remove" }
            form method="post" action=(about.address("remove")) {
                (layout::token(about.viewer))
                p .quiet { "Their sessions end, and so does every task in their name or started by them. What they did stays on record." }
                label .check {
                    input type="checkbox" name="sure" value="yes" required disabled[usable.is_err()];
                    "remove " strong { (shown(&about.person.name)) }
                }
                button .danger type="submit" disabled[usable.is_err()] aria-describedby="remove-why" { "Remove" }
                (control::why("remove-why", &usable))
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sure {
    /// Absent if the box is not ticked.
    #[serde(default)]
    sure: String,
}

pub(crate) async fn remove(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Sure>,
) -> Result<Redirect, PageError> {
    let person = console.engine.read(|state| find(state, &name).cloned())?;
    if sent.fields.sure != "yes" {
        return Ok(Redirect::to(&format!("/people/{}", person.name)));
    }
    console.engine.submit(sent.viewer.actor(), Command::RemovePerson { person: person.id }).await?;
    Ok(Redirect::to("/people"))
}
