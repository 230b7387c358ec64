//! One person: what they may, how they sign in, what they answer for, and what they did last.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Agent, Timestamp};
use remit_engine::Filter;

use super::{About, absence, entitlements, find, groups, links, remove, sessions, sign_in_link};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::line::{Line, lines};
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::parts::{id, pill};
use crate::session::Viewer;
use crate::{Console, answers, limits};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let state = console.engine.state();
    let now = console.engine.now();
    let person = find(&state, &name)?;
    let about = About { state: &state, viewer: &viewer, person, now };
    let latest = if about.is_open() {
        let filter =
            Filter { person: Some(person.id.to_string()), limit: limits::RELATED_RECORDS_MAX, ..Filter::default() };
        crate::pages::lines(&console, filter, &state).await?
    } else {
        Vec::new()
    };
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: &person.name, place: Place::People, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(&about, &latest)))
}

fn render(about: &About<'_>, latest: &[Line]) -> Markup {
    let person = about.person;
    html! {
        p .crumb { a href="/people" { "People" } " / " (id::short(person.id)) }
        div .page-head {
            h1 {
                (shown(&person.name)) " "
                @if person.is_administrator() { (pill(Tone::Waits, "administrator")) }
                @if about.is_self() { " " (pill(Tone::Quiet, "you")) }
            }
            div .actions { (sign_in_link::action(about)) (remove::action(about)) }
        }
        div .split {
            div {
                (groups::section(about))
                (agents(about))
                @if about.is_open() { (entitlements::section(about)) (links::section(about)) }
                @if about.is_self() || about.viewer_administers() { (sessions::section(about)) }
            }
            div {
                (facts(about))
                (passkeys(about))
                @if about.absence_is_open() { (absence::section(about)) }
            }
        }
        @if about.is_open() { section { h2 { "What happened last" } (lines(latest, about.now)) } }
        @else { p .quiet { "The rest is for themself, and for administrators, auditors and reviewers." } }
    }
}

fn facts(about: &About<'_>) -> Markup {
    let person = about.person;
    html! {
        section {
            h2 { "Who they are" }
            (properties(&html! {
                (row("Id", &html! { code .whole { (person.id) } }))
                @if about.is_open() {
                    (row("Added", &moment(person.added_at, about.now)))
                    (row("On this machine", &match person.uid {
                        Some(uid) => html! { "the user with the id " (uid) },
                        None => none("nobody"),
                    }))
                }
                (row("History", &html! { a href={ "/history?artefact=person:" (person.name) } { "What was changed about them" } }))
            }))
        }
    }
}

/// How many passkeys they have; which ones is for themself and for administrators.
fn passkeys(about: &About<'_>) -> Markup {
    let passkeys = about.state.passkeys_of(about.person.id);
    if !about.is_open() {
        return html! {};
    }
    html! {
        section {
            h2 { "Passkeys" }
            @if passkeys.is_empty() {
                p .quiet { "None: a one-time link is all that says who they are." }
            } @else if about.is_self() || about.viewer_administers() {
                ul .cards {
                    @for passkey in &passkeys {
                        li {
                            span .title { (shown(&passkey.label)) }
                            span { @if passkey.backed_up { (pill(Tone::Quiet, "synced")) } @else { (pill(Tone::Good, "on one device")) } }
                            p .quiet { "enrolled " (moment(passkey.added_at, about.now)) }
                        }
                    }
                }
            } @else {
                p { (passkeys.len()) @if passkeys.len() == 1 { " passkey" } @else { " passkeys" } }
            }
            @if about.is_self() {
                p { a href="/passkeys" { "Enrol or remove" } }
            } @else if !passkeys.is_empty() && about.viewer_administers() {
                p .quiet {
                    "Somebody else's passkey is removed on Remit's own machine only: "
                    code { "remit person passkey remove" } "; who lost all of theirs: " code { "remit person recover " (shown(&about.person.name)) }
                }
            }
        }
    }
}

/// The agents that they own or may approve for.
fn agents(about: &About<'_>) -> Markup {
    let person = about.person.id;
    let part = |agent: &Agent| match &agent.profile {
        profile if profile.owner == Some(person) => Some("owner"),
        profile if profile.approvers.contains(&person) => Some("approver"),
        _ => None,
    };
    let live = about.state.agents.values().filter(|agent| !agent.is_gone());
    let mut own: Vec<(&Agent, &str)> = live.filter_map(|agent| Some((&**agent, part(agent)?))).collect();
    own.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    let beyond = own.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        section {
            h2 { "Answers for" }
            @if own.is_empty() {
                p .quiet { "No agent." }
            } @else {
                div .scroll tabindex="0" role="region" aria-label="Agents" {
                    table .rows {
                        thead { tr { th { "Agent" } th { "As" } th { "Status" } th { "Review" } } }
                        tbody { @for (agent, part) in own.iter().take(limits::LIST_ROWS_MAX) { (agent_row(agent, part, about.now)) } }
                    }
                }
                @if beyond > 0 { p .quiet { "and " (beyond) " more" } }
            }
        }
    }
}

fn agent_row(agent: &Agent, part: &str, now: Timestamp) -> Markup {
    html! {
        tr {
            td { a .agent href={ "/agents/" (agent.name) } { (shown(&agent.name)) } }
            td { (part) }
            td { (pill::agent(agent.status)) }
            td data-label="review" { @if let Some(at) = agent.profile.review_at { (moment(at, now)) } @else { (none("none")) } }
        }
    }
}
