//! The frame around every page.

use maud::{DOCTYPE, Markup, html};
use remit_domain::SignInMethod;

use crate::assets::{HTMX_ADDRESS, SCRIPT_ADDRESS, STYLE_ADDRESS};
use crate::limits;
use crate::parts::text::shown;
use crate::session::Viewer;

/// Which part of the console a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Approvals,
    Grants,
    Changes,
    Agents,
    Tasks,
    Connectors,
    Policies,
    Who,
    Records,
    People,
    Keys,
    Connect,
    Settings,
}

/// A heading, and the pages under it: place, address and name.
type Group = (&'static str, &'static [(Place, &'static str, &'static str)]);

/// The console's table of contents, as it stands beside every page.
const CONTENTS: [Group; 4] = [
    (
        "Now",
        &[
            (Place::Overview, "/", "Overview"),
            (Place::Approvals, "/approvals", "Approvals"),
            (Place::Grants, "/grants", "Grants"),
            (Place::Changes, "/changes", "Changes"),
        ],
    ),
    (
        "Agents",
        &[
            (Place::Agents, "/agents", "Agents"),
            (Place::Tasks, "/tasks", "Tasks"),
            (Place::Connectors, "/connectors", "Connectors"),
        ],
    ),
    (
        "Rules and record",
        &[
            (Place::Policies, "/policies", "Policies"),
            (Place::Who, "/who", "Who can"),
            (Place::Records, "/ledger", "Ledger"),
        ],
    ),
    (
        "Realm",
        &[
            (Place::People, "/people", "People"),
            (Place::Keys, "/keys", "Keys"),
            (Place::Connect, "/connect", "Connect"),
            (Place::Settings, "/settings", "Settings"),
        ],
    ),
];

/// What the frame needs to know about a page.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) place: Place,
    pub(crate) viewer: &'a Viewer,
    /// Questions that this person may answer now.
    pub(crate) waiting: usize,
    /// Looks again by itself, also in a browser without scripts. Only for pages on which nobody types. What is marked `data-live` is
    /// fetched anew, elsewhere on the page too, as soon as something happens.
    pub(crate) refreshes: bool,
}

/// A page of a signed-in person.
pub(crate) fn page(frame: &Frame<'_>, body: &Markup) -> Markup {
    let title = match frame.waiting {
        0 => format!("{} · Remit", frame.title),
        waiting => format!("({waiting}) {} · Remit", frame.title),
    };
    let refresh = if frame.refreshes { Refresh::WithoutScript } else { Refresh::Never };
    document(
        &title,
        &refresh,
        true,
        &html! {
            a .skip href="#main" { "Skip to the page" }
            header .rail {
                (brand())
                nav aria-label="Console" {
                    @for (heading, entries) in CONTENTS {
                        p .heading { (heading) }
                        @for (place, address, name) in entries { (entry(frame, *place, address, name)) }
                    }
                }
                (viewer(frame.viewer))
            }
            main #main { (body) }
        },
    )
}

/// Who is signed in, how strongly, and the way out.
fn viewer(viewer: &Viewer) -> Markup {
    let how = match viewer.method {
        SignInMethod::LocalSocket => "by the local socket",
        SignInMethod::OneTimeLink => "by a one-time link",
        SignInMethod::Passkey => "by passkey",
        SignInMethod::FreshPasskey => "by passkey, just now",
        SignInMethod::OpenIdConnect => "by your organisation",
    };
    html! {
        form .viewer method="post" action="/sign-out" {
            (token(viewer))
            a .name href="/passkeys" title={ "signed in " (how) "; your passkeys" } { (shown(&viewer.name)) }
            span .how { (how) }
            button .plain type="submit" { "Sign out" }
        }
    }
}

/// A page for whoever is not known (yet).
pub(crate) fn bare(title: &str, body: &Markup) -> Markup {
    document(
        &format!("{title} · Remit"),
        &Refresh::Never,
        false,
        &html! {
            main #main .bare { (brand()) (body) }
        },
    )
}

/// A page that asks for `address`, an address of ours, again from here.
pub(crate) fn onwards(address: &str) -> Markup {
    document(
        "Remit",
        &Refresh::To(address),
        false,
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

fn entry(frame: &Frame<'_>, place: Place, address: &str, name: &str) -> Markup {
    let count = if place == Place::Approvals { frame.waiting } else { 0 };
    html! {
        a href=(address) aria-current=[(frame.place == place).then_some("page")] {
            (name)
            @if place == Place::Approvals {
                span #waiting data-live { @if count > 0 { span .count aria-label={ (count) " for you to answer" } { (count) } } }
            }
        }
    }
}

/// Whether a page asks for itself, or another one, by itself.
enum Refresh<'a> {
    Never,
    /// Every few seconds where no script keeps it live.
    WithoutScript,
    To(&'a str),
}

/// What htmx may do: read attributes and swap what we sent, nothing else. It keeps no page in the browser's storage.
const HTMX_SETTINGS: &str = r#"{"allowEval":false,"allowScriptTags":false,"includeIndicatorStyles":false,"selfRequestsOnly":true,"historyEnabled":false,"historyCacheSize":0}"#;

fn document(title: &str, refresh: &Refresh<'_>, live: bool, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                meta name="htmx-config" content=(HTMX_SETTINGS);
                @match refresh {
                    Refresh::Never => {}
                    Refresh::WithoutScript => noscript { meta http-equiv="refresh" content=(limits::REFRESH_SECONDS); },
                    Refresh::To(address) => meta http-equiv="refresh" content={ "0; url=" (address) };,
                }
                title { (title) }
                link rel="icon" href="/assets/mark.svg" type="image/svg+xml";
                link rel="stylesheet" href=(STYLE_ADDRESS.as_str());
                @if live { script src=(HTMX_ADDRESS.as_str()) defer {} }
                script src=(SCRIPT_ADDRESS.as_str()) defer {}
            }
            body data-live-from=[live.then_some("/live")] { (body) }
        }
    }
}
