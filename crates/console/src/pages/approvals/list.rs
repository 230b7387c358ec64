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
use crate::parts::{id, pill};
use crate::session::Viewer;
use crate::{Console, limits};

#[cfg(test)]
mod tests;

/// Which approvals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Show {
    #[default]
    Pending,
    Answered,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    show: Show,
}

pub(crate) async fn list(
    State(console): State<Console>,
    viewer: Viewer,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Markup {
    // An address with another filter than these shows what waits, which is what matters.
    let show = choice.map(|Query(choice)| choice.show).unwrap_or_default();
    let state = console.engine.state();
    let now = console.engine.now();
    let actor = viewer.actor();
    let waiting = answers::waiting_count(&state, &actor, now);
    let frame = Frame { title: "Approvals", place: Place::Approvals, viewer: &viewer, waiting, refreshes: true };
    layout::page(&frame, &render(&state, &actor, show, now))
}

fn render(state: &Realm, actor: &Actor, show: Show, now: Timestamp) -> Markup {
    let approvals = chosen(state, actor, show, now);
    let beyond = approvals.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        div .page-head { div { h1 { "Approvals" } p { "Questions about one exact action each. Silence is never consent." } } }
        nav .tabs aria-label="Which approvals" {
            a href="/approvals" aria-current=[(show == Show::Pending).then_some("page")] { "Waiting" }
            a href="/approvals?show=answered" aria-current=[(show == Show::Answered).then_some("page")] { "Answered" }
        }
        div #approvals data-live { (table(state, actor, show, &approvals, now)) }
        @if beyond > 0 { p .quiet { "and " (beyond) " more" } }
    }
}

fn table(state: &Realm, actor: &Actor, show: Show, approvals: &[&Arc<Approval>], now: Timestamp) -> Markup {
    html! {
        @if approvals.is_empty() {
            div .empty {
                @match show {
                    Show::Pending => {
                        p { "Nothing waits for an answer." }
                        p { "When a policy asks for a person, the question appears here by itself." }
                    }
                    Show::Answered => {
                        p { "Nothing was answered in the last day." }
                        p { "Older answers are in the " a href="/ledger" { "ledger" } "." }
                    }
                }
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
fn chosen<'a>(state: &'a Realm, actor: &Actor, show: Show, now: Timestamp) -> Vec<&'a Arc<Approval>> {
    let may_read = |approval: &Approval| {
        actor.person().is_ok_and(|person| may_read_approval(state, person, approval, now).is_ok())
    };
    let wanted = |approval: &&Arc<Approval>| approval.is_pending() == (show == Show::Pending) && may_read(approval);
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
