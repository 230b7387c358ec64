//! A way in for somebody who has no passkey yet: a link that works once and is shown once.

use axum::extract::{Path, State};
use http::header::HOST;
use http::{HeaderMap, Uri};
use maud::{Markup, html};
use remit_domain::{Command, Digest, Event, Person, Refusal, Timestamp};
use remit_identity::code::OneTimeCode;
use serde::Deserialize;

use super::{About, find};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::pages::control;
use crate::parts::text::shown;
use crate::parts::time::remaining;
use crate::session::{SentForm, Viewer, is_secure};
use crate::{Console, answers};

/// How long a link can be used, as the page offers it: minutes, and how it is said.
const LIVES: [(u64, &str); 3] = [(15, "a quarter of an hour"), (60, "an hour"), (24 * 60, "a day")];

pub(super) fn action(about: &About<'_>) -> Markup {
    let probe = Command::OfferSignIn { person: about.person.id, code: Digest::of_bytes(b"probe"), ttl_seconds: 60 };
    let usable = control::may(about.state, about.viewer, &probe, about.now);
    html! {
        details name="action" {
            summary { "Sign-in link" }
            form method="post" action=(about.address("sign-in")) {
                (layout::token(about.viewer))
                p .quiet { "Whoever has the link signs in as " strong { (shown(&about.person.name)) } ", once. Hand it to nobody else." }
                label for="minutes" { "Good for" }
                select #minutes name="minutes" disabled[usable.is_err()] {
                    @for (minutes, words) in LIVES { option value=(minutes) { (words) } }
                }
                button .primary type="submit" disabled[usable.is_err()] aria-describedby="sign-in-why" { "Make a link" }
                (control::why("sign-in-why", &usable))
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Life {
    #[serde(default)]
    minutes: String,
}

/// Makes a link and shows it, this once: only the digest of its code is kept.
pub(crate) async fn offer(
    State(console): State<Console>,
    Path(name): Path<String>,
    headers: HeaderMap,
    uri: Uri,
    sent: SentForm<Life>,
) -> Result<Markup, PageError> {
    let address = own_address(&uri, &headers)?;
    let person = console.engine.read(|state| find(state, &name).cloned())?;
    let life = LIVES.iter().find(|(minutes, _)| minutes.to_string() == sent.fields.minutes);
    let (minutes, _) =
        life.ok_or_else(|| Refusal::new("bad_duration", "a link is good for one of the times offered"))?;
    let code = OneTimeCode::generate("signin_").map_err(|_| {
        PageError::Unavailable(Refusal::new("no_randomness", "the system gives no randomness, so no link was made"))
    })?;
    let digest = Digest::of_bytes(code.expose().as_bytes());
    let command = Command::OfferSignIn { person: person.id, code: digest, ttl_seconds: minutes * 60 };
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    let until = receipt.events.iter().find_map(|event| match event {
        Event::SignInOffered(offered) => Some(offered.expires_at),
        _ => None,
    });
    let until = until.ok_or_else(|| {
        PageError::Unavailable(Refusal::new("no_offer", "the link was not recorded").help("make another one"))
    })?;
    let link = format!("{address}/sign-in?code={}", code.expose());
    Ok(page(&console, &sent.viewer, &person, &link, until))
}

/// The address of this console as the browser that asks writes it: whoever gets the link may reach it by no other.
fn own_address(uri: &Uri, headers: &HeaderMap) -> Result<String, Refusal> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.authority().map(|it| it.as_str()));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    let host = host.filter(|host| !host.is_empty() && host.bytes().all(plain));
    let host = host.ok_or_else(|| {
        Refusal::new("bad_host", "your browser does not say by which name it reached this page")
            .help("use `remit person sign-in`")
    })?;
    let scheme = if is_secure(uri, headers) { "https" } else { "http" };
    Ok(format!("{scheme}://{host}"))
}

fn page(console: &Console, viewer: &Viewer, person: &Person, link: &str, until: Timestamp) -> Markup {
    let (state, now) = (console.engine.state(), console.engine.now());
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Sign-in link", place: Place::People, viewer, waiting, refreshes: false };
    let back = format!("/people/{}", person.name);
    layout::page(
        &frame,
        &html! {
            p .crumb { a href="/people" { "People" } " / " a href=(back) { (shown(&person.name)) } }
            h1 { "A way in for " (shown(&person.name)) }
            p .lead { "It works once, " (remaining(until, now)) ", and is shown now and never again." }
            div .paste {
                button type="button" data-copy data-copy-from="link" { "Copy" }
                pre #link { (shown(link)) }
            }
            div .notice {
                p { "Give it to " strong { (shown(&person.name)) } " alone: whoever opens it is signed in as them. Looking at it, as a preview does, uses nothing up." }
            }
            p { a href=(back) { "Done" } }
        },
    )
}
