//! One text with its lines, and what became of it over time.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::Refusal;

use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::line::{Line, lines};
use crate::parts::text::shown;
use crate::session::Viewer;
use crate::{Console, answers, limits};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let Some(text) = state.policies.sources.get(&name) else {
        let short: String = name.chars().take(64).collect();
        return Err(Refusal::unknown("policy", short).into());
    };
    let history = console.engine.history(&format!("policy:{name}"), limits::RELATED_RECORDS_MAX, None).await?;
    let line =
        |one: &remit_engine::Committed| Line::of(one.seq, one.at, &one.record.actor, &one.record.event, Names(&state));
    let told: Vec<Line> = history.records.iter().map(line).collect();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: &name, place: Place::Policies, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(
        &frame,
        &html! {
            p .crumb { a href="/policies" { "Policies" } " / " (shown(&name)) }
            div .page-head {
                h1 { (shown(&name)) }
                div .actions { a .button href="/preview" { "Preview for an agent" } }
            }
            section { h2 { "Text" } (numbered(text)) }
            section {
                h2 { "History" }
                @if told.is_empty() { p .quiet { "It has been there since the realm began." } } @else { (lines(&told, now)) }
                p .quiet { "Propose another text: " code { "remit policy propose " (shown(&name)) ".cedar --reason TEXT" } }
            }
        },
    ))
}

/// The text, each line with its number and an address of its own.
fn numbered(text: &str) -> Markup {
    html! {
        ol .code {
            @for (number, line) in (1..).zip(text.lines()) {
                li #{ "line-" (number) } { code { (shown(line)) } }
            }
        }
    }
}
