//! What waits for a yes, and emergency changes that wait for a second look.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{Change, ChangeStatus, PersonId, State as Realm, Timestamp};

use super::{kind, not_for};
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::id;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;
use crate::parts::time::{moment, remaining};
use crate::session::Viewer;
use crate::{Console, answers, limits};

pub(crate) async fn list(State(console): State<Console>, viewer: Viewer) -> Markup {
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Changes", place: Place::Changes, viewer: &viewer, waiting, refreshes: true };
    layout::page(&frame, &render(&state, viewer.person, now))
}

/// A change, and why it is not for whoever looks.
type Row<'a> = (&'a Arc<Change>, Option<&'static str>);

pub(super) fn render(state: &Realm, person: PersonId, now: Timestamp) -> Markup {
    let mut changes: Vec<&Arc<Change>> = state.changes.values().collect();
    changes.sort_by_key(|change| (change.proposed_at, change.id));
    let rows = changes.into_iter().map(|change| (change, not_for(state, person, change)));
    let (pending, unreviewed): (Vec<Row<'_>>, Vec<Row<'_>>) =
        rows.partition(|(change, _): &Row<'_>| change.status == ChangeStatus::Pending);
    let (mine, others): (Vec<Row<'_>>, Vec<Row<'_>>) = pending.into_iter().partition(|(_, why)| why.is_none());
    html! {
        h1 { "Changes" }
        p .lead { "Policies, connectors, operations, groups, approvers and configurations change only with somebody else's yes." }
        @if state.is_founding() {
            p .notice { "This realm has one administrator, so what they change is active at once. With a second one, each change waits for the other." }
        }
        @if !unreviewed.is_empty() {
            section {
                h2 { "Active, and not yet reviewed" }
                (table(state, &unreviewed, now))
            }
        }
        section {
            h2 { "Waits for you" }
            @if mine.is_empty() { p .quiet { "Nothing waits for your answer." } } @else { (table(state, &mine, now)) }
        }
        @if !others.is_empty() {
            section {
                h2 { "Waits for somebody else" }
                (table(state, &others, now))
            }
        }
    }
}

fn table(state: &Realm, rows: &[Row<'_>], now: Timestamp) -> Markup {
    let beyond = rows.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        div .scroll {
            table .list {
                thead { tr { th { "Change" } th { "Of" } th { "By" } th { "Proposed" } th { "You" } } }
                tbody { @for row in rows.iter().take(limits::LIST_ROWS_MAX) { (line(state, row, now)) } }
            }
        }
        @if beyond > 0 { p .quiet { "and " (beyond) " more: " code { "remit change list" } } }
    }
}

fn line(state: &Realm, (change, why): &Row<'_>, now: Timestamp) -> Markup {
    html! {
        tr {
            td {
                a href={ "/changes/" (change.id) } { (shown(&change.reason)) } " " (id::short(change.id)) " " (kind(change.kind))
                @if change.is_stale(state) { " " (pill(Tone::Bad, "stale")) }
            }
            td { (artefacts(state, change)) }
            td { (Names(state).person(change.author)) }
            td {
                (moment(change.proposed_at, now))
                @if let ChangeStatus::Unreviewed { due_at } = change.status {
                    ", review due: "
                    @if due_at <= now { (pill(Tone::Bad, "overdue")) " " }
                    (remaining(due_at, now))
                }
            }
            td {
                @match why {
                    None => (pill(Tone::Waits, "your answer")),
                    Some(why) => span .reason { (why) },
                }
            }
        }
    }
}

/// The first few artefacts that a change edits.
fn artefacts(state: &Realm, change: &Change) -> Markup {
    let beyond = change.edits.len().saturating_sub(limits::ARTEFACTS_SHOWN_MAX);
    html! {
        @for (index, one) in change.edits.iter().take(limits::ARTEFACTS_SHOWN_MAX).enumerate() {
            @if index > 0 { ", " }
            code { (shown(&one.edit.artefact(state))) }
        }
        @if beyond > 0 { " and " (beyond) " more" }
    }
}
