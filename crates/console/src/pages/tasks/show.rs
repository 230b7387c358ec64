//! One task: what it is for, what it does now, what came into it, and how it ended.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use remit_domain::{
    Action, Approval, Command, Refusal, Right, State as Realm, Task, TaskId, Timestamp, may, may_read_task,
};
use remit_engine::Filter;
use serde::Deserialize;

use super::receipt;
use super::tree::Tree;
use super::{acting_for, labels, parse, reason, status};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::pages::control;
use crate::parts::line::{Line, lines};
use crate::parts::properties::{none, properties, row};
use crate::parts::receipt::Signed;
use crate::parts::text::shown;
use crate::parts::time::{moment, remaining};
use crate::parts::{self, id};
use crate::session::Viewer;
use crate::{Console, answers, limits};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Choice {
    /// Whether the receipt of its end is wanted: it costs a search.
    #[serde(default)]
    receipt: String,
}

/// All that the page is made from.
struct Page<'a> {
    state: &'a Realm,
    viewer: &'a Viewer,
    task: &'a Arc<Task>,
    latest: Vec<Line>,
    receipt: Option<Signed>,
    now: Timestamp,
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(id): Path<String>,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Result<Markup, PageError> {
    let id = parse(&id)?;
    let wants_receipt = choice.is_ok_and(|Query(choice)| choice.receipt == "yes");
    let state = console.engine.state();
    let now = console.engine.now();
    let filter = Filter { task: Some(id.to_string()), limit: limits::RELATED_RECORDS_MAX, ..Filter::default() };
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let title = format!("Task {}", id::shortened(&id.to_string()));
    let frame = Frame { title: &title, place: Place::Tasks, viewer: &viewer, waiting, refreshes: false };
    let Some(task) = state.tasks.get(&id) else {
        forgotten_may_be_read(&console, &state, &viewer, id).await?;
        let latest = crate::pages::lines(&console, filter, &state).await?;
        return Ok(layout::page(&frame, &forgotten(id, &latest, now)));
    };
    may_read_task(&state, viewer.person, task)?;
    let latest = crate::pages::lines(&console, filter, &state).await?;
    let receipt = if wants_receipt { receipt::of(&console, &state, viewer.person, task).await? } else { None };
    let page = Page { state: &state, viewer: &viewer, task, latest, receipt, now };
    Ok(layout::page(&frame, &render(&page)))
}

/// Whether somebody may read the records of a task that the state no longer has: every one of them names its agent.
async fn forgotten_may_be_read(console: &Console, state: &Realm, viewer: &Viewer, id: TaskId) -> Result<(), PageError> {
    let about_it = Filter { task: Some(id.to_string()), limit: 1, ..Filter::default() };
    let found = console.engine.query(about_it).await?;
    let agent = found.first().and_then(|committed| committed.record.event.agent());
    let agent = agent.ok_or_else(|| Refusal::unknown("task", id))?;
    Ok(may(state, viewer.person, Right::ReadAgent(agent))?)
}

fn forgotten(id: TaskId, latest: &[Line], now: Timestamp) -> Markup {
    html! {
        p .crumb { a href="/tasks" { "Tasks" } " / " (id::short(id)) }
        h1 { "A task of the past" }
        p .lead { "It ended more than a day ago, so only the ledger still knows it." }
        section { h2 { "In the ledger" } (lines(latest, now)) }
    }
}

fn render(page: &Page<'_>) -> Markup {
    let Page { state, task, now, .. } = page;
    let tree = Tree::new(state, page.viewer.person, *now);
    let members = tree.members(task.id);
    html! {
        p .crumb { a href="/tasks" { "Tasks" } " / " (id::short(task.id)) }
        div .page-head {
            div {
                h1 { (shown(&task.purpose)) " " (status(task, *now)) }
                p { (Names(state).agent(task.agent)) " for " (acting_for(state, task)) ", since " (moment(task.started_at, *now)) }
            }
            @if task.is_live() { (actions(page)) }
        }
        @if let Some((at, why)) = &task.ended {
            div .notice {
                p .sentence { "Ended " (moment(*at, *now)) ": " (reason(why)) }
                @if page.receipt.is_none() && receipt::is_there(state, page.viewer.person, task) {
                    p { a href={ "/tasks/" (task.id) "?receipt=yes" } { "Show the receipt" } }
                }
            }
        }
        @if let Some(signed) = &page.receipt { (parts::receipt::render(state, signed, None, *now)) }
        div .split {
            div {
                @if task.is_live() { (under_way(page, &members)) }
                @if let Some(around) = tree.around(task) { section { h2 { "Above and below it" } (around) } }
                section #records data-live { h2 { "What happened last" } (lines(&page.latest, *now)) }
            }
            div { (facts(page)) }
        }
    }
}

