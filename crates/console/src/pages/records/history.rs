//! What happened to one artefact under change control; and, where none is named, which there are.

mod list;
#[cfg(test)]
mod tests;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{Refusal, may_read_history};
use serde::Deserialize;

use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::line::{Line, lines};
use crate::parts::text::shown;
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// Whose history.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Whose {
    /// As in `policy:refunds`; nothing for the list of what there is.
    artefact: String,
    /// Which kind the list is of.
    kind: list::Kind,
    /// Where the page before of the list ended.
    after: String,
}

pub(crate) async fn history(
    State(console): State<Console>,
    viewer: Viewer,
    whose: Result<Query<Whose>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(whose) = whose.map_err(|_| {
        Refusal::new("bad_artefact", "the address names no artefact").help("write `/history?artefact=policy:NAME`")
    })?;
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "History", place: Place::Changes, viewer: &viewer, waiting, refreshes: false };
    if whose.artefact.is_empty() {
        let after = Some(whose.after).filter(|after| !after.is_empty());
        return Ok(layout::page(&frame, &list::render(&console, &state, viewer.person, whose.kind, after, now).await?));
    }
    let artefact = whose.artefact;
    may_read_history(&state, viewer.person, &artefact)?;
    let history = console.engine.history(&artefact, limits::LIST_ROWS_MAX, None).await?;
    let told: Vec<Line> = history
        .records
        .iter()
        .map(|one| Line::of(one.seq, one.at, &one.record.actor, &one.record.event, Names(&state)))
        .collect();
    let page = html! {
        p .crumb { a href="/changes" { "Changes" } " / " a href="/history" { "history" } }
        h1 { code { (shown(&list::named(&state, &artefact))) } }
        @if told.is_empty() { p .quiet { "Nothing is recorded about it." } } @else { (lines(&told, now)) }
        @if history.next.is_some() { p .quiet { "and more: " code { "remit change history " (shown(&artefact)) } } }
    };
    Ok(layout::page(&frame, &page))
}
