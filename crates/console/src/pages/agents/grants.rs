//! What was granted to an agent, and what of it is used; what is asked for; and the end of a grant.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{
    Command, Grant, GrantId, GrantRequest, Operation, Refusal, limits as bounds, may_read_grant, may_read_task,
};
use remit_engine::GrantUse;
use serde::Deserialize;

use super::ask::{Ask, form as ask_form};
use super::{About, Tab, address};
use crate::errors::PageError;
use crate::names::Names;
use crate::pages::control::{self, written};
use crate::parts::id;
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::none;
use crate::parts::text::shown;
use crate::parts::time::{moment, remaining};
use crate::session::{SentForm, Viewer};
use crate::{Console, layout, limits};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    page(&console, &viewer, &name, &Ask::default(), None).await
}

/// The page; with what was typed and why it was refused, if it was.
pub(super) async fn page(
    console: &Console,
    viewer: &Viewer,
    name: &str,
    typed: &Ask,
    refused: Option<&Refusal>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, viewer, name, now)?;
    let grants = live(&about);
    // What was granted is for everybody; what it did with that is not.
    let uses = match about.may_read() {
        Ok(()) => {
            let ids: Vec<GrantId> = grants.iter().map(|grant| grant.id).collect();
            Some(console.engine.grant_uses(&ids).await?)
        }
        Err(_) => None,
    };
    Ok(about.page(Tab::Grants, &render(&about, &grants, uses.as_deref(), typed, refused)))
}

/// Its grants and those of its live tasks alone, those that end first in front, as many as a page holds.
fn live<'a>(about: &About<'a>) -> Vec<&'a Arc<Grant>> {
    let own = about.state.grants_of(about.agent.id).chain(of_tasks(about));
    let mut grants: Vec<_> = own.filter(|grant| about.now < grant.expires_at).collect();
    grants.sort_by_key(|grant| (grant.expires_at, grant.id));
    grants
}

fn render(
    about: &About<'_>,
    grants: &[&Arc<Grant>],
    uses: Option<&[Vec<GrantUse>]>,
    typed: &Ask,
    refused: Option<&Refusal>,
) -> Markup {
    let requests = about.state.grant_requests.values().filter(|request| {
        let (state, viewer) = (about.state, about.viewer.person);
        request.agent == about.agent.id && may_read_grant(state, viewer, request.agent, request.task).is_ok()
    });
    let mut requests: Vec<&Arc<GrantRequest>> = requests.collect();
    requests.sort_by_key(|request| request.requested_at);
    html! {
        section {
            h2 { "Granted, and used" }
            @if grants.is_empty() {
                div .empty {
                    p { "No grant is live: by grants it may use nothing." }
                    p { "A grant names operations, says why, and has an end. Whoever approves for the agent agrees to it." }
                    pre { "remit grant request " (shown(&about.agent.name)) " CONNECTOR/TOOL --reason \"why\" --for 30d" }
                }
            } @else {
                @if uses.is_none() { p .quiet { "What of it was used is for those who answer or approve for the agent." } }
                ul .slips {
                    @for (place, grant) in grants.iter().enumerate().take(limits::LIST_ROWS_MAX) {
                        (one(about, grant, uses.and_then(|uses| uses.get(place)).map(Vec::as_slice)))
                    }
                }
            }
        }
        @if !requests.is_empty() { section { h2 { "Asked for" } (asked(about, &requests)) } }
        (ask_form(about, typed, refused))
    }
}

/// One grant: what it covers, how often that was used, and how to end it.
fn one(about: &About<'_>, grant: &Grant, uses: Option<&[GrantUse]>) -> Markup {
    let names = Names(about.state);
    let calls: u64 = uses.unwrap_or_default().iter().map(|one| one.calls).sum();
    html! {
        li id=(grant.id) {
            div .head {
                p .title { @for pattern in &grant.operations { code { (shown(pattern.as_str())) } " " } }
                span .when { (remaining(grant.expires_at, about.now)) }
            }
            p {
                "“" (shown(&grant.reason)) "”, approved by " (names.person(grant.approved_by)) " " (id::short(grant.id))
                @if let Some(task) = only_for(grant) { ", only for the task " a href={ "/tasks/" (task) } { (id::short(task)) } }
            }
            @if let Some(uses) = uses {
                p {
                    @match uses.first() {
                        Some(last) => {
                            (calls) @if calls == 1 { " call" } @else { " calls" } ", the last "
                            a href={ "/records/" (last.last_seq) } { (moment(last.last_at, about.now)) }
                        }
                        None => (pill(Tone::Waits, "never used")),
                    }
                }
                (by_operation(about, grant, uses))
            }
            (revoke_form(about, grant))
        }
    }
}

