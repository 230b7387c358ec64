//! The frame around every page.

use maud::{DOCTYPE, Markup, html};

use crate::assets::STYLE_ADDRESS;
use crate::limits;
use crate::parts::text::shown;
use crate::session::Viewer;

/// Which part of the console a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Approvals,
    Agents,
    Connectors,
    Changes,
    Who,
    Records,
}

/// What the frame needs to know about a page.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) place: Place,
    pub(crate) viewer: &'a Viewer,
    /// Questions that this person may answer now.
    pub(crate) waiting: usize,
    /// Looks again by itself. Only for pages on which nobody types.
    pub(crate) refreshes: bool,
}

/// A page of a signed-in person.
pub(crate) fn page(frame: &Frame<'_>, body: &Markup) -> Markup {
    let refresh = frame.refreshes.then(|| limits::REFRESH_SECONDS.to_string());
    let title = match frame.waiting {
        0 => format!("{} · Remit", frame.title),
        waiting => format!("({waiting}) {} · Remit", frame.title),
    };
    document(
        &title,
        refresh.as_deref(),
        &html! {
            a .skip href="#main" { "Skip to the page" }
            header .rail {
                (brand())
                nav aria-label="Console" {
                    (entry(frame, Place::Overview, "/", "Overview", 0))
                    (entry(frame, Place::Approvals, "/approvals", "Approvals", frame.waiting))
                    (entry(frame, Place::Agents, "/agents", "Agents", 0))
                    (entry(frame, Place::Connectors, "/connectors", "Connectors", 0))
                    (entry(frame, Place::Changes, "/changes", "Changes", 0))
                    (entry(frame, Place::Who, "/who", "Who can", 0))
                }
                form .viewer method="post" action="/sign-out" {
                    (token(frame.viewer))
                    span .name title="signed in by a one-time link" { (shown(&frame.viewer.name)) }
                    button .plain type="submit" { "Sign out" }
                }
            }
            main #main { (body) }
        },
    )
}

/// A page for whoever is not known (yet).
pub(crate) fn bare(title: &str, body: &Markup) -> Markup {
    document(
        &format!("{title} · Remit"),
        None,
        &html! {
            main #main .bare { (brand()) (body) }
        },
    )
}

/// A page that asks for `address`, an address of ours, again from here.
pub(crate) fn onwards(address: &str) -> Markup {
    let refresh = format!("0; url={address}");
    document(
        "Remit",
        Some(&refresh),
        &html! {
            main #main .bare { (brand()) p { a href=(address) { "Go on to the console" } } }
        },
    )
}

/// The hidden field that every form of a signed-in person carries.
pub(crate) fn token(viewer: &Viewer) -> Markup {
    html! { input type="hidden" name="form_token" value=(viewer.form_token); }
}

fn brand() -> Markup {
    html! {
        a .brand href="/" { img src="/assets/mark.svg" alt="" width="24" height="24"; span { "Remit" } }
    }
}

fn entry(frame: &Frame<'_>, place: Place, address: &str, name: &str, count: usize) -> Markup {
    html! {
        a href=(address) aria-current=[(frame.place == place).then_some("page")] {
            (name)
            @if count > 0 {
                " " span .count aria-label={ (count) " for you to answer" } { (count) }
            }
        }
    }
}

fn document(title: &str, refresh: Option<&str>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                @if let Some(refresh) = refresh {
                    meta http-equiv="refresh" content=(refresh);
                }
                title { (title) }
                link rel="icon" href="/assets/mark.svg" type="image/svg+xml";
                link rel="stylesheet" href=(STYLE_ADDRESS.as_str());
            }
            body { (body) }
        }
    }
}
