//! What needs the person looking, and what happened last.

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{State as Realm, Timestamp, may_read_records};
use remit_engine::Filter;

use crate::answers::{self, Waiting};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::line::{Line, lines};
use crate::parts::text::{shown, told};
use crate::parts::time::remaining;
use crate::session::Viewer;
use crate::{Console, limits};

#[cfg(test)]
mod tests;

pub(crate) async fn overview(State(console): State<Console>, viewer: Viewer) -> Result<Markup, PageError> {
    let state = console.engine.state();
    let now = console.engine.now();
    let filter = Filter { limit: limits::OVERVIEW_RECORDS_MAX, ..Filter::default() };
    // Of the whole realm for who reads all of it; others find those of their agents on the agents' pages.
    let latest = match may_read_records(&state, viewer.person) {
        Ok(()) => Some(super::lines(&console, filter, &state).await?),
        Err(_) => None,
    };
    let waiting = answers::waiting(&state, &viewer.actor(), now);
    let (mine, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|waiting| waiting.answers.approve.is_ok());
    let frame =
        Frame { title: "Overview", place: Place::Overview, viewer: &viewer, waiting: mine.len(), refreshes: true };
    let changes = super::changes::waiting_count(&state, viewer.person);
    Ok(layout::page(&frame, &render(&state, &mine, &others, changes, latest.as_deref(), now)))
}

fn render(
    state: &Realm,
    mine: &[Waiting],
    others: &[Waiting],
    changes: usize,
    latest: Option<&[Line]>,
    now: Timestamp,
) -> Markup {
    html! {
        h1 { "Overview" }
        section aria-labelledby="mine" {
            h2 #mine { "Needs you" }
            @if changes > 0 {
                p .notice {
                    a href="/changes" { (changes) @if changes == 1 { " change waits" } @else { " changes wait" } } " for your answer."
                }
            }
            @if mine.is_empty() && changes == 0 {
                p .quiet { "Nothing waits for your answer." }
            }
            @if !mine.is_empty() { (cards(state, mine, now)) }
        }
        @if !others.is_empty() {
            section aria-labelledby="others" {
                h2 #others { "Waits for somebody else" }
                (cards(state, others, now))
            }
        }
        @if let Some(latest) = latest {
            section aria-labelledby="latest" {
                h2 #latest { "Latest records" }
                (lines(latest, now))
            }
        }
    }
}

fn cards(state: &Realm, waiting: &[Waiting], now: Timestamp) -> Markup {
    let beyond = waiting.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        ul .cards {
            @for waiting in waiting.iter().take(limits::LIST_ROWS_MAX) { li { (card(state, waiting, now)) } }
        }
        @if beyond > 0 { p .quiet { "and " (beyond) " more" } }
    }
}

fn card(state: &Realm, waiting: &Waiting, now: Timestamp) -> Markup {
    let names = Names(state);
    let approval = &waiting.approval;
    html! {
        a .title href={ "/approvals/" (approval.id) } { code { (shown(approval.facts.operation.as_str())) } }
        span .when { (remaining(approval.expires_at, now)) }
        p {
            (names.agent(approval.facts.agent)) " for "
            @match approval.facts.acting_for { Some(person) => (names.person(person)), None => "nobody" }
            @if let Ok(task) = state.task(approval.facts.task) { ": “" (shown(&task.purpose)) "”" }
        }
        @if let Err(refusal) = &waiting.answers.approve {
            p .reason { "Not for you: " (told(&refusal.sentence)) }
        }
    }
}
