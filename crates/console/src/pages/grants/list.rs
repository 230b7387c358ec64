//! What is asked for, and what is granted now.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{Grant, GrantRequest, State as Realm, Timestamp, may_read_grant, must_be_able_to_answer};
use serde::Deserialize;

use super::{asked_by, patterns, task_of};
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};
use crate::parts::time::{moment, remaining};
use crate::parts::{filters, id};
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// Which of the live grants.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    agent: String,
    operation: String,
    scope: String,
}

impl Choice {
    fn fits(&self, state: &Realm, grant: &Grant) -> bool {
        let (agent, operation) = (self.agent.trim(), self.operation.trim());
        let of_scope = match self.scope.as_str() {
            "task" => grant.task.is_some(),
            "agent" => grant.task.is_none(),
            _ => true,
        };
        of_scope
            && (agent.is_empty() || state.agent(grant.agent).is_ok_and(|known| known.name == agent))
            && (operation.is_empty() || grant.operations.iter().any(|pattern| pattern.as_str().contains(operation)))
    }

    fn is_made(&self) -> bool {
        [&self.agent, &self.operation, &self.scope].iter().any(|field| !field.trim().is_empty())
    }
}

pub(crate) async fn list(
    State(console): State<Console>,
    viewer: Viewer,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Markup {
    let choice = choice.map(|Query(choice)| choice).unwrap_or_default();
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Grants", place: Place::Grants, viewer: &viewer, waiting, refreshes: false };
    layout::page(&frame, &render(&state, &viewer, &choice, now))
}

fn render(state: &Realm, viewer: &Viewer, choice: &Choice, now: Timestamp) -> Markup {
    html! {
        div .page-head { div { h1 { "Grants" } p { "Who may use what, until when. An agent that lacks something can ask for it here." } } }
        div #grant-requests data-live { (requests(state, viewer, now)) }
        section {
            h2 { "Granted now" }
            (filters::form("/grants", "Which grants", "Filter", &html! {
                (filters::text("agent", "Agent", &choice.agent, "its name"))
                (filters::text("operation", "Operation", &choice.operation, "a part of it"))
                (filters::select("scope", "For", &choice.scope, &[("", "everything"), ("agent", "all tasks of an agent"), ("task", "one task")]))
            }))
            (granted(state, viewer, choice, now))
        }
    }
}

/// Those that wait, oldest first: for whoever looks, then for others.
fn requests(state: &Realm, viewer: &Viewer, now: Timestamp) -> Markup {
    let readable =
        |request: &&Arc<GrantRequest>| may_read_grant(state, viewer.person, request.agent, request.task).is_ok();
    let mut all: Vec<&Arc<GrantRequest>> = state.grant_requests.values().filter(readable).collect();
    all.sort_by_key(|request| (request.requested_at, request.id));
    let is_mine = |request: &&Arc<GrantRequest>| must_be_able_to_answer(state, request, viewer.person).is_ok();
    let (mine, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_mine);
    html! {
        section {
            h2 { "Waits for you" }
            @if mine.is_empty() {
                div .empty {
                    p { "Nothing waits for your answer." }
                    p { "A request appears here by itself, from an agent at work or from a person:" }
                    pre { "remit grant request AGENT CONNECTOR/TOOL --reason \"why\" --for 30d" }
                }
            } @else { (table(state, viewer, &mine, "Waits for you", now)) }
        }
        @if !others.is_empty() {
            section { h2 { "Waits for somebody else" } (table(state, viewer, &others, "Waits for somebody else", now)) }
        }
    }
}

fn table(state: &Realm, viewer: &Viewer, requests: &[&Arc<GrantRequest>], label: &str, now: Timestamp) -> Markup {
    let names = Names(state);
    let beyond = requests.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        div .scroll tabindex="0" role="region" aria-label=(label) {
            table .list {
                thead { tr { th { "Request" } th { "Operations" } th { "Agent" } th { "Asked by" } th { "Why" } th { "Asked" } th { "You" } } }
                tbody {
                    @for request in requests.iter().take(limits::LIST_ROWS_MAX) {
                        tr {
                            td { a href={ "/grants/" (request.id) } { (id::short(request.id)) } }
                            td { (patterns(&request.operations)) }
                            td { (names.agent(request.agent)) }
                            td { (asked_by(names, request.requested_by, task_of(state, request.task))) }
                            td { (shown(&request.reason)) }
                            td { (moment(request.requested_at, now)) }
                            td { (yours(state, viewer, request)) }
                        }
                    }
                }
            }
        }
        @if beyond > 0 { p .quiet { "and " (beyond) " more: " code { "remit grant list" } } }
    }
}

fn yours(state: &Realm, viewer: &Viewer, request: &GrantRequest) -> Markup {
    match must_be_able_to_answer(state, request, viewer.person) {
        Ok(()) => pill(Tone::Waits, "your answer"),
        Err(refusal) => html! { span .reason { (told(&refusal.sentence)) } },
    }
}

/// What is granted and not yet over, what ends first in front.
fn granted(state: &Realm, viewer: &Viewer, choice: &Choice, now: Timestamp) -> Markup {
    let wanted = |grant: &&Arc<Grant>| {
        now < grant.expires_at
            && choice.fits(state, grant)
            && may_read_grant(state, viewer.person, grant.agent, grant.task).is_ok()
    };
    let mut grants: Vec<&Arc<Grant>> = state.grants.values().filter(wanted).collect();
    grants.sort_by_key(|grant| (grant.expires_at, grant.id));
    let names = Names(state);
    let beyond = grants.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        @if grants.is_empty() {
            div .empty {
                @if choice.is_made() {
                    p { "No grant that you may see fits." }
                    p { a href="/grants" { "Show all grants" } }
                } @else {
                    p { "Nothing is granted, so no agent may use anything by a grant." }
                    p { "Ask for one, and somebody else who approves for the agent agrees to it:" }
                    pre { "remit grant request AGENT CONNECTOR/TOOL --reason \"why\" --for 30d" }
                }
            }
        } @else {
            div .scroll tabindex="0" role="region" aria-label="Granted now" {
                table .list {
                    thead { tr { th { "Grant" } th { "Operations" } th { "Agent" } th { "For" } th { "Approved by" } th { "Ends" } } }
                    tbody {
                        @for grant in grants.iter().take(limits::LIST_ROWS_MAX) {
                            tr {
                                td { a href={ "/grants/" (grant.id) } { (id::short(grant.id)) } }
                                td { (patterns(&grant.operations)) }
                                td { (names.agent(grant.agent)) }
                                td {
                                    @match grant.task {
                                        Some(task) => { a href={ "/tasks/" (task) } { "one task " (id::short(task)) } },
                                        None => { "all its tasks" },
                                    }
                                }
                                td { (names.person(grant.approved_by)) }
                                td { (remaining(grant.expires_at, now)) }
                            }
                        }
                    }
                }
            }
            @if beyond > 0 { p .quiet { "and " (beyond) " more: filter them, or " code { "remit grant list" } } }
        }
    }
}
