//! What was found about an agent, and what a person made of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{Command, Finding, FindingId, Refusal, limits as bounds};
use serde::Deserialize;

use super::{About, Tab, address};
use crate::errors::PageError;
use crate::names::Names;
use crate::pages::control::{self, written};
use crate::parts::id;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::{SentForm, Viewer};
use crate::{Console, layout, limits};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    about.may_read()?;
    Ok(about.page(Tab::Findings, &render(&about)))
}

fn render(about: &About<'_>) -> Markup {
    let mut findings: Vec<&Arc<Finding>> =
        about.state.findings.values().filter(|finding| finding.agent == about.agent.id).collect();
    // What is open in front, the newest first.
    findings.sort_by_key(|finding| (finding.closed.is_some(), std::cmp::Reverse((finding.opened_at, finding.id))));
    let beyond = findings.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        section {
            h2 { "What was found" }
            @if findings.is_empty() {
                div .empty {
                    p { "Nothing was found." }
                    p { "A credential that is seen in several hands appears here, once. Closed findings stay in the ledger." }
                    pre { "remit finding list --agent " (shown(&about.agent.name)) }
                }
            } @else {
                ul .slips { @for finding in findings.iter().take(limits::LIST_ROWS_MAX) { (one(about, finding)) } }
                @if beyond > 0 { p .quiet { "and " (beyond) " more" } }
            }
        }
    }
}

fn one(about: &About<'_>, finding: &Finding) -> Markup {
    html! {
        li {
            div .head {
                p .title {
                    "One " (finding.kind.as_str()) ", several hands "
                    @if finding.closed.is_some() { (pill(Tone::Quiet, "closed")) } @else { (pill(Tone::Bad, "open")) }
                }
                span .when { (moment(finding.opened_at, about.now)) }
            }
            p {
                "Seen with " @for (place, party) in finding.parties.iter().enumerate() { @if place > 0 { ", " } code { (shown(party)) } }
                @if let Some(task) = finding.task { ", under the task " a href={ "/tasks/" (task) } { (id::short(task)) } }
                ". What it did since cannot be told apart: its records say that the credential is shared."
            }
            @match &finding.closed {
                Some((by, note)) => p { "Closed by " (Names(about.state).person(*by)) @if !note.is_empty() { ": “" (shown(note)) "”" } },
                None => (close_form(about, finding)),
            }
        }
    }
}

fn close_form(about: &About<'_>, finding: &Finding) -> Markup {
    let usable = about.can(&Command::CloseFinding { finding: finding.id, note: String::new() });
    let (field, why) = (format!("note-{}", finding.id), format!("note-{}-why", finding.id));
    html! {
        details {
            summary { "It is dealt with" }
            form .stack method="post" action=(about.address("close-finding")) {
                (layout::token(about.viewer))
                input type="hidden" name="finding" value=(finding.id);
                label for=(field) { "What was done" }
                input id=(field) name="note" maxlength=(bounds::TEXT_BYTES_MAX) autocomplete="off" disabled[usable.is_err()];
                button type="submit" disabled[usable.is_err()] aria-describedby=(why) { "Close it" }
                (control::why(&why, &usable))
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    finding: String,
    #[serde(default)]
    note: String,
}

/// Says that a finding about this agent is dealt with.
pub(crate) async fn close(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Which>,
) -> Result<Redirect, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &sent.viewer, &name, now)?;
    // Whoever may not read of findings does not learn which there are either.
    about.may_read()?;
    let unknown = || Refusal::unknown("finding", sent.fields.finding.chars().take(64).collect::<String>());
    let finding: FindingId = sent.fields.finding.parse().map_err(|_| unknown())?;
    if state.findings.get(&finding).is_none_or(|finding| finding.agent != about.agent.id) {
        return Err(unknown().into());
    }
    let command = Command::CloseFinding { finding, note: written(&sent.fields.note) };
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(Redirect::to(&format!("{}/findings", address(about.agent))))
}
