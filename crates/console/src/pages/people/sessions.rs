//! The sessions of a person that are open, and the end of one.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{Command, Refusal, Session, SessionId, SignInMethod};
use serde::Deserialize;

use super::{About, find};
use crate::errors::PageError;
use crate::pages::control;
use crate::parts::id;
use crate::parts::pill::{Tone, pill};
use crate::parts::time::{moment, remaining};
use crate::session::SentForm;
use crate::{Console, layout};

/// Seen by the person themself and by administrators, who alone can end one.
pub(super) fn section(about: &About<'_>) -> Markup {
    let own = |session: &&Session| session.person == about.person.id && about.now < session.expires_at;
    let mut sessions: Vec<&Session> = about.state.sessions.values().filter(own).collect();
    sessions.sort_by_key(|session| (session.opened_at, session.id));
    html! {
        section {
            h2 { "Sessions" }
            @if sessions.is_empty() {
                p .quiet { "None is open: they are signed in nowhere." }
            } @else {
                table .rows {
                    thead { tr { th { "Began" } th { "By" } th { "Life" } th { "End it" } } }
                    tbody { @for session in sessions { (row(about, session)) } }
                }
            }
        }
    }
}

fn row(about: &About<'_>, session: &Session) -> Markup {
    let usable = control::may(about.state, about.viewer, &Command::EndSession { session: session.id }, about.now);
    let why = format!("end-{}-why", session.id);
    html! {
        tr {
            td { (moment(session.opened_at, about.now)) " " (id::short(session.id)) }
            td {
                (method(session.method_at(about.now)))
                @if session.recovery { " " (pill(Tone::Bad, "recovery")) }
                @if session.id == about.viewer.session { " " (pill(Tone::Quiet, "this one")) }
            }
            td { (remaining(session.expires_at, about.now)) }
            td {
                form method="post" action=(about.address("end-session")) {
                    (layout::token(about.viewer))
                    input type="hidden" name="session" value=(session.id);
                    button .plain type="submit" disabled[usable.is_err()] aria-describedby=(why) { "End" }
                    (control::why(&why, &usable))
                }
            }
        }
    }
}

pub(super) const fn method(method: SignInMethod) -> &'static str {
    match method {
        SignInMethod::LocalSocket => "the local socket",
        SignInMethod::OneTimeLink => "a one-time link",
        SignInMethod::Passkey => "a passkey",
        SignInMethod::FreshPasskey => "a passkey, just now",
        SignInMethod::OpenIdConnect => "their organisation",
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    session: String,
}

pub(crate) async fn end(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Which>,
) -> Result<Redirect, PageError> {
    let person = console.engine.read(|state| find(state, &name).cloned())?;
    let unknown = || Refusal::unknown("session", sent.fields.session.chars().take(64).collect::<String>());
    let session: SessionId = sent.fields.session.parse().map_err(|_| unknown())?;
    console.engine.submit(sent.viewer.actor(), Command::EndSession { session }).await?;
    Ok(Redirect::to(&format!("/people/{}", person.name)))
}
