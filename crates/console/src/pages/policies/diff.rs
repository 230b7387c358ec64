//! The difference between two versions of a policy, also of one that was removed.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use remit_domain::{Refusal, Timestamp};
use serde::Deserialize;

use super::text::compared;
use super::versions::{Version, may_read, newest, version};
use super::{Tab, crumb, tabs, unknown};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, answers};

/// Which two. Left out, `to` is the newest version, and `from` the one before `to`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Which {
    from: Option<u64>,
    to: Option<u64>,
}

pub(crate) async fn diff(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Markup, PageError> {
    let bad = |_| {
        Refusal::new("bad_query", "a version is called by the number of its record")
            .help("choose two versions on the policy's history")
    };
    let Query(Which { from, to }) = which.map_err(bad)?;
    let (state, now) = (console.engine.state(), console.engine.now());
    may_read(&state, viewer.person, &name)?;
    let after = match to {
        Some(seq) => version(&console, &name, seq).await?,
        None => newest(&console, &name, None).await?.ok_or_else(|| unknown(&name))?,
    };
    let before = match from {
        Some(seq) => Some(version(&console, &name, seq).await?),
        None => newest(&console, &name, Some(after.seq)).await?,
    };
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let title = format!("Difference of {name}");
    let frame = Frame { title: &title, place: Place::Policies, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(
        &frame,
        &html! {
            (crumb(&name))
            h1 { (shown(&name)) ": difference" }
            (tabs(&name, Tab::Diff, &Ok(())))
            section {
                h2 { "Between two versions" }
                p { "From " (called(before.as_ref(), now)) " to " (called(Some(&after), now)) "." }
                (compared(before.as_ref().map(Version::text).unwrap_or_default(), after.text()))
            }
            p { a href={ "/policies/" (name) "/history" } { "Choose other versions" } }
        },
    ))
}

fn called(version: Option<&Version>, now: Timestamp) -> Markup {
    html! {
        @match version {
            None => "nothing, before it was there",
            Some(version) => {
                @if version.text.is_some() { "the text" } @else { "its removal" } " of "
                a href={ "/records/" (version.seq) } { "record " (version.seq) } ", " (moment(version.at, now))
            }
        }
    }
}
