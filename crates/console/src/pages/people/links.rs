//! Who a person is at issuers elsewhere: how they sign in through one, and whose signals about them are heeded.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{Command, External, limits};
use serde::Deserialize;

use super::{About, find};
use crate::errors::PageError;
use crate::pages::control;
use crate::parts::text::shown;
use crate::session::SentForm;
use crate::{Console, layout};

pub(super) fn section(about: &About<'_>) -> Markup {
    let linked = about.state.people_by_external.iter().filter(|(_, person)| **person == about.person.id);
    let mut links: Vec<&External> = linked.map(|(external, _)| external).collect();
    links.sort();
    let probe = Command::LinkPerson {
        person: about.person.id,
        issuer: "https://issuer.invalid".to_owned(),
        subject: about.person.id.to_string(),
    };
    let usable = control::may(about.state, about.viewer, &probe, about.now);
    html! {
        section {
            h2 { "Accounts elsewhere" }
            @if links.is_empty() {
                p .quiet { "None: nobody else's sign-in leads here, and no signal is about them." }
            } @else {
                table .rows {
                    thead { tr { th { "Issuer" } th { "Known there as" } } }
                    tbody { @for link in links { tr { td { code { (shown(&link.issuer)) } } td { code { (shown(&link.subject)) } } } } }
                }
            }
            details {
                summary { "Link an account" }
                form .stack method="post" action=(about.address("link")) {
                    (layout::token(about.viewer))
                    label for="issuer" { "Issuer" }
                    input #issuer name="issuer" required maxlength=(limits::ADDRESS_BYTES_MAX) placeholder="https://idp.example"
                        autocomplete="off" disabled[usable.is_err()];
                    label for="subject" { "What it calls them (" code { "sub" } ")" }
                    input #subject name="subject" required maxlength=(limits::ADDRESS_BYTES_MAX) autocomplete="off" disabled[usable.is_err()];
                    button type="submit" disabled[usable.is_err()] aria-describedby="link-why" { "Link" }
                    (control::why("link-why", &usable))
                }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    subject: String,
}

pub(crate) async fn link(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Account>,
) -> Result<Redirect, PageError> {
    let person = console.engine.read(|state| find(state, &name).cloned())?;
    let (issuer, subject) = (sent.fields.issuer.trim().to_owned(), sent.fields.subject.trim().to_owned());
    let command = Command::LinkPerson { person: person.id, issuer, subject };
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(Redirect::to(&format!("/people/{}", person.name)))
}
