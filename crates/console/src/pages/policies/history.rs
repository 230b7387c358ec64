//! What a policy was, version by version: who wrote each, who agreed, and the record that says so.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use remit_domain::{Refusal, State as Realm, Timestamp};
use serde::Deserialize;

use super::versions::{Past, Version, may_read, past};
use super::{Tab, crumb, tabs, unknown};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::id;
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::none;
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, answers};

/// Which page of it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// Only versions before this record.
    before: Option<u64>,
}

pub(crate) async fn history(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
    from: Result<Query<From>, QueryRejection>,
) -> Result<Markup, PageError> {
    let bad = |_| Refusal::new("bad_cursor", "this is not where a page ended").help("begin at the newest version");
    let Query(From { before }) = from.map_err(bad)?;
    let (state, now) = (console.engine.state(), console.engine.now());
    may_read(&state, viewer.person, &name)?;
    let past = past(&console, &name, before).await?;
    if past.versions.is_empty() && before.is_none() && past.proposals.is_empty() {
        return Err(unknown(&name).into());
    }
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let title = format!("History of {name}");
    let frame = Frame { title: &title, place: Place::Policies, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(&state, &name, &past, now)))
}

fn render(state: &Realm, name: &str, past: &Past, now: Timestamp) -> Markup {
    html! {
        (crumb(name))
        h1 { (shown(name)) ": history" }
        (tabs(name, Tab::History, &Ok(())))
        section {
            h2 { "Versions" }
            @if past.versions.is_empty() {
                p .quiet { "It was proposed, and never became active." }
            } @else {
                div .scroll tabindex="0" role="region" aria-label="Versions" {
                    table .list {
                        thead { tr {
                            th { "Version" } th { "When" } th { "Why" } th { "Written by" } th { "Approved by" } th { "Change" } th { "Record" }
                        } }
                        tbody { @for version in &past.versions { (row(state, name, past, version, now)) } }
                    }
                }
            }
            @if let Some(older) = past.older { p { a rel="next" href={ "/policies/" (name) "/history?before=" (older) } { "Older" } } }
        }
        @if past.versions.len() > 1 { (any_two(name, past, now)) }
        p .quiet { "Refused and open proposals too: " a href={ "/history?artefact=policy:" (name) } { "everything that happened to it" } }
    }
}

fn row(state: &Realm, name: &str, past: &Past, version: &Version, now: Timestamp) -> Markup {
    let proposal = version.change.and_then(|change| past.proposals.get(&change));
    let author = proposal.map_or(version.by, |proposal| proposal.author);
    html! {
        tr {
            td {
                a href={ "/policies/" (name) "/diff?to=" (version.seq) } { "what it changed" }
                @if version.text.is_none() { " " (pill(Tone::Bad, "removed")) }
            }
            td { (moment(version.at, now)) }
            td { @match proposal { Some(proposal) => (shown(&proposal.reason)), None => (none("the realm began with it, or had one administrator")) } }
            td { (Names(state).person(author)) }
            td {
                @if version.change.is_none() { (none("nobody had to")) }
                @else if author == version.by { (none("active before anybody agreed: an emergency")) }
                @else { (Names(state).person(version.by)) }
            }
            td { @match version.change { Some(change) => { a href={ "/changes/" (change) } { (id::short(change)) } } None => (none("none")) } }
            td .number { a href={ "/records/" (version.seq) } { "#" (version.seq) } }
        }
    }
}

/// A form for the difference between any two of the versions.
fn any_two(name: &str, past: &Past, now: Timestamp) -> Markup {
    let newest = past.versions.first().map(|version| version.seq);
    let before = past.versions.get(1).map(|version| version.seq);
    let choice = |field: &str, label: &str, chosen: Option<u64>| {
        html! {
            div .field {
                label for=(field) { (label) }
                select id=(field) name=(field) {
                    @for version in &past.versions {
                        option value=(version.seq) selected[Some(version.seq) == chosen] { "#" (version.seq) ", " (moment_in_words(version, now)) }
                    }
                }
            }
        }
    };
    html! {
        section {
            h2 { "Compare two versions" }
            // No class that sends it by itself: both are chosen first.
            form .ask method="get" action={ "/policies/" (name) "/diff" } {
                (choice("from", "From", before))
                (choice("to", "To", newest))
                button type="submit" { "Compare" }
            }
        }
    }
}

/// As in a list of choices, where nothing but text can stand.
fn moment_in_words(version: &Version, now: Timestamp) -> String {
    format!("{} ago", crate::parts::time::span(now.millis_since(version.at)))
}
