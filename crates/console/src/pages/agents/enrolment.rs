//! A one-time code with which an agent's own machine enrols a key.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Command, Digest, Event, Refusal, Timestamp};
use remit_identity::enrol::EnrolmentCode;
use serde::Deserialize;

use super::{About, Tab, address, id_of};
use crate::Console;
use crate::errors::PageError;
use crate::layout;
use crate::pages::control;
use crate::parts::text::shown;
use crate::parts::time::remaining;
use crate::session::{SentForm, Viewer};

/// How long a code can be used, as the page offers it: minutes, and how it is said.
const LIVES: [(u64, &str); 3] = [(15, "a quarter of an hour"), (60, "an hour"), (24 * 60, "a day")];

pub(super) fn action(about: &About<'_>) -> Markup {
    let (agent, code) = (about.agent.id, Digest::of_bytes(b"probe"));
    let usable = about.can(&Command::OfferEnrolment { agent, code, ttl_seconds: 60 });
    html! {
        details name="action" {
            summary { "Enrol a key" }
            form method="post" action=(about.address("enrolment")) {
                (layout::token(about.viewer))
                p .quiet {
                    "Its own machine makes a key and enrols it with a code that works once. Then its tokens can be bound to that key, and are "
                    "worth nothing to anybody else. A code that was offered before stops working."
                }
                label for="enrolment-minutes" { "Good for" }
                select #enrolment-minutes name="minutes" disabled[usable.is_err()] {
                    @for (minutes, words) in LIVES { option value=(minutes) { (words) } }
                }
                button .primary type="submit" disabled[usable.is_err()] aria-describedby="enrolment-why" { "Make a code" }
                (control::why("enrolment-why", &usable))
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Life {
    #[serde(default)]
    minutes: String,
}

/// Makes a code and shows it, this once: only its digest is kept.
pub(crate) async fn offer(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Life>,
) -> Result<Markup, PageError> {
    let agent = id_of(&console, &name)?;
    let life = LIVES.iter().find(|(minutes, _)| minutes.to_string() == sent.fields.minutes);
    let (minutes, _) =
        life.ok_or_else(|| Refusal::new("bad_duration", "a code is good for one of the times offered"))?;
    let code = EnrolmentCode::generate().map_err(|_| {
        PageError::Unavailable(Refusal::new("no_randomness", "the system gives no randomness, so no code was made"))
    })?;
    let digest = Digest::from_bytes(code.digest());
    let command = Command::OfferEnrolment { agent, code: digest, ttl_seconds: minutes * 60 };
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    let until = receipt.events.iter().find_map(|event| match event {
        Event::EnrolmentOffered { expires_at, .. } => Some(*expires_at),
        _ => None,
    });
    let until = until.ok_or_else(|| {
        PageError::Unavailable(Refusal::new("no_offer", "the code was not recorded").help("make another one"))
    })?;
    page(&console, &sent.viewer, &name, &code, until)
}

fn page(
    console: &Console,
    viewer: &Viewer,
    name: &str,
    code: &EnrolmentCode,
    until: Timestamp,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, viewer, name, now)?;
    let issuer = state.realm.as_ref().map_or("", |realm| realm.issuer.as_str());
    let name = &about.agent.name;
    let command = format!("remit agent enrol-key {name} --code {} --issuer {issuer} --key {name}.key", code.expose());
    Ok(about.page(
        Tab::Beside("Enrolment"),
        &html! {
            section {
                h2 { "On the agent's own machine" }
                p { "The code works once, " (remaining(until, now)) ", and is shown now and never again." }
                div .paste {
                    button type="button" data-copy data-copy-from="enrolment" { "Copy" }
                    pre #enrolment { (shown(&command)) }
                }
                div .notice { p { "Whoever has the code can make their key the agent's. Give it to nobody who does not run the agent." } }
                p { a href=(address(about.agent)) { "Done" } }
            }
        },
    ))
}
