//! What happened to one artefact under change control.

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
#[derive(Debug, Deserialize)]
pub(crate) struct Whose {
    /// As in `policy:refunds`.
    artefact: String,
}

pub(crate) async fn history(
    State(console): State<Console>,
    viewer: Viewer,
    whose: Result<Query<Whose>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(Whose { artefact }) = whose.map_err(|_| {
        Refusal::new("bad_artefact", "the address names no artefact").help("write `/history?artefact=policy:NAME`")
    })?;
    console.engine.read(|state| may_read_history(state, viewer.person, &artefact))?;
    let history = console.engine.history(&artefact, limits::LIST_ROWS_MAX, None).await?;
    let state = console.engine.state();
    let now = console.engine.now();
    let told: Vec<Line> = history
        .records
        .iter()
        .map(|one| Line::of(one.seq, one.at, &one.record.actor, &one.record.event, Names(&state)))
        .collect();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "History", place: Place::Changes, viewer: &viewer, waiting, refreshes: false };
    let page = html! {
        p .crumb { a href="/changes" { "Changes" } " / history" }
        h1 { code { (shown(&artefact)) } }
        @if told.is_empty() { p .quiet { "Nothing is recorded about it." } } @else { (lines(&told, now)) }
        @if history.next.is_some() { p .quiet { "and more: " code { "remit change history " (shown(&artefact)) } } }
    };
    Ok(layout::page(&frame, &page))
}
