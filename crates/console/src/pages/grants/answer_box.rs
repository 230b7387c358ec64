//! The side of a request's page where a person answers.

use maud::{Markup, html};
use remit_domain::{GrantRequest, Person, Refusal, State, Timestamp, limits, must_be_able_to_answer};

use super::{Answers, control, task_of};
use crate::layout;
use crate::limits as bounds;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;
use crate::parts::time::{remaining, span};
use crate::session::Viewer;

pub(super) fn answer_box(state: &State, viewer: &Viewer, request: &GrantRequest, now: Timestamp) -> Markup {
    let answers = Answers::of(state, viewer, request, now);
    html! {
        aside .answer aria-label="Answer" {
            p .state { (pill(Tone::Waits, "waits for a yes")) }
            (permits(state, request, now))
            (approve(viewer, request, &answers.approve))
            (deny(viewer, request, &answers.deny))
            (answerers(state, viewer, request))
        }
    }
}

/// What a yes permits, and until when.
fn permits(state: &State, request: &GrantRequest, now: Timestamp) -> Markup {
    let until = now.plus_seconds(request.ttl_seconds);
    html! {
        @if let Some(task) = task_of(state, request.task) {
            p .permits {
                "A yes lets this one task use these operations, and no other task of the agent, nor a sub-task of it. It holds for "
                (remaining(until.min(task.expires_at), now)) " and ends with the task in any case."
            }
        } @else {
            p .permits {
                "A yes lets the agent use these operations in all its tasks, for "
                (span(request.ttl_seconds.saturating_mul(1000))) " from then on."
            }
        }
        p .quiet { "A grant permits nothing alone: where a rule forbids or asks, it goes on doing so." }
    }
}

fn approve(viewer: &Viewer, request: &GrantRequest, usable: &Result<(), Refusal>) -> Markup {
    html! {
        form .stack method="post" action={ "/grants/" (request.id) "/approve" } {
            (layout::token(viewer))
            button .primary type="submit" disabled[usable.is_err()] aria-describedby="approve-why" { "Approve" }
            (control::why("approve-why", usable))
        }
    }
}

fn deny(viewer: &Viewer, request: &GrantRequest, usable: &Result<(), Refusal>) -> Markup {
    let word = if request.requested_by == Some(viewer.person) { "Take it back" } else { "Deny" };
    let label = if request.task.is_some() { "Note to the agent (optional)" } else { "Why (optional)" };
    html! {
        form .stack method="post" action={ "/grants/" (request.id) "/deny" } {
            (layout::token(viewer))
            @if usable.is_ok() {
                label for="deny-note" { (label) }
                textarea #deny-note name="note" rows="2" maxlength=(limits::TEXT_BYTES_MAX) {}
            }
            button .danger type="submit" disabled[usable.is_err()] aria-describedby="deny-why" { (word) }
            (control::why("deny-why", usable))
        }
    }
}

/// Who may answer, so that whoever may not knows whom to ask.
fn answerers(state: &State, viewer: &Viewer, request: &GrantRequest) -> Markup {
    let able = state.people.values().filter(|person| must_be_able_to_answer(state, request, person.id).is_ok());
    let mut people: Vec<&Person> = able.filter(|person| person.id != viewer.person).map(AsRef::as_ref).collect();
    people.sort_by(|one, other| one.name.cmp(&other.name));
    let beyond = people.len().saturating_sub(bounds::ANSWERERS_SHOWN_MAX);
    html! {
        div {
            h2 { "Who else may answer" }
            @if people.is_empty() {
                p .quiet { "Nobody: another approver of the agent has to be named first, who neither asked for this nor has it done for them." }
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
