//! One policy: its rules, and its text with a number and an address for each line.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Explained, State as Realm, Timestamp, rules};

use super::text::numbered;
use super::versions::{may_read, newest};
use super::{Tab, crumb, does, place, remove, tabs, unknown, waiting_changes};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::id;
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, answers};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let body = match state.policies.sources.get(&name) {
        Some(text) => active(&state, &viewer, &name, text, now),
        None => removed(&console, &state, &viewer, &name).await?,
    };
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: &name, place: Place::Policies, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &body))
}

fn active(state: &Realm, viewer: &Viewer, name: &str, text: &str, now: Timestamp) -> Markup {
    let own: Vec<Explained> = rules(state).into_iter().filter(|rule| rule.source == name).collect();
    html! {
        (crumb(name))
        div .page-head {
            h1 { (shown(name)) }
            div .actions { a .button href="/preview" { "Preview for an agent" } }
        }
        (tabs(name, Tab::Text, &may_read(state, viewer.person, name)))
        (waits(state, name, now))
        section {
            h2 { "Rules" }
            @if own.is_empty() { p .quiet { "There is no rule in it that can be used." } }
            ul .rules {
                @for rule in &own {
                    li {
                        a href=(place(name, rule.line)) { code { (shown(&rule.id)) } } " " (does(rule))
                        @if let Some(reason) = &rule.reason { ": " span .quiet { (shown(reason)) } }
                    }
                }
            }
        }
        section { h2 { "Text" } (numbered(text)) }
        (remove::section(viewer, name))
    }
}

/// Proposals that would change it, so that nobody writes another without knowing.
fn waits(state: &Realm, name: &str, now: Timestamp) -> Markup {
    let changes = waiting_changes(state, name);
    html! {
        @if !changes.is_empty() {
            div .notice {
                @for change in changes {
                    p {
                        a href={ "/changes/" (change.id) } { (shown(&change.reason)) } " " (id::short(change.id))
                        " by " (Names(state).person(change.author)) " waits for a yes, " (moment(change.proposed_at, now))
                    }
                }
            }
        }
    }
}

/// A policy that is not there any more, for whoever may know what it was.
async fn removed(console: &Console, state: &Realm, viewer: &Viewer, name: &str) -> Result<Markup, PageError> {
    if may_read(state, viewer.person, name).is_err() {
        return Err(unknown(name).into());
    }
    let last = newest(console, name, None).await?.ok_or_else(|| unknown(name))?;
    Ok(html! {
        (crumb(name))
        h1 { (shown(name)) }
        (tabs(name, Tab::Text, &Ok(())))
        div .notice {
            p .sentence { "this policy was removed: no call is decided by it any more" }
            p {
                "By " (Names(state).person(last.by)) " " (moment(last.at, console.engine.now())) ", "
                a href={ "/records/" (last.seq) } { "record " (last.seq) }
                @if let Some(change) = last.change { ", with the change " a href={ "/changes/" (change) } { (id::short(change)) } }
            }
        }
        p { a href={ "/policies/" (name) "/diff?to=" (last.seq) } { "What was removed" } ", line by line" }
    })
}
