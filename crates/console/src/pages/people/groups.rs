//! The groups that a person is in: what they may, beyond what agents' own records give them.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::Command;
use serde::Deserialize;

use super::{About, find, groups_of, onwards, words};
use crate::errors::PageError;
use crate::pages::control;
use crate::session::SentForm;
use crate::{Console, layout};

pub(super) fn section(about: &About<'_>) -> Markup {
    let groups = about.person.groups.clone();
    let same = Command::SetPersonGroups { person: about.person.id, groups: groups.clone() };
    let usable = control::may(about.state, about.viewer, &same, about.now);
    html! {
        section {
            h2 { "Groups" }
            p { (groups_of(about.person)) }
            details {
                summary { "Change groups" }
                form .stack method="post" action=(about.address("groups")) {
                    (layout::token(about.viewer))
                    label for="groups" { "All groups, in place of those before" }
                    input #groups name="groups" value=(groups.join(", ")) autocomplete="off" disabled[usable.is_err()];
                    p .help {
                        code { "administrators" } " change the realm, " code { "auditors" } " read all records, " code { "reviewers" }
                        " review, " code { "content-readers" } " read what was sent; policies name further ones as approvers."
                    }
                    button type="submit" disabled[usable.is_err()] aria-describedby="groups-why" { "Set groups" }
                    (control::why("groups-why", &usable))
                    p .quiet { "Leaving a group is at once; joining one, another administrator agrees to." }
                }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Groups {
    #[serde(default)]
    groups: String,
}

pub(crate) async fn set(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Groups>,
) -> Result<Redirect, PageError> {
    let person = console.engine.read(|state| find(state, &name).cloned())?;
    let command = Command::SetPersonGroups { person: person.id, groups: words(&sent.fields.groups) };
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(onwards(&receipt, &format!("/people/{}", person.name)))
}
