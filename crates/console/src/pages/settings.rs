//! The viewer's own sessions, and what the realm is.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{Command, Refusal, Session, SignInMethod, State as Realm, Timestamp};

use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::properties::{properties, row};
use crate::parts::text::shown;
use crate::parts::time::{moment, remaining};
use crate::session::{Nothing, SentForm, Viewer};
use crate::{Console, answers};

#[cfg(test)]
mod tests;

pub(crate) async fn show(State(console): State<Console>, viewer: Viewer) -> Markup {
    let (state, now) = (console.engine.state(), console.engine.now());
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Settings", place: Place::Settings, viewer: &viewer, waiting, refreshes: false };
    layout::page(
        &frame,
        &html! {
            h1 { "Settings" }
            (sessions(&state, &viewer, now))
            section {
                h2 { "Passkeys" }
                p { a .button href="/passkeys" { "Your passkeys" } }
            }
            (realm(&state, now))
        },
    )
}

/// Ends one of the viewer's own sessions; `decide` refuses any other.
pub(crate) async fn end_session(
    State(console): State<Console>,
    Path(session): Path<String>,
    sent: SentForm<Nothing>,
) -> Result<Redirect, PageError> {
    let unknown = || Refusal::unknown("session", session.chars().take(64).collect::<String>());
    let session = session.parse().map_err(|_| unknown())?;
    console.engine.submit(sent.viewer.actor(), Command::EndSession { session }).await?;
    Ok(Redirect::to("/settings"))
}

fn sessions(state: &Realm, viewer: &Viewer, now: Timestamp) -> Markup {
    let own = state.sessions.values().filter(|session| session.person == viewer.person && now < session.expires_at);
    let mut own: Vec<&Session> = own.collect();
    own.sort_by_key(|session| std::cmp::Reverse((session.opened_at, session.id)));
    html! {
        section {
            h2 { "Where you are signed in" }
            p .quiet { "End what you do not recognise. Each sign-in and each end is on record." }
            div .scroll {
                table .list .rows {
                    thead { tr { th { "Began" } th { "By" } th { "Ends" } th { "End it" } } }
                    tbody {
                        @for session in own {
                            tr {
                                td { (moment(session.opened_at, now)) @if session.id == viewer.session { " " strong { "this one" } } }
                                td { (how(session)) }
                                td { (remaining(session.expires_at, now)) }
                                td {
                                    form method="post" action={ "/settings/sessions/" (session.id) "/end" } {
                                        (layout::token(viewer))
                                        button .plain type="submit" { "End" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn how(session: &Session) -> &'static str {
    match session.method {
        SignInMethod::OneTimeLink if session.recovery => "a way back in",
        SignInMethod::OneTimeLink => "one-time link",
        SignInMethod::Passkey | SignInMethod::FreshPasskey => "passkey",
        SignInMethod::OpenIdConnect => "identity provider",
        SignInMethod::LocalSocket => "local socket",
    }
}

fn realm(state: &Realm, now: Timestamp) -> Markup {
    let Some(realm) = &state.realm else { return html! {} };
    html! {
        section {
            h2 { "This realm" }
            (properties(&html! {
                (row("Trust domain", &html! { code { (shown(&realm.trust_domain)) } }))
                (row("Issuer", &html! { code { (shown(&realm.issuer)) } }))
                (row("Log", &html! { code { (shown(&realm.origin)) } }))
                (row("Began", &moment(realm.created_at, now)))
                (row("Version", &html! { "Remit " (env!("CARGO_PKG_VERSION")) }))
            }))
            p .quiet { "Listeners, keys and limits stand in " code { "remit.toml" } ": " code { "remit schema config" } " lists every key." }
        }
    }
}
