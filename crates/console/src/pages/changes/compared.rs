//! What a change does to one artefact.

use maud::{Markup, html};
use remit_review::{Change, Comparison, visible};

use crate::pages::connectors::reviewed::differences;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;

pub(super) fn comparison(compared: &Comparison) -> Markup {
    html! {
        article .tool {
            h3 {
                code { (shown(&compared.artefact)) } " "
                @if !compared.artefact.starts_with(&compared.part) { (compared.part) " " }
                @match compared.change {
                    None => (pill(Tone::Quiet, "stays as it is")),
                    Some(Change::Added) => (pill(Tone::Waits, "new")),
                    Some(Change::Removed) => (pill(Tone::Bad, "removed")),
                    Some(Change::Changed) => (pill(Tone::Waits, "changed")),
                }
            }
            @if let Some(text) = &compared.text { (unified(text)) }
            (differences(&compared.differences))
        }
    }
}

/// A unified diff, with what is added and removed marked for those who do not see colours too: by its sign.
fn unified(text: &str) -> Markup {
    html! {
        pre .diff {
            @for line in text.lines() {
                @match line.chars().next() {
                    Some('+') => ins { (visible(line)) },
                    Some('-') => del { (visible(line)) },
                    Some('@') => span .quiet { (visible(line)) },
                    _ => span { (visible(line)) },
                }
                "\n"
            }
        }
    }
}
