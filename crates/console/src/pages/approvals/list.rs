//! The inbox: what waits for an answer, and what has been answered.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{Actor, Approval, ApprovalStatus, State as Realm, Timestamp, may_read_approval};
use serde::Deserialize;

use crate::answers::{self, Answers};
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::text::{shown, told};
use crate::parts::time::{moment, remaining};
use crate::parts::{filters, id, pill};
use crate::session::Viewer;
use crate::{Console, limits};

#[cfg(test)]
mod tests;

/// Which approvals. All of it is text: an address that says something else shows what waits, which is what matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    show: String,
    agent: String,
    operation: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Pending,
    Answered,
}

impl Choice {
    fn show(&self) -> Show {
        if self.show == "answered" { Show::Answered } else { Show::Pending }
    }

    /// Whether the page may look again by itself: what waits, where nobody types.
    fn refreshes(&self) -> bool {
        self.show() == Show::Pending && !self.is_filtered()
    }

    fn is_filtered(&self) -> bool {
        [&self.agent, &self.operation].iter().any(|field| !field.trim().is_empty())
    }

    fn fits(&self, state: &Realm, approval: &Approval) -> bool {
        let (agent, operation) = (self.agent.trim(), self.operation.trim());
        (agent.is_empty() || state.agent(approval.facts.agent).is_ok_and(|known| known.name == agent))
            && (operation.is_empty() || approval.facts.operation.as_str().contains(operation))
    }

    /// The address of the same choice among those that wait, or that were answered.
    fn among(&self, show: &str) -> String {
        filters::address("/approvals", &[("show", show), ("agent", &self.agent), ("operation", &self.operation)])
    }
}

pub(crate) async fn list(
    State(console): State<Console>,
    viewer: Viewer,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Markup {
    let choice = choice.map(|Query(choice)| choice).unwrap_or_default();
    let state = console.engine.state();
    let now = console.engine.now();
    let actor = viewer.actor();
    let waiting = answers::waiting_count(&state, &actor, now);
    let frame =
        Frame { title: "Approvals", place: Place::Approvals, viewer: &viewer, waiting, refreshes: choice.refreshes() };
    layout::page(&frame, &render(&state, &actor, &choice, now))
}

fn render(state: &Realm, actor: &Actor, choice: &Choice, now: Timestamp) -> Markup {
    let show = choice.show();
    let approvals = chosen(state, actor, choice, now);
    let beyond = approvals.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        div .page-head { div { h1 { "Approvals" } p { "Questions about one exact action each. Silence is never consent." } } }
        nav .tabs aria-label="Which approvals" {
            a href=(choice.among("")) aria-current=[(show == Show::Pending).then_some("page")] { "Waiting" }
            a href=(choice.among("answered")) aria-current=[(show == Show::Answered).then_some("page")] { "Answered" }
        }
        @if !choice.refreshes() {
            (filters::form("/approvals", "Which of them", "Filter", &html! {
                @if show == Show::Answered { input type="hidden" name="show" value="answered"; }
                (filters::text("agent", "Agent", &choice.agent, "its name"))
                (filters::text("operation", "Operation", &choice.operation, "a part of it"))
            }))
        }
        div #approvals data-live { (table(state, actor, choice, &approvals, now)) }
        @if beyond > 0 { p .quiet { "and " (beyond) " more" } }
    }
}

fn table(state: &Realm, actor: &Actor, choice: &Choice, approvals: &[&Arc<Approval>], now: Timestamp) -> Markup {
    let show = choice.show();
    html! {
        @if approvals.is_empty() {
            div .empty {
                @if choice.is_filtered() {
                    p { "No question that you may see fits." }
                    p { a href="/approvals" { "Show all that waits" } }
                } @else { @match show {
                    Show::Pending => {
                        p { "Nothing waits for an answer." }
                        p { "When a policy asks for a person, the question appears here by itself." }
                    }
                    Show::Answered => {
                        p { "Nothing was answered in the last day." }
                        p { "Older answers are in the " a href="/ledger" { "ledger" } "." }
                    }
                } }
            }
        } @else {
            div .scroll {
                table .list {
                    thead { tr {
                        th { "Operation" } th { "Agent" } th { "For" } th { "Asked" }
                        th { @match show { Show::Pending => "Open for", Show::Answered => "Answer" } }
                        th { @match show { Show::Pending => "You", Show::Answered => "By" } }
                    } }
                    tbody {
                        @for approval in approvals.iter().take(limits::LIST_ROWS_MAX) { (row(state, actor, show, approval, now)) }
                    }
                }
            }
        }
    }
}

/// What waits, those that end first in front; what was answered, newest first.
/// Those that `actor` may know of.
fn chosen<'a>(state: &'a Realm, actor: &Actor, choice: &Choice, now: Timestamp) -> Vec<&'a Arc<Approval>> {
    let show = choice.show();
    let may_read = |approval: &Approval| {
        actor.person().is_ok_and(|person| may_read_approval(state, person, approval, now).is_ok())
    };
    let wanted = |approval: &&Arc<Approval>| {
        approval.is_pending() == (show == Show::Pending) && choice.fits(state, approval) && may_read(approval)
    };
    let mut approvals: Vec<_> = state.approvals.values().filter(wanted).collect();
    match show {
        Show::Pending => approvals.sort_by_key(|approval| (approval.expires_at, approval.id)),
        Show::Answered => approvals.sort_by_key(|approval| std::cmp::Reverse((approval.requested_at, approval.id))),
    }
    approvals
}

fn row(state: &Realm, actor: &Actor, show: Show, approval: &Approval, now: Timestamp) -> Markup {
    let names = Names(state);
    html! {
        tr {
            td {
                a href={ "/approvals/" (approval.id) } { code { (shown(approval.facts.operation.as_str())) } }
                " " (id::short(approval.id))
            }
            td { (names.agent(approval.facts.agent)) }
            td { @match approval.facts.acting_for { Some(person) => (names.person(person)), None => span .quiet { "nobody" } } }
            td { (moment(approval.requested_at, now)) }
            @match show {
                Show::Pending => {
                    td { (remaining(approval.expires_at, now)) }
                    td { (yours(&Answers::of(state, actor, approval, now))) }
                }
                Show::Answered => {
                    td { (pill::approval(&approval.status)) }
                    td { (answered_by(names, approval)) }
                }
            }
        }
    }
}

fn yours(answers: &Answers) -> Markup {
    match &answers.approve {
        Ok(()) => pill::pill(pill::Tone::Waits, "your answer"),
        Err(refusal) => html! { span .reason { (told(&refusal.sentence)) } },
    }
}

fn answered_by(names: Names<'_>, approval: &Approval) -> Markup {
    html! {
        @if let ApprovalStatus::Denied { by, .. } = &approval.status {
            (names.person(*by))
        } @else {
            @for (index, vote) in approval.votes.iter().enumerate() {
                @if index > 0 { ", " }
                (names.person(vote.person))
            }
        }
    }
}
