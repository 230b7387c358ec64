//! The passkeys that a person has, and the form for another.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{Passkey, SignInMethod, State as Realm, Timestamp, limits};
use remit_people::Ceremony;

use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::passkey;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, answers};

pub(crate) async fn list(State(console): State<Console>, viewer: Viewer) -> Result<Markup, PageError> {
    let state = console.engine.state();
    let now = console.engine.now();
    let ceremony = console.people.begin_enrolment(viewer.person, Some(viewer.session))?;
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Your passkeys", place: Place::Settings, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(&state, &viewer, &ceremony, now)))
}

fn render(state: &Realm, viewer: &Viewer, ceremony: &Ceremony, now: Timestamp) -> Markup {
    let own = state.passkeys_of(viewer.person);
    html! {
        div .page-head {
            div {
                h1 { "Your passkeys" }
                p {
                    "A passkey signs you in, and signs each yes of yours over exactly what you were shown. It stays with you: Remit keeps its "
                    "public half alone."
                }
            }
        }
        @if own.is_empty() {
            div .notice {
                p .sentence { "You have none yet, so a one-time link is all that says who you are." }
                p { "With the first one, links sign you in no more, and nobody can answer in your name without it." }
            }
        } @else {
            section {
                h2 { "Enrolled" }
                ul .cards { @for passkey in &own { li { (card(viewer, passkey, now)) } } }
            }
        }
        section {
            h2 { @if own.is_empty() { "Enrol your first passkey" } @else { "Enrol another one" } }
            (enrol_form(state, viewer, &own, ceremony))
        }
    }
}

fn card(viewer: &Viewer, passkey: &Arc<Passkey>, now: Timestamp) -> Markup {
    let id = passkey.credential.as_str();
    html! {
        span .title { (shown(&passkey.label)) }
        span { @if passkey.backed_up { (pill(Tone::Quiet, "synced")) } @else { (pill(Tone::Good, "on one device")) } }
        p .quiet { "enrolled " (moment(passkey.added_at, now)) }
        p {
            details {
                summary { "Remove" }
                form .stack method="post" action="/passkeys/remove" {
                    (layout::token(viewer))
                    input type="hidden" name="credential" value=(id);
                    label for={ "reason-" (id) } { "Why" }
                    input id={ "reason-" (id) } name="reason" required maxlength=(limits::TEXT_BYTES_MAX)
                        placeholder="lost, replaced, not mine";
                    button .danger type="submit" { "Remove this passkey" }
                    p .quiet { "Sessions that it opened end with it." }
                }
            }
        }
    }
}

fn enrol_form(state: &Realm, viewer: &Viewer, own: &[&Arc<Passkey>], ceremony: &Ceremony) -> Markup {
    let recovery = state.sessions.get(&viewer.session).is_some_and(|session| session.recovery);
    let stale = !own.is_empty() && viewer.method != SignInMethod::FreshPasskey && !recovery;
    let full = !recovery && own.len() >= limits::PASSKEYS_MAX;
    html! {
        form .stack method="post" action="/passkeys" data-passkey="create" data-options=(passkey::options(&ceremony.options)) {
            (layout::token(viewer))
            div .field {
                label for="label" { "What you call it" }
                input #label name="label" required maxlength="64" placeholder="laptop, phone, security key";
            }
            (passkey::fields(Some(&ceremony.id)))
            button .primary type="submit" disabled[stale || full] aria-describedby="enrol-why" { "Enrol a passkey" }
            @if full {
                p .reason #enrol-why { "a person has at most " (limits::PASSKEYS_MAX) "; remove one first" }
            } @else if stale {
                p .reason #enrol-why { a href="/step-up?next=%2Fpasskeys" { "confirm with one that you have" } " before you add another" }
            }
        }
        @if own.is_empty() { p { a href="/" { "Not now" } } }
    }
}