fn actions(page: &Page<'_>) -> Markup {
    let Page { state, viewer, task, now, .. } = page;
    let (id, run) = (task.id, task.run);
    let end = control::may(state, viewer, &Command::EndTask { task: id, note: String::new() }, *now);
    let whole = control::may(state, viewer, &Command::RevokeRun { run, reason: "as asked".to_owned() }, *now);
    let ways = [
        ("end", "End this task", "It ends with everything under it, at once. Nothing brings it back.", &end),
        ("end-run", "End the whole run", "Every task of the run ends, above and below this one.", &whole),
    ];
    html! {
        div .actions {
            @for (verb, label, means, usable) in ways {
                details name="action" {
                    summary .danger { (label) }
                    form method="post" action={ "/tasks/" (id) "/" (verb) } {
                        (layout::token(viewer))
                        p .quiet { (means) }
                        label for={ (verb) "-reason" } { "Why" }
                        textarea id={ (verb) "-reason" } name="reason" rows="2" required
                            maxlength=(remit_domain::limits::TEXT_BYTES_MAX) disabled[usable.is_err()] {}
                        button .danger type="submit" disabled[usable.is_err()] aria-describedby={ (verb) "-why" } { (label) }
                        (control::why(&format!("{verb}-why"), usable))
                    }
                }
            }
        }
    }
}

/// The calls that were allowed and not reported yet, and the questions that wait, of the task and all below it.
fn under_way(page: &Page<'_>, members: &HashSet<TaskId>) -> Markup {
    let Page { state, viewer, now, .. } = page;
    let readable = |id: &TaskId| {
        members.contains(id)
            && state.tasks.get(id).is_some_and(|task| may_read_task(state, viewer.person, task).is_ok())
    };
    let mut calls: Vec<&Arc<Action>> = state.actions.values().filter(|action| readable(&action.task)).collect();
    calls.sort_by_key(|action| (action.allowed_at, action.id));
    let asked = state.approvals.values().filter(|approval| approval.is_pending() && readable(&approval.facts.task));
    let mut asked: Vec<&Arc<Approval>> = asked.collect();
    asked.sort_by_key(|approval| (approval.expires_at, approval.id));
    html! {
        section #under-way data-live {
            h2 { "Under way" }
            @if calls.is_empty() && asked.is_empty() {
                p .quiet { "No call is under way, and nobody is asked." }
            } @else {
                ul .cards {
                    @for approval in asked.iter().take(limits::LIST_ROWS_MAX) {
                        li {
                            a .title href={ "/approvals/" (approval.id) } { code { (shown(approval.facts.operation.as_str())) } }
                            span .when { "asks, " (remaining(approval.expires_at, *now)) }
                        }
                    }
                    @for call in calls.iter().take(limits::LIST_ROWS_MAX) {
                        li {
                            span .title { code { (shown(call.operation.as_str())) } }
                            span .when { "allowed " (moment(call.allowed_at, *now)) }
                        }
                    }
                }
            }
        }
    }
}

fn facts(page: &Page<'_>) -> Markup {
    let Page { state, task, now, .. } = page;
    let names = Names(state);
    html! {
        section #facts data-live {
            h2 { "What it is" }
            (properties(&html! {
                (row("Agent", &names.agent(task.agent)))
                (row("For", &acting_for(state, task)))
                (row("Started by", &task.started_by.map_or_else(|| none("the agent itself"), |person| names.person(person))))
                (row("Life", &html! {
                    @if task.is_live() { (remaining(task.expires_at, *now)) } @else { "over; it had time until " (moment(task.expires_at, *now)) }
                }))
                (row("Calls", &html! {
                    meter min="0" max=(task.budget.calls_max) value=(task.calls) aria-label="calls used" {} " "
                    (task.calls) " of " (task.budget.calls_max)
                }))
                (row("Labels", &html! { @if task.labels.is_empty() { (none("nothing sensitive or untrusted has come in")) } @else { (labels(task)) } }))
                (row("Data", &html! { @match task.data { Some(data) => { "up to " (format!("{data:?}")) } None => (none("none yet")) } }))
                (row("Scope", &html! {
                    @if task.scope.is_empty() { "all that the agent was granted" }
                    @for pattern in &task.scope { code { (shown(pattern.as_str())) } " " }
                }))
                @if !task.authority.is_empty() { (row("Bounds", &authority(task))) }
                (row("Tokens", &html! {
                    @match &task.key { Some(key) => { "bound to " code .whole { (shown(key)) } } None => "bearer: whoever holds one may use it" }
                }))
                @if let Some(client) = &task.client { (row("Client", &html! { code .whole { (shown(client)) } })) }
                @if let Some(via) = &task.via { (row("Through", &html! { code .whole { (shown(via)) } })) }
                @if let Some(configuration) = &task.configuration { (row("Configuration", &id::digest(configuration))) }
                (row("Run", &id::short(task.run)))
            }))
        }
    }
}

fn authority(task: &Task) -> Markup {
    html! {
        @for part in &task.authority {
            p {
                @for pattern in &part.operations { code { (shown(pattern.as_str())) } " " }
                @for (name, bound) in &part.constraints { span .quiet { (shown(name)) " " (shown(&bound.to_string())) } " " }
            }
        }
    }
}
