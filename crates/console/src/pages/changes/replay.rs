//! A proposal tried on recorded calls, for whoever decides on it.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use remit_domain::{ChangeStatus, Refusal, Right, may};
use serde::Deserialize;

use super::parse;
use super::tried::{report, try_on_calls};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::id;
use crate::parts::text::shown;
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// Which calls: those of the last day, or `all`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    calls: String,
}

pub(crate) async fn replay(
    State(console): State<Console>,
    viewer: Viewer,
    Path(id): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(Which { calls }) = which.map_err(|_| Refusal::new("bad_query", "this is not a question of this page"))?;
    let id = parse(&id)?;
    let (state, now) = (console.engine.state(), console.engine.now());
    may(&state, viewer.person, Right::ReadRecords)?;
    let change = state.changes.get(&id).filter(|change| change.status == ChangeStatus::Pending).ok_or_else(|| {
        Refusal::new("change_settled", "only a change that waits can be tried: this one does not")
            .help("its own page says how it ended")
    })?;
    let edits = change.policy_edits();
    if edits.is_empty() {
        let refusal =
            Refusal::new("no_policies", "this change edits no policy, and only policies can be tried on calls");
        return Err(refusal.into());
    }
    let others = change.edits.len() - edits.len();
    let all = calls == "all";
    let from = (!all).then(|| now.minus_seconds(limits::TRIED_SECONDS));
    let wait_ms = if all { limits::REPLAY_WAIT_MS } else { limits::TRIED_WAIT_MS };
    let tried = try_on_calls(&console, viewer.person, edits, from, wait_ms).await;
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Replay", place: Place::Changes, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(
        &frame,
        &html! {
            p .crumb { a href="/changes" { "Changes" } " / " a href={ "/changes/" (id) } { (id::short(id)) } " / replay" }
            h1 { "What it would have done" }
            p .lead { "Calls that are on record, decided again as if “" (shown(&change.reason)) "” had been active. Nothing is changed by looking." }
            nav .tabs aria-label="Calls" {
                a href={ "/changes/" (id) "/replay" } aria-current=[(!all).then_some("page")] { "The last day" }
                a href={ "/changes/" (id) "/replay?calls=all" } aria-current=[all.then_some("page")] { "Everything on record" }
            }
            section { h2 { "What came out" } (report(&tried)) }
            @if others > 0 { p .quiet { (others) " other edits of it are no policies, and were not tried." } }
            p .quiet { "To have what came out recorded with the change: " code { "remit policy replay " (id) } }
        },
    ))
}
