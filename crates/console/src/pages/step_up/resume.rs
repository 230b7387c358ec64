//! Sending once more what was refused for want of a passkey, now that one was shown.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::Refusal;

use super::words::words;
use super::{Way, back_of};
use crate::errors::PageError;
use crate::kept_forms::Kept;
use crate::parts::properties::{properties, row};
use crate::parts::text::shown;
use crate::session::Viewer;
use crate::{Console, layout, limits};

/// The page with one button. Nothing is done by looking at it.
pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    way: Result<Query<Way>, QueryRejection>,
) -> Result<Markup, PageError> {
    let way = way.map(|Query(way)| way).unwrap_or_default();
    let kept = console.forms.find(&way.form, viewer.session, console.engine.now()).ok_or_else(|| {
        Refusal::new("form_gone", "what you wrote is not kept any more").help("go back to its page and write it again")
    })?;
    Ok(page(&viewer, &kept, back_of(&way.next)))
}

fn page(viewer: &Viewer, kept: &Kept, back: &str) -> Markup {
    let words = words(&kept.address);
    layout::bare(
        "Continue",
        &html! {
            h1 { "Continue where you were" }
            p .lead { "You have shown your passkey. What you wrote is still here, and nothing has been done yet." }
            form .panel method="post" action=(kept.address) {
                (layout::token(viewer))
                @for (name, value) in &kept.fields { input type="hidden" name=(name) value=(value); }
                p { "You asked to " strong { (shown(&words)) } "." }
                (written(kept))
                button .primary type="submit" autofocus { "Continue: " (shown(&words)) }
            }
            p { a href=(back) { "Back without doing it" } }
        },
    )
}

/// What will be sent, so that nobody confirms what they cannot see.
pub(super) fn written(kept: &Kept) -> Markup {
    let rows = kept.fields.iter().filter(|(_, value)| !value.is_empty());
    html! {
        @if rows.clone().next().is_some() {
            (properties(&html! {
                @for (name, value) in rows.take(limits::VALUE_ROWS_MAX) {
                    (row(&name.replace(['_', '-'], " "), &html! { (shown(value)) }))
                }
            }))
        }
    }
}
