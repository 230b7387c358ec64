//! The side of a change's page where a person answers.

use maud::{Markup, html};
use remit_domain::{Change, ChangeStatus, Person, Refusal, State, limits};

use super::Answers;
use super::show::Shown;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};
use crate::parts::time::remaining;
use crate::session::Viewer;
use crate::{layout, limits as bounds};

/// Forms for what can be answered now; nothing but a revert once it is settled.
pub(super) fn answer_box(page: &Shown<'_>) -> Markup {
    let change = &page.known.change;
    let answers = Answers::of(page.state, page.viewer, change, page.now);
    let (is_active, waits) = (page.known.active_seq.is_some(), page.known.end.is_none());
    html! {
        aside .answer aria-label="Answer" {
            @match change.status {
                _ if !waits => p .state { "This change is settled." },
                ChangeStatus::Pending => {
                    p .state { (pill(Tone::Waits, "waits for a yes")) @if change.is_stale(page.state) { " " (pill(Tone::Bad, "stale")) } }
                    p .permits {
                        "A yes makes all of it active with the very next call. Nobody approves their own change, nor what gives "
                        "something to themselves. Both names stay on record."
                    }
                    (approve(page.viewer, change, answers.approve.as_ref().err()))
                    (reject(page.viewer, change, answers.reject.as_ref().err()))
                }
                ChangeStatus::Unreviewed { due_at } => {
                    p .state { (pill(Tone::Bad, "active, not reviewed")) " " (remaining(due_at, page.now)) }
                    p .permits {
                        "It was made without a second person. Two others say whether that was right; until they have, and it is overdue, "
                        "nobody can make another emergency change."
                    }
                    (review(page.viewer, change, answers.review.as_ref().err()))
                }
            }
            @if waits { (answerers(page.state, page.viewer, change)) }
            @if is_active { (revert(page.viewer, change)) }
        }
    }
}

/// Who may answer, so that whoever may not knows whom to ask.
fn answerers(state: &State, viewer: &Viewer, change: &Change) -> Markup {
    let mut people: Vec<&Person> = state
        .people
        .values()
        .filter(|person| person.id != viewer.person && change.may_be_approved_by(state, person.id))
        .filter(|person| change.reviews.iter().all(|review| review.by != person.id))
        .map(AsRef::as_ref)
        .collect();
    people.sort_by(|one, other| one.name.cmp(&other.name));
    let beyond = people.len().saturating_sub(bounds::ANSWERERS_SHOWN_MAX);
    html! {
        div {
            h3 { "Who else may answer" }
            @if people.is_empty() {
                p .quiet { "Nobody: an administrator who is not its author, and to whom it gives nothing, has to be added first." }
            } @else {
                p {
                    @for (nth, person) in people.iter().take(bounds::ANSWERERS_SHOWN_MAX).enumerate() {
                        @if nth > 0 { ", " }
                        a .person href={ "/people/" (person.name) } { (shown(&person.name)) }
                    }
                    @if beyond > 0 { " and " (beyond) " more" }
                }
            }
        }
    }
}

fn approve(viewer: &Viewer, change: &Change, refusal: Option<&Refusal>) -> Markup {
    html! {
        form .stack method="post" action={ "/changes/" (change.id) "/approve" } {
            (layout::token(viewer))
            button .primary type="submit" disabled[refusal.is_some()] aria-describedby="approve-why" { "Approve: active at once" }
            (why("approve-why", refusal))
        }
    }
}

fn reject(viewer: &Viewer, change: &Change, refusal: Option<&Refusal>) -> Markup {
    let word = if change.author == viewer.person { "Take it back" } else { "Reject" };
    html! {
        form .stack method="post" action={ "/changes/" (change.id) "/reject" } {
            (layout::token(viewer))
            @if refusal.is_none() { (note("reject-note", "Why (optional)")) }
            button .danger type="submit" disabled[refusal.is_some()] aria-describedby="reject-why" { (word) }
            (why("reject-why", refusal))
        }
    }
}

fn review(viewer: &Viewer, change: &Change, refusal: Option<&Refusal>) -> Markup {
    html! {
        form .stack method="post" action={ "/changes/" (change.id) "/review" } {
            (layout::token(viewer))
            @if refusal.is_none() { (note("review-note", "What you say of it (optional)")) }
            button .primary type="submit" name="upheld" value="yes" disabled[refusal.is_some()] aria-describedby="review-why" { "It was right" }
            button .danger type="submit" name="upheld" value="no" disabled[refusal.is_some()] aria-describedby="review-why" { "It was not" }
            (why("review-why", refusal))
        }
    }
}

/// Undoing is a change too, and waits for somebody else's yes.
fn revert(viewer: &Viewer, change: &Change) -> Markup {
    html! {
        form .stack method="post" action={ "/changes/" (change.id) "/revert" } {
            (layout::token(viewer))
            (note("revert-reason", "Why it should be as before (optional)"))
            button .plain type="submit" { "Propose to revert it" }
        }
    }
}

fn note(id: &str, label: &str) -> Markup {
    html! {
        label for=(id) { (label) }
        textarea id=(id) name="note" rows="2" maxlength=(limits::TEXT_BYTES_MAX) {}
    }
}

/// Why a button cannot be used.
fn why(id: &str, refusal: Option<&Refusal>) -> Markup {
    html! {
        @if let Some(refusal) = refusal {
            p .reason #(id) {
                (told(&refusal.sentence))
                @if let Some(help) = &refusal.help { "; " (told(help)) }
            }
        }
    }
}