/// Each operation that it covers with its calls, those that were called first; what was withdrawn since stays where it was used.
fn by_operation(about: &About<'_>, grant: &Grant, uses: &[GrantUse]) -> Markup {
    let covered = |operation: &&Arc<Operation>| {
        grant.operations.iter().any(|pattern| pattern.covers(&operation.name)) && operation.withdrawn.is_none()
    };
    let is_used = |name: &str| uses.iter().any(|one| one.operation == name);
    let covered = about.state.operations.values().filter(covered);
    let mut unused: Vec<&str> =
        covered.map(|operation| operation.name.as_str()).filter(|name| !is_used(name)).collect();
    unused.sort_unstable();
    let beyond = unused.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        details {
            summary { (uses.len()) " used, " (unused.len()) " never used" }
            table .rows {
                thead { tr { th { "Operation" } th .number { "Calls" } th { "Last" } } }
                tbody {
                    @for one in uses.iter().take(limits::LIST_ROWS_MAX) {
                        tr {
                            td { code { (shown(&one.operation)) } }
                            td .number { (one.calls) }
                            td { a href={ "/records/" (one.last_seq) } { (moment(one.last_at, about.now)) } }
                        }
                    }
                    @for name in unused.iter().take(limits::LIST_ROWS_MAX) {
                        tr { td { code { (shown(name)) } } td .number { "0" } td { (none("never")) } }
                    }
                }
            }
            @if beyond > 0 { p .quiet { "and " (beyond) " more that were never used" } }
        }
    }
}

fn revoke_form(about: &About<'_>, grant: &Grant) -> Markup {
    let command = Command::RevokeGrant { grant: grant.id, reason: "as asked".to_owned() };
    let usable = about.can(&command);
    let (field, why) = (format!("revoke-{}", grant.id), format!("revoke-{}-why", grant.id));
    html! {
        details {
            summary { "Take it away" }
            form .stack method="post" action=(about.address("revoke-grant")) {
                (layout::token(about.viewer))
                input type="hidden" name="grant" value=(grant.id);
                label for=(field) { "Why" }
                input id=(field) name="reason" required maxlength=(bounds::TEXT_BYTES_MAX) autocomplete="off" disabled[usable.is_err()];
                button .danger type="submit" disabled[usable.is_err()] aria-describedby=(why) { "Take it away" }
                (control::why(&why, &usable))
            }
        }
    }
}

fn asked(about: &About<'_>, requests: &[&Arc<GrantRequest>]) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Asked for" {
            table .rows {
                thead { tr { th { "Operations" } th { "Why" } th { "Asked" } th { "For how long" } } }
                tbody {
                    @for request in requests.iter().take(limits::LIST_ROWS_MAX) {
                        tr {
                            td {
                                a href={ "/grants/" (request.id) } { @for pattern in &request.operations { code { (shown(pattern.as_str())) } " " } }
                                (id::short(request.id))
                            }
                            td { (shown(&request.reason)) }
                            td { (moment(request.requested_at, about.now)) }
                            td { (crate::parts::time::span(request.ttl_seconds.saturating_mul(1000))) }
                        }
                    }
                }
            }
        }
        p .quiet { "Who approves for the agent answers on the page of the request." }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    grant: String,
    #[serde(default)]
    reason: String,
}

/// Ends a grant of this agent: felt by its very next call.
pub(crate) async fn revoke(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Which>,
) -> Result<Redirect, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &sent.viewer, &name, now)?;
    let unknown = || Refusal::unknown("grant", sent.fields.grant.chars().take(64).collect::<String>());
    let grant: GrantId = sent.fields.grant.parse().map_err(|_| unknown())?;
    if state.grants.get(&grant).is_some_and(|grant| grant.agent != about.agent.id) {
        return Err(unknown().into());
    }
    let command = Command::RevokeGrant { grant, reason: written(&sent.fields.reason) };
    console.engine.submit(sent.viewer.actor(), command).await?;
    Ok(Redirect::to(&format!("{}/grants", address(about.agent))))
}

/// The grants that its live tasks have for themselves.
fn of_tasks<'a>(about: &About<'a>) -> impl Iterator<Item = &'a Arc<Grant>> + use<'a> {
    let (state, person) = (about.state, about.viewer.person);
    let tasks = state.live_tasks_of(about.agent.id).filter(move |task| may_read_task(state, person, task).is_ok());
    tasks.flat_map(|task| state.grants_of_task(task))
}

/// The one task for which it counts, if it is not for all that the agent does.
fn only_for(grant: &Grant) -> Option<remit_domain::TaskId> {
    grant.task
}
