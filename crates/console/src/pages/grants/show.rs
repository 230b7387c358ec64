//! One request, or the grant that it became: who asks, for what, and what a yes brings.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{
    AccessStatus, AgentId, Event, GrantId, GrantRequest, OperationPattern, PersonId, Refusal, Right, State as Realm,
    Task, TaskId, Timestamp, may, may_read_grant, may_read_task,
};
use remit_engine::Filter;

use super::answer_box::answer_box;
use super::{asked_by, operations, parse, patterns, task_of};
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::id;
use crate::parts::line::{Line, lines};
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::shown;
use crate::parts::time::{moment, remaining};
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// What of it was asked for and given, wherever it stands.
struct Known<'a> {
    id: GrantId,
    agent: AgentId,
    task: Option<TaskId>,
    operations: &'a [OperationPattern],
    /// Nothing where it has ended, which only the ledger remembers.
    reason: Option<&'a str>,
    requested_by: Option<PersonId>,
    standing: Standing<'a>,
}

enum Standing<'a> {
    Waiting(&'a GrantRequest),
    Live { by: PersonId, until: Timestamp },
    Denied { by: PersonId, note: &'a str },
    Ended,
}

impl<'a> Known<'a> {
    fn find(state: &'a Realm, id: GrantId) -> Option<Self> {
        if let Some(request) = state.grant_requests.get(&id) {
            return Some(Self {
                id,
                agent: request.agent,
                task: request.task,
                operations: &request.operations,
                reason: Some(&request.reason),
                requested_by: request.requested_by,
                standing: Standing::Waiting(request),
            });
        }
        if let Some(grant) = state.grants.get(&id) {
            return Some(Self {
                id,
                agent: grant.agent,
                task: grant.task,
                operations: &grant.operations,
                reason: Some(&grant.reason),
                requested_by: grant.requested_by,
                standing: Standing::Live { by: grant.approved_by, until: grant.expires_at },
            });
        }
        // What a task asked for is remembered with it.
        let (task, access) = state.tasks.values().find_map(|task| Some((task, task.access_asked(id)?)))?;
        Some(Self {
            id,
            agent: task.agent,
            task: Some(task.id),
            operations: &access.operations,
            reason: None,
            requested_by: None,
            standing: match &access.status {
                AccessStatus::Denied { by, note } => Standing::Denied { by: *by, note },
                _ => Standing::Ended,
            },
        })
    }
}

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Markup, PageError> {
    let id = parse(&id)?;
    let (state, now) = (console.engine.state(), console.engine.now());
    let ended =
        || Refusal::unknown("grant", id).help("what has ended is in the ledger; `/grants` shows what is granted now");
    let known = Known::find(&state, id).ok_or_else(ended)?;
    may_read_grant(&state, viewer.person, known.agent, known.task)?;
    let (refused, related) = if may_read_records_of(&state, &viewer, &known) {
        (denied_lately(&console, &state, &known).await?, related(&console, &state, &known).await?)
    } else {
        (Vec::new(), Vec::new())
    };
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Grant", place: Place::Grants, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(&state, &viewer, &known, &refused, &related, now)))
}

fn may_read_records_of(state: &Realm, viewer: &Viewer, known: &Known<'_>) -> bool {
    let of_task = task_of(state, known.task).is_some_and(|task| may_read_task(state, viewer.person, task).is_ok());
    of_task || may(state, viewer.person, Right::ReadAgent(known.agent)).is_ok()
}

/// What the agent was refused of it lately: in the task that asks, or in any.
async fn denied_lately(console: &Console, state: &Realm, known: &Known<'_>) -> Result<Vec<Line>, PageError> {
    let mut found = Vec::new();
    for pattern in
        known.operations.iter().filter(|pattern| pattern.connector().is_none()).take(limits::CARD_RECORDS_MAX)
    {
        let filter = Filter {
            kind: Some("ActionDenied".to_owned()),
            agent: Some(known.agent.to_string()),
            task: known.task.map(|task| task.to_string()),
            operation: Some(pattern.as_str().to_owned()),
            limit: limits::CARD_RECORDS_MAX,
            ..Filter::default()
        };
        found.extend(crate::pages::lines(console, filter, state).await?);
    }
    Ok(found)
}

/// The records about it, newest first.
async fn related(console: &Console, state: &Realm, known: &Known<'_>) -> Result<Vec<Line>, PageError> {
    let kinds = ["GrantRequested", "GrantGiven", "GrantRequestDenied", "GrantRevoked", "GrantExpired"];
    let filter = Filter {
        kinds: kinds.map(str::to_owned).to_vec(),
        agent: Some(known.agent.to_string()),
        limit: limits::TIMELINE_ROWS_MAX,
        ..Filter::default()
    };
    let found = console.engine.query(filter).await?;
    let own = found.iter().filter(|committed| is_about(&committed.record.event, known.id));
    let line = |committed: &remit_engine::Committed| {
        Line::of(committed.seq, committed.at, &committed.record.actor, &committed.record.event, Names(state))
    };
    Ok(own.map(line).collect())
}

fn is_about(event: &Event, id: GrantId) -> bool {
    match event {
        Event::GrantRequested(request) => request.id == id,
        Event::GrantGiven(grant) => grant.id == id,
        Event::GrantRequestDenied { grant, .. }
        | Event::GrantRevoked { grant, .. }
        | Event::GrantExpired { grant, .. } => *grant == id,
        _ => false,
    }
}

fn render(
    state: &Realm,
    viewer: &Viewer,
    known: &Known<'_>,
    refused: &[Line],
    related: &[Line],
    now: Timestamp,
) -> Markup {
    let names = Names(state);
    let task = task_of(state, known.task);
    html! {
        p .crumb { a href="/grants" { "Grants" } " / " (id::short(known.id)) }
        div .page-head {
            div {
                h1 { (patterns(known.operations)) }
                p {
                    (names.agent(known.agent))
                    @if known.task.is_some() { " asks to use this in one task" } @else { " is to use this in its work" }
                }
            }
        }
        div .beside {
            div {
                (who(state, known, task, now))
                (operations::section(state, known.operations))
                @if !refused.is_empty() {
                    section { h2 { "Refused lately" } (lines(refused, now)) }
                }
                @if !related.is_empty() { section { h2 { "In the ledger" } (lines(related, now)) } }
            }
            @match &known.standing {
                Standing::Waiting(request) => (answer_box(state, viewer, request, now)),
                other => (settled(state, known, other, now)),
            }
        }
    }
}

fn who(state: &Realm, known: &Known<'_>, task: Option<&Task>, now: Timestamp) -> Markup {
    let names = Names(state);
    let owner = state.agents.get(&known.agent).and_then(|agent| agent.profile.owner);
    let somebody = |person: Option<PersonId>, nobody: &str| match person {
        Some(person) => names.person(person),
        None => none(nobody),
    };
    let rows = html! {
        (row("Agent", &names.agent(known.agent)))
        (row("Owner", &somebody(owner, "nobody")))
        (row("Asked by", &asked_by(names, known.requested_by, task)))
        @if let Standing::Waiting(request) = &known.standing { (row("Asked", &moment(request.requested_at, now))) }
        @if let Some(reason) = known.reason { (row("Because", &html! { span .text { (shown(reason)) } })) }
        @if let Some(task) = task {
            (row("Purpose of the task", &html! { span .text { (shown(&task.purpose)) } }))
            (row("Acts for", &somebody(task.acting_for, "nobody")))
            (row("Started by", &somebody(task.started_by, "the agent itself")))
            (row("Task ends", &remaining(task.expires_at, now)))
        }
    };
    html! { section { h2 { "Who" } (properties(&rows)) } }
}

/// What became of it.
fn settled(state: &Realm, known: &Known<'_>, standing: &Standing<'_>, now: Timestamp) -> Markup {
    let names = Names(state);
    html! {
        aside .answer aria-label="Answer" {
            @match standing {
                Standing::Live { by, until } => {
                    p .state { (pill(Tone::Good, "granted")) " " (remaining(*until, now)) }
                    p { "Approved by " (names.person(*by)) "." }
                    @if known.task.is_some() { p .permits { "It counts for the calls of this one task, and ends with it." } }
                    @if let Ok(agent) = state.agent(known.agent) {
                        p { a href={ "/agents/" (agent.name) "/grants#" (known.id) } { "What was used of it, and how to take it away" } }
                    }
                }
                Standing::Denied { by, note } => {
                    p .state { (pill(Tone::Bad, "denied")) " by " (names.person(*by)) }
                    @if !note.is_empty() { p .permits { "“" (shown(note)) "”" } }
                }
                Standing::Ended | Standing::Waiting(_) => p .state { (pill(Tone::Quiet, "ended")) },
            }
        }
    }
}
