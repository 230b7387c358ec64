//! When a person is away, and who answers in their place meanwhile.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{Absence, Command, Edit, Refusal, State as Realm, Timestamp, limits};
use serde::Deserialize;

use super::{About, find, onwards};
use crate::errors::PageError;
use crate::names::Names;
use crate::pages::control::{self, written};
use crate::parts::time::{midnight, moment};
use crate::session::SentForm;
use crate::{Console, layout};

pub(super) fn section(about: &About<'_>) -> Markup {
    let names = Names(about.state);
    let edit = Edit::Absence { person: about.person.id, absence: None };
    let there = Command::ProposeChange { edits: vec![edit], reason: "as it is".to_owned(), revert_of: None };
    let usable = control::may(about.state, about.viewer, &there, about.now);
    let current = about.person.absence.as_ref().filter(|absence| about.now < absence.until);
    let stands_in = about.state.absent_for(about.person.id, about.now);
    html! {
        section {
            h2 { "Away" }
            @match current {
                Some(absence) => p {
                    "From " (moment(absence.from, about.now)) " until " (moment(absence.until, about.now)) ", "
                    (names.person(absence.deputy)) " answers in their place."
                },
                None => p .quiet { "They are there." },
            }
            @if !stands_in.is_empty() {
                p { "They answer now in the place of " @for (place, absent) in stands_in.iter().enumerate() {
                    @if place > 0 { ", " } (names.person(absent.id))
                } "." }
            }
            details {
                summary { "Name a deputy" }
                form .stack method="post" action=(about.address("absence")) {
                    (layout::token(about.viewer))
                    label for="deputy" { "Who answers meanwhile" }
                    input #deputy name="deputy" maxlength=(limits::NAME_BYTES_MAX) autocomplete="off" placeholder="their name"
                        disabled[usable.is_err()];
                    label for="from" { "From the beginning of (UTC; now if left empty)" }
                    input #from name="from" type="date" disabled[usable.is_err()];
                    label for="until" { "Until the beginning of (UTC)" }
                    input #until name="until" type="date" disabled[usable.is_err()];
                    label for="absence-reason" { "Why" }
                    input #absence-reason name="reason" required maxlength=(limits::TEXT_BYTES_MAX) disabled[usable.is_err()];
                    button type="submit" name="away" value="yes" disabled[usable.is_err()] aria-describedby="absence-why" { "Propose" }
                    @if current.is_some() {
                        button type="submit" name="away" value="no" disabled[usable.is_err()] aria-describedby="absence-why" {
                            "Propose that they are back"
                        }
                    }
                    (control::why("absence-why", &usable))
                    p .quiet { "An administrator who is neither of the two agrees to it." }
                }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Away {
    #[serde(default)]
    deputy: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    away: String,
}

impl Away {
    fn absence(&self, state: &Realm, now: Timestamp) -> Result<Option<Absence>, Refusal> {
        if self.away == "no" {
            return Ok(None);
        }
        let deputy = find(state, self.deputy.trim())?.id;
        let from = if self.from.trim().is_empty() { now } else { midnight(&self.from)? };
        Ok(Some(Absence { deputy, from, until: midnight(&self.until)? }))
    }
}

pub(crate) async fn propose(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Away>,
) -> Result<Redirect, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let person = find(&state, &name)?;
    let edits = vec![Edit::Absence { person: person.id, absence: sent.fields.absence(&state, now)? }];
    let command = Command::ProposeChange { edits, reason: written(&sent.fields.reason), revert_of: None };
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(onwards(&receipt, &format!("/people/{}", person.name)))
}
