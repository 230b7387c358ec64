//! One agent's card: what it is, what it may do and for how long, what it is doing and what it did last.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{
    Agent, AgentId, Grant, PersonId, Refusal, Right, State as Realm, Task, Timestamp, may, may_read_task,
};
use remit_engine::Filter;

use crate::answers;
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::line::{Line, lines};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::shown;
use crate::parts::time::{moment, remaining};
use crate::parts::{id, pill};
use crate::session::Viewer;
use crate::{Console, limits};

#[cfg(test)]
mod tests;

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let state = console.engine.state();
    let now = console.engine.now();
    let agent = find(&state, &name)?;
    let filter = Filter { agent: Some(agent.id.to_string()), limit: limits::RELATED_RECORDS_MAX, ..Filter::default() };
    // What it may do is for everybody; what it did is not.
    let latest = match may(&state, viewer.person, Right::ReadAgent(agent.id)) {
        Ok(()) => Some(crate::pages::lines(&console, filter, &state).await?),
        Err(_) => None,
    };
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: &agent.name, place: Place::Agents, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(&state, agent, viewer.person, latest.as_deref(), now)))
}

/// The agent by its name, or by its id.
fn find<'a>(state: &'a Realm, name: &str) -> Result<&'a Arc<Agent>, Refusal> {
    match name.parse::<AgentId>() {
        Ok(id) => state.agent(id),
        Err(_) if name.len() > remit_domain::limits::NAME_BYTES_MAX => {
            Err(Refusal::unknown("agent", "of such a long name"))
        }
        Err(_) => state.agent_named(name),
    }
}

fn render(state: &Realm, agent: &Agent, viewer: PersonId, latest: Option<&[Line]>, now: Timestamp) -> Markup {
    let mut grants: Vec<_> = state.grants_of(agent.id).filter(|grant| now < grant.expires_at).collect();
    grants.sort_by_key(|grant| grant.expires_at);
    let tasks = state.live_tasks_of(agent.id).filter(|task| may_read_task(state, viewer, task).is_ok());
    let mut tasks: Vec<_> = tasks.collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.started_at));
    html! {
        p .crumb { a href="/agents" { "Agents" } " / " (id::short(agent.id)) }
        h1 { (shown(&agent.name)) " " (pill::agent(agent.status)) }
        @if !agent.profile.purpose.is_empty() { p .lead { (shown(&agent.profile.purpose)) } }
        section { h2 { "What it is" } (profile(state, agent, now)) }
        section {
            h2 { "What it may use" }
            @if let Some(rule) = state.sandbox_permit(agent) {
                p { "What connectors marked as sandbox offer, without a grant: the policy " code { (rule) } " permits it." }
                @if !grants.is_empty() { (grants_table(state, &grants, now)) }
            } @else if grants.is_empty() {
                p .quiet { "No live grant: it may use nothing." }
            } @else { (grants_table(state, &grants, now)) }
        }
        section {
            h2 { "What it is doing" }
            @if tasks.is_empty() && latest.is_none() { p .quiet { "What it does is for those who answer or approve for it." } }
            @else if tasks.is_empty() { p .quiet { "No live task: it can do nothing now." } } @else { (tasks_table(state, &tasks, now)) }
        }
        @if let Some(latest) = latest { section { h2 { "What happened last" } (lines(latest, now)) } }
    }
}

fn profile(state: &Realm, agent: &Agent, now: Timestamp) -> Markup {
    let names = Names(state);
    let profile = &agent.profile;
    let domain = state.realm.as_ref().map_or("", |realm| realm.trust_domain.as_str());
    let data: Vec<String> = profile.data_classes.iter().map(|class| format!("{class:?}")).collect();
    properties(&html! {
        (row("Identity", &html! { code { (shown(&agent.spiffe_id(domain))) } }))
        (row("Owner", &profile.owner.map_or_else(|| none("nobody"), |owner| names.person(owner))))
        (row("Approvers", &html! {
            @if profile.approvers.is_empty() { (none("nobody")) }
            @for (index, approver) in profile.approvers.iter().enumerate() {
                @if index > 0 { ", " }
                (names.person(*approver))
            }
        }))
        (row("Class", &html! {
            (profile.class.map_or("none", |class| class.as_str())) ", autonomy "
            @match profile.autonomy { Some(autonomy) => { "A" (autonomy) } None => "not set" }
        }))
        (row("Environment", &html! { (profile.environment.map_or("none", |environment| environment.as_str())) }))
        (row("Data", &html! { @if data.is_empty() { (none("none")) } @else { (data.join(", ")) } }))
        @if profile.enforcer { (row("Enforcer", &html! { "enforces elsewhere, and may ask about what others do" })) }
        (row("Review", &html! { @match profile.review_at { Some(at) => (moment(at, now)), None => (none("none")) } }))
        (row("Keys", &html! {
            @if agent.keys.is_empty() { (none("none: its tasks use bearer tokens")) }
            @for key in &agent.keys { code .id { (shown(&key.thumbprint)) } " " }
        }))
        (row("Registered", &moment(agent.registered_at, now)))
    })
}

fn grants_table(state: &Realm, grants: &[&Arc<Grant>], now: Timestamp) -> Markup {
    let names = Names(state);
    html! {
        div .scroll {
            table .list {
                thead { tr { th { "Operations" } th { "Reason" } th { "Approved by" } th { "Life" } th { "Grant" } } }
                tbody {
                    @for grant in grants.iter().take(limits::LIST_ROWS_MAX) {
                        tr {
                            td { @for operation in &grant.operations { code { (shown(operation.as_str())) } " " } }
                            td { (shown(&grant.reason)) }
                            td { (names.person(grant.approved_by)) }
                            td { (remaining(grant.expires_at, now)) }
                            td { (id::short(grant.id)) }
                        }
                    }
                }
            }
        }
    }
}

fn tasks_table(state: &Realm, tasks: &[&Arc<Task>], now: Timestamp) -> Markup {
    let names = Names(state);
    let beyond = tasks.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        div .scroll {
            table .list {
                thead { tr { th { "Purpose" } th { "For" } th .number { "Calls" } th { "Life" } th { "Task" } } }
                tbody {
                    @for task in tasks.iter().take(limits::LIST_ROWS_MAX) {
                        tr {
                            td { (shown(&task.purpose)) }
                            td { (task.acting_for.map_or_else(|| none("nobody"), |person| names.person(person))) }
                            td .number { (task.calls) " of " (task.budget.calls_max) }
                            td { (remaining(task.expires_at, now)) }
                            td { (id::short(task.id)) }
                        }
                    }
                }
            }
        }
        @if beyond > 0 { p .quiet { "and " (beyond) " more" } }
    }
}
