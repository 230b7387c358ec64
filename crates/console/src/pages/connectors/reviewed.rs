//! Parts of a review: what changed, and what to look at.

use maud::{Markup, html};
use remit_review::{Change, Difference, Run, Severity, Warning, Wording, visible};
use serde_json::Value;

use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};

/// What to look at, the gravest first.
pub(super) fn warnings(warnings: &[Warning]) -> Markup {
    html! {
        @if !warnings.is_empty() {
            ul .rules {
                @for warning in warnings {
                    li {
                        @match warning.severity {
                            Severity::Serious => (pill(Tone::Bad, "serious")),
                            Severity::Notice => (pill(Tone::Waits, "look")),
                        }
                        " " (told(&visible(&warning.sentence))) " " code .id { (shown(&warning.place)) }
                        // The name itself is the heading already.
                        @if !warning.text.is_empty() && warning.place != "/name" { p .text .quiet { (shown(&warning.text)) } }
                    }
                }
            }
        }
    }
}

/// What changed since it was approved, member by member.
pub(crate) fn differences(differences: &[Difference]) -> Markup {
    html! {
        @if !differences.is_empty() {
            ul .rules .differences {
                @for difference in differences {
                    li {
                        @match difference.change {
                            Change::Added => (pill(Tone::Waits, "added")),
                            Change::Removed => (pill(Tone::Quiet, "removed")),
                            Change::Changed => (pill(Tone::Waits, "changed")),
                        }
                        " " (told(&visible(&difference.sentence))) " " code .id { (shown(&difference.place)) }
                        (change(difference))
                    }
                }
            }
        }
    }
}

fn change(difference: &Difference) -> Markup {
    html! {
        @if difference.wording.is_empty() {
            @if let Some(before) = &difference.before { p .text { del { (json(before)) } } }
            @if let Some(after) = &difference.after { p .text { ins { (json(after)) } } }
        } @else {
            p .text { @for run in &difference.wording { (run_of(run)) } }
        }
    }
}

fn run_of(run: &Run) -> Markup {
    match run.wording {
        Wording::Kept => shown(&run.text),
        Wording::Removed => html! { del { (shown(&run.text)) } },
        Wording::Added => html! { ins { (shown(&run.text)) } },
    }
}

fn json(value: &Value) -> Markup {
    match value {
        Value::String(text) => shown(text),
        other => html! { code { (shown(&other.to_string())) } },
    }
}
